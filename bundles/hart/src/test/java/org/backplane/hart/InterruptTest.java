package org.backplane.hart;

import static org.backplane.hart.Program.A0;
import static org.backplane.hart.Program.A1;
import static org.backplane.hart.Program.A2;
import static org.backplane.hart.Program.A3;
import static org.backplane.hart.Program.S0;
import static org.backplane.hart.Program.S1;
import static org.backplane.hart.Program.T0;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.backplane.hypervisor.Vm;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Interrupts, what waits for them, and the AIA's way from a wire to a hart. */
@Timeout(120)
class InterruptTest {
    private static final long IPI = 0x735049;
    private static final long TIME = 0x54494d45;
    private static final long SHARED = Rig.RAM + 0x10_0000;
    private static final int EIDELIVERY = 0x70;
    private static final int EIE0 = 0xc0;

    private Rig rig;

    @BeforeEach
    void setUp() throws Exception {
        rig = new Rig(2);
    }

    @AfterEach
    void tearDown() {
        rig.close();
    }

    private static Program enable(Program program, long sie) {
        return program.csrli(Csrs.SIE, sie);
    }

    /** Turns an interrupt file on, with identities 0 to 63 enabled. */
    private static Program enableFile(Program program) {
        program.csrli(Csrs.SISELECT, EIDELIVERY).csrli(Csrs.SIREG, 1);
        return program.csrli(Csrs.SISELECT, EIE0).csrli(Csrs.SIREG, -1);
    }

    private static void awaitParked(Rig.Runner runner, Hart hart) {
        while (!(hart.idle() && runner.parked())) {
            Thread.onSpinWait();
        }
    }

    @Test
    void waitingEndsWhenTheTimerIsDue() throws Exception {
        Program p = new Program(Rig.RAM);
        enable(p, Interrupts.TIMER_BIT).csrr(A0, Csrs.TIME).li(A1, Rig.FREQUENCY / 50);
        p.add(A1, A0, A1).csrw(Csrs.STIMECMP, A1).emit(Program.WFI).csrr(A0, Csrs.TIME);
        // Not taken, as sstatus.SIE is clear; but over, and not early.
        p.emit(Rv64.r(Rv64.OP, 3, 0, A0, A0, A1)).exit(A0);
        assertEquals(0, rig.run(p));
    }

    @Test
    void waitingEndsByTheTimerOfTheBinaryInterface() throws Exception {
        Program p = new Program(Rig.RAM);
        enable(p, Interrupts.TIMER_BIT).csrr(A0, Csrs.TIME).addi(A0, A0, 1000);
        p.sbi(TIME, 0).emit(Program.WFI).csrr(A0, Csrs.SIP).exit(A0);
        assertEquals(Interrupts.TIMER_BIT, rig.run(p));
    }

    @Test
    void aTimerThatIsNotEnabledDoesNotEndTheWaiting() throws Exception {
        Program p = new Program(Rig.RAM);
        enable(p, Interrupts.SOFTWARE_BIT).csrw(Csrs.STIMECMP, 0).emit(Program.WFI).exit(0);
        rig.put(p);
        rig.hart(0).enterAt(Rig.RAM);
        Rig.Runner runner = rig.start(0);
        awaitParked(runner, rig.hart(0));
        assertTrue(rig.hart(0).idle());
        rig.hart(0).interrupts().raiseSoftware();
        runner.join();
    }

    @Test
    void waitingEndsByAnInterProcessorInterrupt() throws Exception {
        Program waiter = new Program(Rig.RAM + 0x1000);
        enable(waiter, Interrupts.SOFTWARE_BIT).emit(Program.WFI).csrr(A0, Csrs.SIP);
        waiter.csrw(Csrs.SIP, 0).csrr(A1, Csrs.SIP).emit(Rv64.i(Rv64.OP_IMM, 1, A1, A1, 8));
        rig.put(waiter.add(A0, A0, A1).exit(A0));
        Program sender = new Program(Rig.RAM).li(A0, 1).li(A1, 1).sbi(IPI, 0).exit(A0);
        rig.put(sender);
        rig.hart(1).enterAt(waiter.base());
        Rig.Runner runner = rig.start(1);
        awaitParked(runner, rig.hart(1));
        assertEquals(0, rig.run(0, sender.base()));
        runner.join();
        assertEquals(Interrupts.SOFTWARE_BIT, rig.result(1));
    }

    @Test
    void waitingEndsByAMessageSignalledInterrupt() throws Exception {
        Program p = new Program(Rig.RAM + 0x1000);
        enableFile(enable(p, Interrupts.EXTERNAL_BIT)).emit(Program.WFI);
        p.csrr(A1, Csrs.STOPI).emit(Rv64.csrrw(A0, Csrs.STOPEI, 0)).csrr(A2, Csrs.SIP);
        rig.put(p.exit(A0));
        rig.hart(1).enterAt(p.base());
        Rig.Runner runner = rig.start(1);
        awaitParked(runner, rig.hart(1));
        rig.vm.signalMsi(Rig.IMSIC + 0x1000, 37);
        runner.join();
        assertEquals(37 << 16 | 37, rig.result(1));
        assertEquals(Interrupts.EXTERNAL << 16 | 1, rig.hart(1).registers().x[A1]);
        assertEquals(0, rig.hart(1).registers().x[A2], "sip after the claim");
    }

    @Test
    void aRunningHartTakesAnInterruptThatAnotherThreadRaises() throws Exception {
        Program p = new Program(Rig.RAM).la(T0, "handler").csrw(Csrs.STVEC, T0);
        enableFile(enable(p, Interrupts.EXTERNAL_BIT));
        p.li(T0, Csrs.STATUS_SIE).csrs(Csrs.SSTATUS, T0).li(S0, SHARED).li(S1, 1);
        p.store(8, S1, 0, S0).label("spin").jump("spin").until(Rig.RAM + 0x200);
        p.label("handler").csrr(A0, Csrs.SCAUSE).exit(A0);
        rig.put(p);
        rig.hart(0).enterAt(Rig.RAM);
        Rig.Runner runner = rig.start(0);
        while (rig.get(SHARED) == 0) {
            Thread.onSpinWait();
        }
        rig.vm.signalMsi(Rig.IMSIC, 5);
        runner.join();
        assertEquals(1L << 63 | Interrupts.EXTERNAL, rig.result(0));
    }

    @Test
    void externalComesBeforeSoftwareBeforeTimer() throws Exception {
        Program p = new Program(Rig.RAM);
        enableFile(enable(p, Interrupts.ALL)).csrw(Csrs.STIMECMP, 0);
        p.csrli(Csrs.SIP, Interrupts.SOFTWARE_BIT);
        p.li(T0, Rig.IMSIC).li(A0, 3).store(4, A0, 0, T0);
        p.csrr(A0, Csrs.STOPI).emit(Rv64.csrrw(0, Csrs.STOPEI, 0)).csrr(A1, Csrs.STOPI);
        p.csrw(Csrs.SIP, 0).csrr(A2, Csrs.STOPI).li(A3, -1).csrw(Csrs.STIMECMP, A3);
        p.csrr(A3, Csrs.STOPI).exit(A0);
        assertEquals(Interrupts.EXTERNAL << 16 | 1, rig.run(p));
        long[] x = rig.hart(0).registers().x;
        assertEquals(Interrupts.SOFTWARE << 16 | 1, x[A1]);
        assertEquals(Interrupts.TIMER << 16 | 1, x[A2]);
        assertEquals(0, x[A3]);
    }

    @Test
    void anInterruptThatBecomesPermittedIsTakenBeforeTheNextInstruction() throws Exception {
        Program p = new Program(Rig.RAM).la(T0, "handler").csrw(Csrs.STVEC, T0);
        enable(p, Interrupts.SOFTWARE_BIT).csrli(Csrs.SIP, Interrupts.SOFTWARE_BIT).li(A0, 0);
        p.li(T0, Csrs.STATUS_SIE).csrs(Csrs.SSTATUS, T0).addi(A0, A0, 1).exit(A0);
        p.until(Rig.RAM + 0x100).label("handler").exit(A0);
        assertEquals(0, rig.run(p));
    }

    @Test
    void aWireReachesItsHartAndTheGuestsWriteResamplesIt() throws Exception {
        Program p = new Program(Rig.RAM);
        enableFile(enable(p, Interrupts.EXTERNAL_BIT)).li(S0, Rig.APLIC);
        // sourcecfg[3] level-high, target[3] hart 0 identity 9, setienum 3, domain on.
        p.li(A0, 6).store(4, A0, 4 + 4 * 2, S0).li(T0, 0x3000).add(S1, S0, T0);
        p.li(A0, 9).store(4, A0, 4 + 4 * 2, S1).li(A0, 3).li(T0, 0x1edc).add(S1, S0, T0);
        p.store(4, A0, 0, S1).li(A0, 0x104).store(4, A0, 0, S0);
        p.emit(Program.WFI).emit(Rv64.csrrw(A1, Csrs.STOPEI, 0));
        p.li(T0, 0x2000).add(S1, S0, T0).li(A0, 3).store(4, A0, 0, S1);
        p.csrr(A2, Csrs.STOPEI).exit(A1);
        rig.put(p);
        int[] resampled = new int[1];
        Vm.Lease lease =
                rig.vm.onResample(
                        3,
                        () -> {
                            resampled[0]++;
                            rig.vm.setLine(3, false);
                        });
        rig.hart(0).enterAt(Rig.RAM);
        Rig.Runner runner = rig.start(0);
        awaitParked(runner, rig.hart(0));
        rig.vm.setLine(3, true);
        runner.join();
        lease.close();
        assertEquals(9 << 16 | 9, rig.result(0));
        assertEquals(1, resampled[0]);
        assertEquals(0, rig.hart(0).registers().x[A2], "pending again though lowered");
    }

    @Test
    void guestTimeStandsStillInAPause() throws Exception {
        rig.vm.stopTime();
        long before = rig.vm.guestTime();
        long until = System.nanoTime() + 2_000_000;
        while (System.nanoTime() < until) {
            Thread.onSpinWait();
        }
        assertEquals(before, rig.vm.guestTime());
        rig.vm.startTime();
        long after = rig.vm.guestTime();
        assertTrue(after >= before, "time went back");
        Program p = new Program(Rig.RAM).csrr(A0, Csrs.TIME).exit(A0);
        long ticks = rig.run(p);
        assertTrue(ticks >= after / 100, "ticks of 100 ns");
        assertTrue(ticks <= rig.vm.guestTime() / 100);
    }

    @Test
    void resetForgetsInterrupts() throws Exception {
        Program p = new Program(Rig.RAM);
        enableFile(enable(p, Interrupts.ALL)).li(T0, Rig.IMSIC).li(A0, 3).store(4, A0, 0, T0);
        rig.run(p.csrli(Csrs.SIP, Interrupts.SOFTWARE_BIT).csrw(Csrs.STIMECMP, 0).exit(0));
        rig.vm.reset();
        assertTrue(rig.hart(0).idle());
        Program q = new Program(Rig.RAM);
        enableFile(enable(q, Interrupts.ALL)).csrr(A0, Csrs.SIP).exit(A0);
        assertEquals(0, rig.run(q));
        assertFalse(rig.hart(0).kicked());
    }
}
