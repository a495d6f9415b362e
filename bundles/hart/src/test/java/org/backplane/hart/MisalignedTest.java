package org.backplane.hart;

import static org.backplane.hart.Program.A0;
import static org.backplane.hart.Program.A1;
import static org.backplane.hart.Program.S0;
import static org.backplane.hart.Program.T0;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Loads and stores at addresses that are no multiple of their width. */
class MisalignedTest {
    private static final long DATA = Rig.RAM + 0x10_0000;
    private static final long VIRTUAL = 0x10_0000_0000L;

    private Rig rig;

    @BeforeEach
    void setUp() throws Exception {
        rig = new Rig();
    }

    @AfterEach
    void tearDown() {
        rig.close();
    }

    @Test
    void loadsEveryWidthAtEveryOffset() throws Exception {
        rig.put(DATA, 0x8877_6655_4433_2211L);
        rig.put(DATA + 8, 0xffee_ddcc_bbaa_9988L);
        for (int width = 2; width <= 8; width *= 2) {
            for (int offset = 0; offset < 8; offset++) {
                long expected = rig.get(DATA) >>> 8 * offset;
                expected |= offset == 0 ? 0 : rig.get(DATA + 8) << 64 - 8 * offset;
                int unused = 64 - 8 * width;
                Program p = new Program(Rig.RAM).li(S0, DATA).load(width, A0, offset, S0);
                assertEquals(expected << unused >> unused, rig.run(p.exit(A0)));
                if (width < 8) {
                    int word = Rv64.i(Rv64.LOAD, 4 + (width == 2 ? 1 : 2), A0, S0, offset);
                    p = new Program(Rig.RAM).li(S0, DATA).emit(word);
                    assertEquals(expected << unused >>> unused, rig.run(p.exit(A0)));
                }
            }
        }
    }

    @Test
    void storesAcrossPagesThatAreNotNeighbours() throws Exception {
        rig.mapIdentity();
        rig.map(VIRTUAL, DATA, 0xc7);
        rig.map(VIRTUAL + 0x1000, DATA + 0x8000, 0xc7);
        for (int offset = 1; offset < 8; offset++) {
            rig.put(DATA + 0xff8, 0);
            rig.put(DATA + 0x8000, 0);
            long value = 0x8877_6655_4433_2211L;
            Program p = new Program(Rig.RAM).csrli(Csrs.SATP, Rig.satp(0));
            p.li(S0, VIRTUAL + 0xff8).li(A0, value).store(8, A0, offset, S0);
            assertEquals(value, rig.run(p.load(8, A1, offset, S0).exit(A1)));
            assertEquals(value << 8 * offset, rig.get(DATA + 0xff8));
            assertEquals(value >>> 64 - 8 * offset, rig.get(DATA + 0x8000));
        }
    }

    @Test
    void aFaultInTheSecondPageLeavesTheFirstAlone() throws Exception {
        rig.mapIdentity();
        rig.map(VIRTUAL, DATA, 0xc7);
        rig.map(VIRTUAL + 0x1000, DATA + 0x8000, 0xc3);
        Program p = new Program(Rig.RAM).la(T0, "handler").csrw(Csrs.STVEC, T0);
        p.csrli(Csrs.SATP, Rig.satp(0)).li(S0, VIRTUAL + 0xffc).li(A0, -1);
        p.store(8, A0, 0, S0).exit(0).until(Rig.RAM + 0x100);
        p.label("handler").csrr(A0, Csrs.STVAL).csrr(A1, Csrs.SCAUSE).exit(A0);
        assertEquals(VIRTUAL + 0x1000, rig.run(p));
        assertEquals(Trap.STORE_PAGE_FAULT, rig.hart(0).registers().x[A1]);
        assertEquals(0, rig.get(DATA + 0xff8));
    }

    @Test
    void devicesTakeAlignedAccessesOnly() throws Exception {
        Program p = new Program(Rig.RAM).la(T0, "handler").csrw(Csrs.STVEC, T0);
        p.li(S0, Rig.DEVICE + 2).load(4, A0, 0, S0).exit(0).until(Rig.RAM + 0x100);
        p.label("handler").csrr(A0, Csrs.SCAUSE).exit(A0);
        assertEquals(Trap.LOAD_ACCESS_FAULT, rig.run(p));
    }
}
