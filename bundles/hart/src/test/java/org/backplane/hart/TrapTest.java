package org.backplane.hart;

import static org.backplane.hart.Program.A0;
import static org.backplane.hart.Program.A1;
import static org.backplane.hart.Program.T0;
import static org.backplane.hart.Program.T1;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a guest's handler finds (section 4.1). */
class TrapTest {
    private static final long DATA = Rig.RAM + 0x10_0000;
    private static final long CAUSE = DATA;
    private static final long VALUE = DATA + 8;
    private static final long PC = DATA + 16;
    private static final long STATUS = DATA + 24;

    private Rig rig;

    @BeforeEach
    void setUp() throws Exception {
        rig = new Rig();
    }

    @AfterEach
    void tearDown() {
        rig.close();
    }

    private static void handler(Program program) {
        program.label("handler").li(T0, DATA);
        program.csrr(T1, Csrs.SCAUSE).store(8, T1, 0, T0).csrr(T1, Csrs.STVAL).store(8, T1, 8, T0);
        program.csrr(T1, Csrs.SEPC).store(8, T1, 16, T0);
        program.csrr(T1, Csrs.SSTATUS).store(8, T1, 24, T0).exit(T1);
    }

    /** Runs a program that traps at its label "trap"; returns that label's address. */
    private long run(Consumer<Program> body) throws Exception {
        Program program = new Program(Rig.RAM);
        program.la(T0, "handler").csrw(Csrs.STVEC, T0).jump("body");
        handler(program);
        program.label("body");
        body.accept(program);
        program.exit(0);
        rig.run(program);
        return rig.get(PC);
    }

    private void assertTrap(int cause, long value) {
        assertEquals(cause, rig.get(CAUSE), "scause");
        assertEquals(value, rig.get(VALUE), "stval");
    }

    @Test
    void illegalInstructionsShowTheirBits() throws Exception {
        long[] at = new long[1];
        long pc =
                run(
                        p -> {
                            at[0] = p.here();
                            p.emit(0xffffffff);
                        });
        assertTrap(Trap.ILLEGAL_INSTRUCTION, 0xffffffffL);
        assertEquals(at[0], pc);
    }

    @Test
    void compressedIllegalInstructionsShowTheirHalf() throws Exception {
        run(p -> p.half(0x0000));
        assertTrap(Trap.ILLEGAL_INSTRUCTION, 0);
        run(p -> p.half(0x8002).half(0x0001));
        assertTrap(Trap.ILLEGAL_INSTRUCTION, 0x8002);
    }

    @Test
    void breakpointsShowTheirAddress() throws Exception {
        long pc = run(p -> p.half(Program.C_NOP).emit(Program.EBREAK));
        assertTrap(Trap.BREAKPOINT, pc);
    }

    @Test
    void machineRegistersAreIllegal() throws Exception {
        run(p -> p.csrr(A0, 0x300));
        assertEquals(Trap.ILLEGAL_INSTRUCTION, rig.get(CAUSE));
    }

    @Test
    void writesOfReadOnlyRegistersAreIllegal() throws Exception {
        run(p -> p.csrw(Csrs.TIME, A0));
        assertEquals(Trap.ILLEGAL_INSTRUCTION, rig.get(CAUSE));
    }

    @Test
    void floatingPointIsIllegalWhileOff() throws Exception {
        run(p -> p.emit(Rv64.fld(1, 0, T0)));
        assertEquals(Trap.ILLEGAL_INSTRUCTION, rig.get(CAUSE));
        run(p -> p.csrr(A0, Csrs.FCSR));
        assertEquals(Trap.ILLEGAL_INSTRUCTION, rig.get(CAUSE));
    }

    @Test
    void reservedRoundingModesAreIllegalWhenUsed() throws Exception {
        int add = Rv64.r(Rv64.OP_FP, Encoding.DYNAMIC, 0, 1, 2, 3);
        run(p -> p.li(T0, Csrs.STATUS_FS).csrs(Csrs.SSTATUS, T0).csrli(Csrs.FRM, 5).emit(add));
        assertTrap(Trap.ILLEGAL_INSTRUCTION, add);
    }

    @Test
    void atomicAccessesMustBeAligned() throws Exception {
        run(p -> p.li(A0, DATA + 0x104).amo(Encoding.AMOADD, 8, A1, A1, A0));
        assertTrap(Trap.STORE_MISALIGNED, DATA + 0x104);
        run(p -> p.li(A0, DATA + 0x102).lr(4, A1, A0));
        assertTrap(Trap.LOAD_MISALIGNED, DATA + 0x102);
    }

    @Test
    void atomicAccessesToDevicesFault() throws Exception {
        run(p -> p.li(A0, Rig.DEVICE).amo(Encoding.AMOSWAP, 4, A1, A1, A0));
        assertTrap(Trap.STORE_ACCESS_FAULT, Rig.DEVICE);
        run(p -> p.li(A0, Rig.DEVICE).lr(4, A1, A0));
        assertTrap(Trap.LOAD_ACCESS_FAULT, Rig.DEVICE);
    }

    @Test
    void fetchingWhereNoMemoryIsFaults() throws Exception {
        long pc = run(p -> p.li(A0, Rig.DEVICE + 2).emit(Rv64.i(Rv64.JALR, 0, 0, A0, 0)));
        assertTrap(Trap.FETCH_ACCESS_FAULT, Rig.DEVICE + 2);
        assertEquals(Rig.DEVICE + 2, pc);
    }

    @Test
    void environmentCallsOfUserModeGoToTheSupervisor() throws Exception {
        long[] at = new long[1];
        long pc =
                run(
                        p -> {
                            enterUser(p);
                            at[0] = p.here();
                            p.ecall();
                        });
        assertTrap(Trap.ECALL_FROM_U, 0);
        assertEquals(at[0], pc);
        assertEquals(0, rig.get(STATUS) & Csrs.STATUS_SPP);
    }

    /** Goes on in U-mode, translation off. */
    private static void enterUser(Program program) {
        String user = "user" + program.here();
        program.la(T0, user).csrw(Csrs.SEPC, T0);
        program.li(T0, Csrs.STATUS_SPP).csrc(Csrs.SSTATUS, T0).emit(Program.SRET).label(user);
    }

    @Test
    void supervisorInstructionsAreIllegalInUserMode() throws Exception {
        run(
                p -> {
                    enterUser(p);
                    p.emit(Program.SRET);
                });
        assertTrap(Trap.ILLEGAL_INSTRUCTION, Program.SRET);
        run(
                p -> {
                    enterUser(p);
                    p.sfence(0, 0);
                });
        assertEquals(Trap.ILLEGAL_INSTRUCTION, rig.get(CAUSE));
        run(
                p -> {
                    enterUser(p);
                    p.csrr(A0, Csrs.SSTATUS);
                });
        assertEquals(Trap.ILLEGAL_INSTRUCTION, rig.get(CAUSE));
    }

    @Test
    void userModeReadsTheCountersThatScounterenPermits() throws Exception {
        run(
                p -> {
                    p.csrli(Csrs.SCOUNTEREN, 2);
                    enterUser(p);
                    p.csrr(A0, Csrs.TIME).csrr(A1, Csrs.CYCLE);
                });
        assertTrap(Trap.ILLEGAL_INSTRUCTION, Rv64.csrrs(A1, Csrs.CYCLE, 0) & 0xffffffffL);
    }

    @Test
    void userModeReadsTheCountersOfAHartThatWasJustStarted() throws Exception {
        run(
                p -> {
                    enterUser(p);
                    p.csrr(A0, Csrs.TIME).csrr(A1, Csrs.CYCLE).emit(Program.EBREAK);
                });
        assertEquals(Trap.BREAKPOINT, rig.get(CAUSE));
    }

    @Test
    void aTrapKeepsTheInterruptEnableAndTurnsItOff() throws Exception {
        run(p -> p.li(T0, Csrs.STATUS_SIE).csrs(Csrs.SSTATUS, T0).emit(Program.EBREAK));
        long mask = Csrs.STATUS_SIE | Csrs.STATUS_SPIE | Csrs.STATUS_SPP;
        assertEquals(Csrs.STATUS_SPIE | Csrs.STATUS_SPP, rig.get(STATUS) & mask);
    }

    @Test
    void aTrappingLoadLeavesItsDestination() throws Exception {
        rig.mapIdentity();
        run(
                p ->
                        p.csrli(Csrs.SATP, Rig.satp(0))
                                .li(A1, 42)
                                .li(A0, 0x7000_0000_0000L)
                                .load(8, A1, 0, A0));
        assertTrap(Trap.LOAD_PAGE_FAULT, 0x7000_0000_0000L);
        assertEquals(42, rig.hart(0).registers().x[A1]);
    }

    @Test
    void vectoredInterruptsGoToTheirEntry() throws Exception {
        Program program = new Program(Rig.RAM);
        program.la(T0, "table").addi(T0, T0, 1).csrw(Csrs.STVEC, T0);
        program.csrli(Csrs.SIE, Interrupts.SOFTWARE_BIT).csrli(Csrs.SIP, Interrupts.SOFTWARE_BIT);
        program.li(T0, Csrs.STATUS_SIE).csrs(Csrs.SSTATUS, T0).exit(0);
        program.until(Rig.RAM + 0x100).label("table").jump("wrong").jump("right");
        program.label("wrong").li(A0, 1).exit(A0).label("right").csrr(A0, Csrs.SCAUSE).exit(A0);
        assertEquals(1L << 63 | Interrupts.SOFTWARE, rig.run(program));
    }

    @Test
    void anInstructionAcrossTwoPagesFaultsAtTheSecond() throws Exception {
        long first = Rig.RAM + 0x20_0000;
        rig.mapIdentity();
        long virtual = 0x1000_0000_00L;
        rig.map(virtual, first, 0xcf);
        Program split = new Program(first + 0xffe);
        split.emit(Program.NOP);
        rig.put(split);
        long pc =
                run(
                        p ->
                                p.csrli(Csrs.SATP, Rig.satp(0))
                                        .li(A0, virtual + 0xffe)
                                        .emit(Rv64.i(Rv64.JALR, 0, 0, A0, 0)));
        assertTrap(Trap.FETCH_PAGE_FAULT, virtual + 0x1000);
        assertEquals(virtual + 0xffe, pc);
    }
}
