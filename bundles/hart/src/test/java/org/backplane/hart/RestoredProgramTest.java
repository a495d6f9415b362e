package org.backplane.hart;

import static org.backplane.hart.Program.A0;
import static org.backplane.hart.Program.A1;
import static org.backplane.hart.Program.A2;
import static org.backplane.hart.Program.A3;
import static org.backplane.hart.Program.A4;
import static org.backplane.hart.Program.S0;
import static org.backplane.hart.Program.S1;
import static org.backplane.hart.Program.S2;
import static org.backplane.hart.Program.T0;
import static org.backplane.hart.Program.T1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.function.Consumer;
import java.util.stream.Stream;
import org.backplane.device.state.SavedState;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Programs that are saved in the middle and go on in another VM, as if nothing had been. */
@Timeout(120)
class RestoredProgramTest {
    private static final long SHARED = Rig.RAM + 0x10_0000;
    private static final long HSM = 0x48534d;
    private static final long SEED = 20260102;

    // The program with timer interrupts: a congruential generator, and what lies at SHARED.
    private static final long FACTOR = 6364136223846793005L;
    private static final long SUMMAND = 1442695040888963407L;
    private static final int INTERRUPTS = 0;
    private static final int STEPS = 8;
    private static final int KEPT = 16;
    private static final int END = 24;

    private static final int EIDELIVERY = 0x70;
    private static final int EIE0 = 0xc0;

    static Stream<Arguments> generated() {
        return Stream.of(
                group("computing", steps -> new IntegerSteps(steps).computing(20)),
                group("branches", steps -> new IntegerSteps(steps).branches(80)),
                group("loads and stores", steps -> new MemorySteps(steps).loadsAndStores(60)),
                group("floating point", steps -> new FloatSteps(steps).computing(15)),
                group("rounding and flags", steps -> new FloatSteps(steps).controlAndStatus(30)),
                group("compressed", steps -> new CompressedSteps(steps).all(30)),
                group("rewritten code", steps -> new CodeSteps(steps).rewriting(60, 10)));
    }

    private static Arguments group(String name, Consumer<StepProgram> steps) {
        return Arguments.of(name, steps);
    }

    /** All registers after each instruction, in S-mode and in U-mode behind page tables. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("generated")
    void generatedCodeComputesTheSame(String name, Consumer<StepProgram> group) throws Exception {
        StepProgram steps = new StepProgram(SEED, HartRunner.REPORT_STEP);
        group.accept(steps);
        GuestProgram program = steps.finish();
        GuestProgram.Results whole = HartRunner.run(program);
        for (boolean translated : new boolean[] {false, true}) {
            HartRunner.Moved moved = HartRunner.runMoving(program, translated);
            assertEquals(whole, moved.results(), "translated: " + translated);
            assertTrue(moved.moves() > 20, "moved only " + moved.moves() + " times");
        }
    }

    /** Is interrupted and computes until told to end, and is moved all the while. */
    @Test
    void programWithTimerInterruptsComputesTheSame() throws Exception {
        Program p = new Program(Rig.RAM).la(T0, "handler").csrw(Csrs.STVEC, T0);
        p.li(S0, SHARED).li(A3, FACTOR).li(A4, SUMMAND).li(A0, 1);
        p.li(A2, 0).csrw(Csrs.STIMECMP, 0).csrli(Csrs.SIE, Interrupts.TIMER_BIT);
        p.li(T0, Csrs.STATUS_SIE).csrs(Csrs.SSTATUS, T0);
        // A step of the generator a turn, and its number in a2.
        p.label("again").emit(Rv64.r(Rv64.OP, 0, 1, A0, A0, A3)).add(A0, A0, A4);
        p.addi(A2, A2, 1).load(8, T0, END, S0).beq(T0, 0, "again");
        p.store(8, A2, STEPS, S0).exit(A0).until(Rig.RAM + 0x200).label("handler");
        p.csrw(Csrs.SSCRATCH, T0).store(8, T1, KEPT, S0);
        p.load(8, T0, INTERRUPTS, S0).addi(T0, T0, 1).store(8, T0, INTERRUPTS, S0);
        p.csrr(T0, Csrs.TIME).li(T1, Rig.FREQUENCY / 2000).add(T0, T0, T1);
        p.csrw(Csrs.STIMECMP, T0).load(8, T1, KEPT, S0).csrr(T0, Csrs.SSCRATCH);
        p.emit(Program.SRET);
        Rig rig = new Rig();
        rig.put(p);
        rig.hart(0).enterAt(Rig.RAM);
        try {
            for (int move = 0; move < 8; move++) {
                long enough = rig.get(SHARED + INTERRUPTS) + 3;
                Rig.Runner runner = rig.start(0);
                while (rig.get(SHARED + INTERRUPTS) < enough) {
                    Thread.onSpinWait();
                }
                rig.hart(0).kick();
                runner.join();
                Rig next = rig.restored(rig.save());
                assertEquals(rig.hart(0).instructions(), next.hart(0).instructions());
                rig.close();
                rig = next;
            }
            rig.put(SHARED + END, 1);
            long result = rig.resume(0);
            long expected = 1;
            for (long i = rig.get(SHARED + STEPS); i > 0; i--) {
                expected = expected * FACTOR + SUMMAND;
            }
            assertEquals(expected, result);
        } finally {
            rig.close();
        }
    }

    private static void awaitWaiting(Rig.Runner runner, Hart hart) {
        while (!(hart.idle() && runner.parked())) {
            Thread.onSpinWait();
        }
    }

    /** Runs hart 0 until it waits for an interrupt, and moves it to another VM. */
    private static Rig moveWaiting(Rig rig, Program program) throws Exception {
        rig.put(program);
        rig.hart(0).enterAt(program.base());
        Rig.Runner runner = rig.start(0);
        awaitWaiting(runner, rig.hart(0));
        rig.hart(0).kick();
        runner.join();
        return rig.restored(rig.save());
    }

    @Test
    void hartThatWaitsGoesOnWaitingUntilItsInterrupt() throws Exception {
        Program p = new Program(Rig.RAM).csrli(Csrs.SISELECT, EIDELIVERY).csrli(Csrs.SIREG, 1);
        p.csrli(Csrs.SISELECT, EIE0).csrli(Csrs.SIREG, -1);
        p.csrli(Csrs.SIE, Interrupts.EXTERNAL_BIT).emit(Program.WFI);
        p.emit(Rv64.csrrw(A0, Csrs.STOPEI, 0)).exit(A0);
        try (Rig rig = new Rig();
                Rig other = moveWaiting(rig, p)) {
            assertTrue(other.hart(0).idle());
            Rig.Runner runner = other.start(0);
            awaitWaiting(runner, other.hart(0));
            other.vm.signalMsi(Rig.IMSIC, 21);
            runner.join();
            assertEquals(21 << 16 | 21, other.result(0));
        }
    }

    /** Its timer is due at the guest time it was set to, which went on where it was saved. */
    @Test
    void hartThatWaitsForItsTimerIsWokenInGuestTime() throws Exception {
        Program p = new Program(Rig.RAM).csrli(Csrs.SIE, Interrupts.TIMER_BIT);
        p.csrr(A0, Csrs.TIME).li(A1, Rig.FREQUENCY / 4).add(A1, A0, A1);
        p.csrw(Csrs.STIMECMP, A1).emit(Program.WFI).csrr(A0, Csrs.TIME);
        p.emit(Rv64.r(Rv64.OP, 3, 0, A2, A0, A1)).exit(A2);
        try (Rig rig = new Rig();
                Rig other = moveWaiting(rig, p)) {
            assertTrue(other.hart(0).idle());
            assertEquals(0, other.resume(0), "woken early");
            long late = other.hart(0).registers().x[A0] - other.hart(0).registers().x[A1];
            assertTrue(late < Rig.FREQUENCY * 30, "late by " + late + " ticks");
        }
    }

    @Test
    void stoppedHartIsStartedByAnotherAfterwards() throws Exception {
        try (Rig rig = new Rig(2)) {
            Program p = new Program(Rig.RAM).li(S0, Rig.DEVICE).store(8, 0, 0, S0);
            p.li(A0, 1).li(A1, 0).sbi(HSM, 2).addi(S1, A1, 0);
            p.li(A0, 1).li(A1, Rig.RAM + 0x1000).li(A2, 77).sbi(HSM, 0);
            p.emit(Rv64.i(Rv64.OP_IMM, 1, S1, S1, 8)).add(A0, A0, S1).exit(A0);
            rig.put(p);
            rig.put(new Program(Rig.RAM + 0x1000).add(A0, A0, A1).exit(A0));
            rig.exit = () -> rig.hart(0).kick();
            rig.run(0, Rig.RAM);
            try (Rig other = rig.restored(rig.save())) {
                assertTrue(other.hart(1).idle());
                Rig.Runner second = other.start(1);
                // Status STOPPED before, and no error of the start.
                assertEquals(1 << 8, other.resume(0));
                second.join();
                assertEquals(78, other.result(1));
            }
        }
    }

    @Test
    void hartThatWasToStartStarts() throws Exception {
        try (Rig rig = new Rig(2)) {
            Program p = new Program(Rig.RAM).li(A0, 1).li(A1, Rig.RAM + 0x1000).li(A2, 77);
            rig.put(p.sbi(HSM, 0).exit(A0));
            rig.put(new Program(Rig.RAM + 0x1000).add(A0, A0, A1).exit(A0));
            assertEquals(0, rig.run(0, Rig.RAM));
            try (Rig other = rig.restored(rig.save())) {
                assertFalse(other.hart(1).idle());
                assertEquals(78, other.resume(1));
            }
        }
    }

    /** A non-retentive suspension ends at its entry point, with registers as at a start. */
    @Test
    void suspendedHartResumesAtItsEntryPoint() throws Exception {
        Program p = new Program(Rig.RAM).csrli(Csrs.SIE, Interrupts.SOFTWARE_BIT).li(S2, 5);
        p.li(A0, 0x80000000L).li(A1, Rig.RAM + 0x1000).li(A2, 33).sbi(HSM, 3).exit(0);
        try (Rig rig = new Rig()) {
            rig.put(new Program(Rig.RAM + 0x1000).add(A0, A1, S2).exit(A0));
            try (Rig other = moveWaiting(rig, p)) {
                SavedState saved = other.save();
                assertEquals(4, saved.child("hart0").number("status", 0));
                other.vm.startTime();
                other.hart(0).interrupts().raiseSoftware();
                assertEquals(33, other.resume(0));
            }
        }
    }
}
