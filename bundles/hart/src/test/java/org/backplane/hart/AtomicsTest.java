package org.backplane.hart;

import static org.backplane.hart.Program.A0;
import static org.backplane.hart.Program.A1;
import static org.backplane.hart.Program.A2;
import static org.backplane.hart.Program.A3;
import static org.backplane.hart.Program.A4;
import static org.backplane.hart.Program.S0;
import static org.junit.jupiter.api.Assertions.assertEquals;

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
                p.label("lock").amo(Encoding.AMOSWAP, 4, A0, A1, S0).bne(A0, 0, "lock");
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

    /** Store buffering: with full fences between, not both harts read the old value. */
    @Test
    void fencesOrderAStoreBeforeALaterLoad() throws Exception {
        try (Rig rig = new Rig(2)) {
            for (int i = 0; i < 2; i++) {
                // x[i] = n; fence; read x[1 - i]; publish; wait for the other's round.
                Program p = new Program(Rig.RAM + 0x1000L * i);
                p.li(S0, WORD + 256L * i).li(A1, WORD + 256L * (1 - i)).li(A3, 0);
                p.li(A4, WORD + 0x1000 + 0x1_0000L * i);
                p.label("round").addi(A3, A3, 1);
                p.store(8, A3, 0, S0).emit(Program.FENCE).load(8, A0, 0, A1);
                p.store(8, A0, 0, A4).addi(A4, A4, 8).emit(Program.FENCE);
                p.store(8, A3, 64, S0).label("wait").load(8, A2, 64, A1).bltu(A2, A3, "wait");
                p.emit(Program.FENCE).li(A2, 4000).bne(A3, A2, "round").exit(A3);
                rig.put(p);
            }
            rig.runAll(Rig.RAM, Rig.RAM + 0x1000);
            for (int n = 1; n <= 4000; n++) {
                long first = rig.get(WORD + 0x1000 + 8L * (n - 1));
                long second = rig.get(WORD + 0x1_1000 + 8L * (n - 1));
                assertEquals(n, Math.max(first, second), "round " + n);
            }
        }
    }
}
