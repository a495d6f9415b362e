package org.backplane.hart;

import static org.backplane.hart.Program.A0;
import static org.backplane.hart.Program.A1;
import static org.backplane.hart.Program.A2;
import static org.backplane.hart.Program.A3;
import static org.backplane.hart.Program.S0;
import static org.backplane.hart.Program.S1;
import static org.backplane.hart.Program.T0;
import static org.backplane.hart.Program.T1;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The interrupt controllers as a guest's supervisor handles them: CSRs, registers and traps. */
@Timeout(120)
class AiaTest {
    private static final int EIDELIVERY = 0x70;
    private static final int EITHRESHOLD = 0x72;
    private static final int EIP0 = 0x80;
    private static final int EIE0 = 0xc0;

    private static final int LEVEL1 = 6;
    private static final int SETIPNUM_LE = 0x2000;
    private static final int SETIENUM = 0x1edc;
    private static final int TARGET = 0x3000;
    private static final int GENMSI = 0x3000;
    private static final int DOMAIN_ON = 0x100;

    private static final int SOURCE = 5;
    private static final int IDENTITY = 40;
    private static final long EXTERNAL = 1L << 63 | Interrupts.EXTERNAL;

    private Rig rig;

    @BeforeEach
    void setUp() throws Exception {
        rig = new Rig(2);
    }

    @AfterEach
    void tearDown() {
        rig.close();
    }

    private static Program indirect(Program program, int select, long value) {
        return program.csrli(Csrs.SISELECT, select).csrli(Csrs.SIREG, value);
    }

    private static Program enableFile(Program program) {
        indirect(program, EIDELIVERY, 1);
        return indirect(program, EIE0, -1).csrli(Csrs.SIE, Interrupts.EXTERNAL_BIT);
    }

    /** Stores a word to an APLIC register; S0 holds the base. */
    private static Program aplic(Program program, int offset, int value) {
        return program.li(T0, offset).add(T0, S0, T0).li(T1, value).store(4, T1, 0, T0);
    }

    private static Program wire(Program program, int hart) {
        program.li(S0, Rig.APLIC);
        aplic(program, 4 * SOURCE, LEVEL1);
        aplic(program, TARGET + 4 * SOURCE, hart << 18 | IDENTITY);
        aplic(program, SETIENUM, SOURCE);
        return aplic(program, 0, DOMAIN_ON);
    }

    private static Program permit(Program program) {
        return program.la(T0, "handler")
                .csrw(Csrs.STVEC, T0)
                .li(T0, Csrs.STATUS_SIE)
                .csrs(Csrs.SSTATUS, T0);
    }

    @Test
    void oddRegistersOfTheArraysAreIllegalAndReservedOnesReadZero() throws Exception {
        Program p = new Program(Rig.RAM).la(T0, "handler").csrw(Csrs.STVEC, T0).li(A1, 0);
        for (int select : new int[] {0x71, 0x7f, 0x82}) {
            p.csrli(Csrs.SISELECT, select).csrr(A2, Csrs.SIREG).add(A1, A1, A2);
        }
        p.csrli(Csrs.SISELECT, EIP0 + 1).csrr(A2, Csrs.SIREG).exit(A1);
        p.until(Rig.RAM + 0x200).label("handler").csrr(A0, Csrs.SCAUSE).exit(A0);
        assertEquals(Trap.ILLEGAL_INSTRUCTION, rig.run(p));
        assertEquals(0, rig.hart(0).registers().x[A1]);
    }

    @Test
    void setAndClearOfTheIndirectRegisterAnswerTheValueBefore() throws Exception {
        Program p = new Program(Rig.RAM).csrli(Csrs.SISELECT, EIP0).li(T0, 0x70);
        p.emit(Rv64.csrrs(A0, Csrs.SIREG, T0)).li(T0, 0x30);
        p.emit(Rv64.i(Rv64.SYSTEM, 3, A1, T0, Csrs.SIREG)).li(T0, 0x3);
        p.emit(Rv64.csrrw(A2, Csrs.SIREG, T0)).csrr(A3, Csrs.SIREG).exit(A0);
        assertEquals(0, rig.run(p));
        long[] x = rig.hart(0).registers().x;
        assertEquals(0x70, x[A1]);
        assertEquals(0x40, x[A2]);
        assertEquals(0x2, x[A3], "identity 0 does not exist");
    }

    @Test
    void thresholdKeepsTheInterruptFromTheHart() throws Exception {
        Program p = enableFile(new Program(Rig.RAM));
        indirect(p, EITHRESHOLD, IDENTITY);
        p.li(T0, Rig.IMSIC).li(A0, IDENTITY).store(4, A0, 0, T0).csrr(A1, Csrs.SIP);
        indirect(p, EITHRESHOLD, IDENTITY + 1).csrr(A0, Csrs.SIP).exit(A0);
        assertEquals(Interrupts.EXTERNAL_BIT, rig.run(p));
        assertEquals(0, rig.hart(0).registers().x[A1]);
    }

    @Test
    void generatedMessageArrivesAtTheHartItNames() throws Exception {
        Program p = enableFile(new Program(Rig.RAM + 0x1000));
        p.emit(Program.WFI).emit(Rv64.csrrw(A0, Csrs.STOPEI, 0)).exit(A0);
        rig.put(p);
        Program sender = new Program(Rig.RAM).li(S0, Rig.APLIC);
        rig.put(aplic(sender, GENMSI, 1 << 18 | 33).exit(0));
        rig.runAll(sender.base(), p.base());
        assertEquals(33 << 16 | 33, rig.result(1));
    }

    /** The device has three causes for its line; each service takes one away. */
    @Test
    void lineStillHighAtTheEndOfTheHandlerTrapsAgain() throws Exception {
        AtomicInteger causes = new AtomicInteger(3);
        rig.device =
                address -> {
                    int left = causes.decrementAndGet();
                    rig.vm.setLine(SOURCE, left > 0);
                    return left;
                };
        AtomicInteger ends = new AtomicInteger();
        rig.vm.onResample(SOURCE, ends::incrementAndGet);
        rig.vm.setLine(SOURCE, true);
        Program p = new Program(Rig.RAM).li(A1, 0).li(A2, -1).li(A3, 0);
        wire(enableFile(p), 0);
        permit(p).label("wait").bne(A2, 0, "wait").exit(A1);
        p.until(Rig.RAM + 0x400).label("handler").csrr(A0, Csrs.SCAUSE).add(A3, A3, A0);
        p.emit(Rv64.csrrw(A0, Csrs.STOPEI, 0)).addi(A1, A1, 1);
        p.li(T0, Rig.DEVICE).load(4, A2, 0, T0);
        aplic(p, SETIPNUM_LE, SOURCE).emit(Program.SRET);
        assertEquals(3, rig.run(p), "traps");
        long[] x = rig.hart(0).registers().x;
        assertEquals(3 * EXTERNAL, x[A3]);
        assertEquals(IDENTITY << 16 | IDENTITY, x[A0]);
        assertEquals(3, ends.get());
    }

    @Test
    void wiredInterruptGoesToTheHartOfItsTarget() throws Exception {
        rig.vm.setLine(SOURCE, true);
        Program p = enableFile(new Program(Rig.RAM + 0x1000).li(A1, 0));
        permit(p).label("wait").jump("wait");
        p.until(Rig.RAM + 0x1200).label("handler").csrr(A0, Csrs.SCAUSE).exit(A0);
        rig.put(p);
        rig.put(wire(new Program(Rig.RAM), 1).exit(0));
        rig.runAll(Rig.RAM, p.base());
        assertEquals(EXTERNAL, rig.result(1));
    }

    @Test
    void handlersOfHigherPriorityIdentitiesRunFirst() throws Exception {
        Program p = enableFile(new Program(Rig.RAM).li(A1, 0).li(A2, 3)).li(T0, Rig.IMSIC);
        for (int identity : new int[] {9, 2, 5}) {
            p.li(A0, identity).store(4, A0, 0, T0);
        }
        permit(p).label("wait").bne(A2, 0, "wait").exit(A1);
        // Collects the identities in the order of their claims, a byte each.
        p.until(Rig.RAM + 0x200).label("handler").emit(Rv64.csrrw(S1, Csrs.STOPEI, 0));
        p.emit(Rv64.i(Rv64.OP_IMM, 5, S1, S1, 16)).emit(Rv64.i(Rv64.OP_IMM, 1, A1, A1, 8));
        p.add(A1, A1, S1).addi(A2, A2, -1).emit(Program.SRET);
        assertEquals(0x020509, rig.run(p));
    }
}
