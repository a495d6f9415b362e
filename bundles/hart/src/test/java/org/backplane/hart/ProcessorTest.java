package org.backplane.hart;

import static org.backplane.hart.Program.A0;
import static org.backplane.hart.Program.A1;
import static org.backplane.hart.Program.A2;
import static org.backplane.hart.Program.A3;
import static org.backplane.hart.Program.A4;
import static org.backplane.hart.Program.S0;
import static org.backplane.hart.Program.S1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.backplane.hypervisor.ExitHandler;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.Vm;
import org.backplane.linux.EventFd;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The contracts of processor and VM: running, kicks, devices, doorbells, and the SBI. */
@Timeout(120)
class ProcessorTest {
    private static final long SHARED = Rig.RAM + 0x10_0000;
    private static final long BASE = 0x10;
    private static final long HSM = 0x48534d;
    private static final long SRST = 0x53525354;
    private static final long DBCN = 0x4442434e;

    private Rig rig;

    @BeforeEach
    void setUp() throws Exception {
        rig = new Rig(2);
    }

    @AfterEach
    void tearDown() {
        rig.close();
    }

    private long result(Program program) throws Exception {
        rig.put(program.exit(A0));
        return rig.run(0, program.base());
    }

    @Test
    void entersWithItsArguments() throws Exception {
        Program p = new Program(Rig.RAM + 0x40).emit(Rv64.i(Rv64.OP_IMM, 1, A0, A0, 8));
        rig.put(p.add(A0, A0, A1).exit(A0));
        assertEquals(0x1234, rig.run(0, p.base(), 0x12, 0x34));
    }

    @Test
    void aKickBeforehandMakesTheNextRunReturnAtOnce() throws Exception {
        rig.put(new Program(Rig.RAM).exit(A0));
        rig.hart(0).enterAt(Rig.RAM, 7);
        rig.hart(0).kick();
        assertTrue(rig.hart(0).kicked());
        rig.hart(0).run();
        assertFalse(rig.hart(0).kicked());
        assertEquals(0, rig.hart(0).instructions());
        assertEquals(7, rig.resume(0));
    }

    @Test
    void aKickEndsASpinningRunAndTheNextGoesOnThere() throws Exception {
        Program p = new Program(Rig.RAM).li(S0, SHARED).li(A1, 1);
        p.label("spin").store(8, A1, 0, S0).load(8, A0, 8, S0).beq(A0, 0, "spin").exit(A0);
        rig.put(p);
        rig.hart(0).enterAt(Rig.RAM);
        Rig.Runner runner = rig.start(0);
        while (rig.get(SHARED) == 0) {
            Thread.onSpinWait();
        }
        rig.hart(0).kick();
        runner.join();
        long pc = rig.hart(0).pc();
        assertTrue(pc > Rig.RAM && pc < p.here(), "pc");
        assertFalse(rig.hart(0).idle());
        rig.put(SHARED + 8, 5);
        assertEquals(5, rig.resume(0));
    }

    @Test
    void aKickEndsTheWaitingForAnInterruptAndTheNextRunWaitsOn() throws Exception {
        Program p = new Program(Rig.RAM).csrli(Csrs.SIE, Interrupts.SOFTWARE_BIT);
        rig.put(p.emit(Program.WFI).li(A0, 3).exit(A0));
        rig.hart(0).enterAt(Rig.RAM);
        Rig.Runner runner = rig.start(0);
        while (!rig.hart(0).idle()) {
            Thread.onSpinWait();
        }
        rig.hart(0).kick();
        runner.join();
        assertTrue(rig.hart(0).idle());
        rig.hart(0).interrupts().raiseSoftware();
        assertEquals(3, rig.resume(0));
    }

    @Test
    void aHartNeverStartedWaitsUntilKicked() throws Exception {
        Rig.Runner runner = rig.start(1);
        while (!runner.parked()) {
            Thread.onSpinWait();
        }
        assertTrue(rig.hart(1).idle());
        rig.hart(1).kick();
        runner.join();
        assertEquals(0, rig.hart(1).instructions());
    }

    @Test
    void countsTheInstructionsItCompletes() throws Exception {
        Program p = new Program(Rig.RAM).li(A2, 1000);
        p.csrr(A0, Csrs.INSTRET).label("again").addi(A2, A2, -1).bne(A2, 0, "again");
        p.csrr(A1, Csrs.INSTRET).emit(Rv64.r(Rv64.OP, 0, 0x20, A0, A1, A0));
        assertEquals(2001, result(p));
    }

    @Test
    void devicesSeeAddressWidthAndValue() throws Exception {
        Program p = new Program(Rig.RAM).li(S0, Rig.DEVICE).li(A1, -2);
        p.store(1, A1, 1, S0).store(2, A1, 2, S0).store(4, A1, 4, S0).store(8, A1, 8, S0);
        result(p);
        List<Rig.Store> expected =
                List.of(
                        new Rig.Store(0, Rig.DEVICE + 1, 1, 0xfe),
                        new Rig.Store(0, Rig.DEVICE + 2, 2, 0xfffe),
                        new Rig.Store(0, Rig.DEVICE + 4, 4, 0xffff_fffeL),
                        new Rig.Store(0, Rig.DEVICE + 8, 8, -2));
        assertEquals(expected, List.copyOf(rig.stores));
    }

    @Test
    void loadsFromDevicesAreExtendedAsTheInstructionSays() throws Exception {
        rig.device = address -> -1;
        Program p = new Program(Rig.RAM).li(S0, Rig.DEVICE).load(4, A0, 0, S0);
        assertEquals(-1, result(p));
        p = new Program(Rig.RAM).li(S0, Rig.DEVICE).emit(Rv64.i(Rv64.LOAD, 4, A0, S0, 0));
        assertEquals(0xff, result(p));
    }

    @Test
    void anExceptionOfTheMachineNamesTheHartAndItsPc() {
        rig.device =
                address -> {
                    throw new IllegalStateException("broken device");
                };
        Program p = new Program(Rig.RAM).li(S0, Rig.DEVICE).load(4, A0, 0, S0);
        HypervisorException failure = assertThrows(HypervisorException.class, () -> result(p));
        assertTrue(failure.getMessage().contains("test hart 0"), failure.getMessage());
        assertTrue(failure.getMessage().contains("0x80000"), failure.getMessage());
    }

    @Test
    void aDoorbellSignalsWithoutAnExit() throws Exception {
        try (EventFd event = EventFd.open()) {
            Vm.Lease lease = rig.vm.doorbell(Rig.DEVICE + 4, 2, event);
            Program p = new Program(Rig.RAM).li(S0, Rig.DEVICE);
            p.store(2, 0, 4, S0).store(2, 0, 4, S0).store(4, 0, 4, S0).store(2, 0, 6, S0);
            result(p);
            assertEquals(2, event.drain());
            assertEquals(
                    List.of(
                            new Rig.Store(0, Rig.DEVICE + 4, 4, 0),
                            new Rig.Store(0, Rig.DEVICE + 6, 2, 0)),
                    List.copyOf(rig.stores));
            lease.close();
            rig.stores.clear();
            result(new Program(Rig.RAM).li(S0, Rig.DEVICE).store(2, 0, 4, S0));
            assertEquals(0, event.drain());
            assertEquals(1, rig.stores.size());
        }
    }

    @Test
    void aDoorbellOfAnyWidthTakesAllAndItsAddressTwiceIsRefused() throws Exception {
        try (EventFd event = EventFd.open()) {
            Vm.Lease lease = rig.vm.doorbell(Rig.DEVICE, 0, event);
            assertThrows(HypervisorException.class, () -> rig.vm.doorbell(Rig.DEVICE, 4, event));
            Program p = new Program(Rig.RAM).li(S0, Rig.DEVICE);
            result(p.store(1, 0, 0, S0).store(4, 0, 0, S0).store(8, 0, 0, S0));
            assertEquals(3, event.drain());
            lease.close();
            rig.vm.doorbell(Rig.DEVICE, 4, event).close();
        }
    }

    private long sbi(long extension, int function, long... arguments) throws Exception {
        Program p = new Program(Rig.RAM);
        for (int i = 0; i < arguments.length; i++) {
            p.li(A0 + i, arguments[i]);
        }
        return result(p.sbi(extension, function));
    }

    private long value() {
        return rig.hart(0).registers().x[A1];
    }

    @Test
    void tellsWhichExtensionsThereAre() throws Exception {
        assertEquals(0, sbi(BASE, 0));
        assertEquals(2L << 24, value());
        for (long extension : new long[] {BASE, HSM, SRST, DBCN, 0x52464e43, 0x54494d45}) {
            assertEquals(0, sbi(BASE, 3, extension));
            assertEquals(1, value());
        }
        assertEquals(0, sbi(BASE, 3, 0x535553));
        assertEquals(0, value());
        assertEquals(-2, sbi(0x535553, 0));
        assertEquals(-2, sbi(HSM, 9));
    }

    @Test
    void startsAnotherHartWhichStopsItself() throws Exception {
        Program other = new Program(Rig.RAM + 0x1000).li(S0, SHARED).store(8, A0, 8, S0);
        other.store(8, A1, 0, S0).sbi(HSM, 1);
        rig.put(other);
        Rig.Runner runner = rig.start(1);
        Program p = new Program(Rig.RAM).li(A0, 1).sbi(HSM, 2).addi(S1, A1, 0);
        p.li(A0, 1).li(A1, other.base()).li(A2, 0x77).sbi(HSM, 0).bne(A0, 0, "end");
        p.li(S0, SHARED).label("wait").load(8, A3, 0, S0).beq(A3, 0, "wait");
        p.label("status").li(A0, 1).sbi(HSM, 2).li(A4, 1).bne(A1, A4, "status").label("end");
        assertEquals(0, result(p));
        assertEquals(1, rig.hart(0).registers().x[S1], "stopped at first");
        assertEquals(0x77, rig.get(SHARED));
        assertEquals(1, rig.get(SHARED + 8), "a0 is the hart's id");
        rig.hart(1).kick();
        runner.join();
        assertTrue(rig.hart(1).idle());
    }

    @Test
    void refusesToStartWhatCannotBeStarted() throws Exception {
        assertEquals(-6, sbi(HSM, 0, 0, Rig.RAM, 0), "already started");
        assertEquals(-3, sbi(HSM, 0, 2, Rig.RAM, 0), "no such hart");
        assertEquals(-5, sbi(HSM, 0, 1, 0x1000, 0), "no memory there");
        assertEquals(-3, sbi(HSM, 2, 2), "no such hart");
    }

    @Test
    void aSuspensionThatKeepsNothingResumesAtItsAddress() throws Exception {
        Program p = new Program(Rig.RAM).csrli(Csrs.SIE, Interrupts.TIMER_BIT);
        p.csrw(Csrs.STIMECMP, 0).li(A0, 0x80000000L).la(A1, "resume").li(A2, 0x55);
        p.sbi(HSM, 3).li(A0, -1).exit(A0).until(Rig.RAM + 0x100);
        p.label("resume").addi(A0, A1, 0);
        assertEquals(0x55, result(p));
    }

    @Test
    void aSuspensionThatKeepsAllReturns() throws Exception {
        Program p = new Program(Rig.RAM).csrli(Csrs.SIE, Interrupts.TIMER_BIT);
        assertEquals(0, result(p.csrw(Csrs.STIMECMP, 0).li(A0, 0).sbi(HSM, 3)));
    }

    @Test
    void resetAndShutdownReachTheMachineAndStopTheHart() throws Exception {
        long[][] cases = {{0, 0}, {1, 0}, {2, 0}, {0, 1}};
        for (long[] each : cases) {
            Program p = new Program(Rig.RAM).li(A0, each[0]).li(A1, each[1]).sbi(SRST, 0);
            rig.put(p.li(A0, 99).exit(A0));
            rig.run(0, Rig.RAM);
            assertTrue(rig.hart(0).idle());
        }
        assertEquals(
                List.of(
                        ExitHandler.SystemEvent.POWER_OFF,
                        ExitHandler.SystemEvent.REBOOT,
                        ExitHandler.SystemEvent.REBOOT,
                        ExitHandler.SystemEvent.FAILED),
                List.copyOf(rig.events));
        assertEquals(0, rig.result(0));
        assertEquals(-3, sbi(SRST, 0, 3, 0));
    }

    @Test
    void theDebugConsoleWritesBytesAndMemory() throws Exception {
        rig.write(SHARED, "hello".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
        assertEquals(0, sbi(DBCN, 0, 5, SHARED, 0));
        assertEquals(5, value());
        assertEquals(0, sbi(DBCN, 2, '!'));
        assertEquals(0, sbi(DBCN, 1, 5, SHARED, 0));
        assertEquals(0, value());
        assertEquals(-3, sbi(DBCN, 0, 5, 0x1000, 0));
        assertEquals("hello!", rig.console.toString());
    }

    /** Zihintpause: nothing but a hint, and counted as an instruction. */
    @Test
    void aPauseInASpinLoopIsAnInstructionLikeOthers() throws Exception {
        Program p = new Program(Rig.RAM).li(A2, 100).csrr(A0, Csrs.INSTRET);
        p.label("again").emit(Encoding.PAUSE).addi(A2, A2, -1).bne(A2, 0, "again");
        p.csrr(A1, Csrs.INSTRET).emit(Rv64.r(Rv64.OP, 0, 0x20, A0, A1, A0));
        assertEquals(301, result(p));
    }
}
