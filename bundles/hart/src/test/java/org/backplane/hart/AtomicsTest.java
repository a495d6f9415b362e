package org.backplane.hart;

import static org.backplane.hart.Program.A0;
import static org.backplane.hart.Program.A1;
import static org.backplane.hart.Program.A2;
import static org.backplane.hart.Program.A3;
import static org.backplane.hart.Program.A4;
import static org.backplane.hart.Program.A5;
import static org.backplane.hart.Program.A6;
import static org.backplane.hart.Program.A7;
import static org.backplane.hart.Program.S0;
import static org.backplane.hart.Program.S1;
import static org.backplane.hart.Program.S2;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** The A extension, alone and between harts. */
class AtomicsTest {
    private static final long WORD = Rig.RAM + 0x10_0000;
    private static final int ROUNDS = 20_000;

    private static long run(Rig rig, Program program) throws Exception {
        return rig.run(program);
    }

    @Test
    void storesConditionallyAfterALoadReserved() throws Exception {
        try (Rig rig = new Rig()) {
            Program p = new Program(Rig.RAM).li(S0, WORD).li(A1, 7);
            p.lr(8, A0, S0).sc(8, A2, A1, S0).exit(A2);
            assertEquals(0, run(rig, p));
            assertEquals(7, rig.get(WORD));
        }
    }

    @Test
    void refusesToStoreWithoutAReservation() throws Exception {
        try (Rig rig = new Rig()) {
            Program p = new Program(Rig.RAM).li(S0, WORD).li(A1, 7);
            p.sc(8, A2, A1, S0).exit(A2);
            assertEquals(1, run(rig, p));
            assertEquals(0, rig.get(WORD));
        }
    }

    @Test
    void aReservationServesOneStoreOnly() throws Exception {
        try (Rig rig = new Rig()) {
            Program p = new Program(Rig.RAM).li(S0, WORD).li(A1, 7);
            p.lr(8, A0, S0).sc(8, A2, A1, S0).sc(8, A2, A1, S0).exit(A2);
            assertEquals(1, run(rig, p));
        }
    }

    @Test
    void refusesToStoreElsewhereOrInAnotherWidth() throws Exception {
        try (Rig rig = new Rig()) {
            Program p = new Program(Rig.RAM).li(S0, WORD).li(A1, 7);
            p.lr(8, A0, S0).addi(S0, S0, 8).sc(8, A2, A1, S0).exit(A2);
            assertEquals(1, run(rig, p));
            p = new Program(Rig.RAM).li(S0, WORD).li(A1, 7);
            p.lr(8, A0, S0).sc(4, A2, A1, S0).exit(A2);
            assertEquals(1, run(rig, p));
            assertEquals(0, rig.get(WORD));
        }
    }

    @Test
    void refusesToStoreAfterTheWordChanged() throws Exception {
        try (Rig rig = new Rig()) {
            Program p = new Program(Rig.RAM).li(S0, WORD).li(A1, 7).li(A3, 1);
            p.lr(8, A0, S0).store(8, A3, 0, S0).sc(8, A2, A1, S0).exit(A2);
            assertEquals(1, run(rig, p));
            assertEquals(1, rig.get(WORD));
        }
    }

    @Test
    void wordsAreSignExtendedAndComparedAsWords() throws Exception {
        try (Rig rig = new Rig()) {
            long[][] cases = {
                {Encoding.AMOMAX, 1, 0xffff_ffffL, 1},
                {Encoding.AMOMAXU, 1, 0xffff_ffffL, 0xffff_ffffL},
                {Encoding.AMOMIN, 1, 0xffff_ffffL, 0xffff_ffffL},
                {Encoding.AMOMINU, 1, 0xffff_ffffL, 1},
                {Encoding.AMOADD, 0xffff_ffffL, 1, 0},
                {Encoding.AMOXOR, 0xf0f0_0000L, 0xffff_0000L, 0x0f0f_0000L},
                {Encoding.AMOAND, 0xf0f0_0000L, 0xffff_0000L, 0xf0f0_0000L},
                {Encoding.AMOOR, 0x0f00_0000L, 0xf000_0000L, 0xff00_0000L},
                {Encoding.AMOSWAP, 0x8000_0000L, 5, 5},
            };
            for (long[] each : cases) {
                rig.put(WORD, 0x1234_5678L << 32 | each[1]);
                Program p = new Program(Rig.RAM).li(S0, WORD).li(A1, each[2]);
                p.amo((int) each[0], 4, A0, A1, S0).exit(A0);
                assertEquals((int) each[1], run(rig, p), "funct5 " + each[0]);
                assertEquals(0x1234_5678L << 32 | each[3], rig.get(WORD), "funct5 " + each[0]);
            }
        }
    }

    /** Harts that all count in one word lose nothing; each in its own way. */
    @Test
    void hartsCountTogetherByAddAndByLoadReserved() throws Exception {
        try (Rig rig = new Rig(3)) {
            Program add = new Program(Rig.RAM).li(S0, WORD).li(A1, 1).li(A3, ROUNDS);
            add.label("again").amo(Encoding.AMOADD, 4, 0, A1, S0);
            add.addi(A3, A3, -1).bne(A3, 0, "again").exit(A3);
            Program swap = new Program(Rig.RAM + 0x1000).li(S0, WORD).li(A3, ROUNDS);
            swap.label("again").lr(4, A0, S0).addi(A0, A0, 1).sc(4, A2, A0, S0);
            swap.bne(A2, 0, "again").addi(A3, A3, -1).bne(A3, 0, "again").exit(A3);
            rig.put(add);
            rig.put(swap);
            rig.runAll(add.base(), swap.base(), swap.base());
            assertEquals(3 * ROUNDS, rig.get(WORD));
        }
    }

    /** A lock of AMOSWAP around plain loads and stores: what it guards is never seen half done. */
    @Test
    void aLockOrdersPlainAccesses() throws Exception {
        try (Rig rig = new Rig(2)) {
            for (int i = 0; i < 2; i++) {
                Program p = new Program(Rig.RAM + 0x1000L * i).li(S0, WORD).li(A3, ROUNDS);
                p.label("again").li(A1, 1);
                p.label("lock").amo(Encoding.AMOSWAP, 4, A0, A1, S0).emit(Encoding.PAUSE);
                p.bne(A0, 0, "lock");
                p.load(8, A2, 64, S0).addi(A2, A2, 1).store(8, A2, 64, S0);
                p.load(8, A4, 128, S0).addi(A4, A4, 1).store(8, A4, 128, S0);
                p.amo(Encoding.AMOSWAP, 4, 0, 0, S0);
                p.bne(A2, A4, "torn").addi(A3, A3, -1).bne(A3, 0, "again").exit(A3);
                p.label("torn").li(A3, 1).exit(A3);
                rig.put(p);
            }
            rig.runAll(Rig.RAM, Rig.RAM + 0x1000);
            assertEquals(0, rig.result(0) + rig.result(1));
            assertEquals(2 * ROUNDS, rig.get(WORD + 64));
        }
    }

    /** Store buffering: with a full fence between, one of two harts sees the other's store. */
    @Test
    void fencesOrderAStoreBeforeALaterLoad() throws Exception {
        int cells = 1 << 14;
        int burst = 32;
        long stores = Rig.RAM + 0x20_0000;
        long loads = Rig.RAM + 0x40_0000;
        long stride = 0x10_0000;
        try (Rig rig = new Rig(2)) {
            for (int i = 0; i < 2; i++) {
                Program p = new Program(Rig.RAM + 0x1000L * i).li(A1, 1).li(A3, 0).li(A5, cells);
                p.li(S0, stores + stride * i).li(S1, stores + stride * (1 - i));
                p.li(S2, loads + stride * i).li(A6, WORD + 64L * i).li(A7, WORD + 64L * (1 - i));
                p.label("cell").store(8, A1, 0, S0).emit(Program.FENCE).load(8, A0, 0, S1);
                p.store(8, A0, 0, S2).addi(S0, S0, 8).addi(S1, S1, 8).addi(S2, S2, 8);
                p.addi(A3, A3, 1).emit(Rv64.i(Rv64.OP_IMM, 7, A2, A3, burst - 1));
                p.bne(A2, 0, "cell");
                // Both begin the next burst together.
                p.store(8, A3, 0, A6).label("wait").load(8, A4, 0, A7).bltu(A4, A3, "wait");
                rig.put(p.bne(A3, A5, "cell").exit(A3));
            }
            rig.runAll(Rig.RAM, Rig.RAM + 0x1000);
            for (int n = 0; n < cells; n++) {
                long seen = rig.get(loads + 8L * n) + rig.get(loads + stride + 8L * n);
                assertTrue(seen >= 1, "neither saw the other's store of cell " + n);
            }
        }
    }
}
