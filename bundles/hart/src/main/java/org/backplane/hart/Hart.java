package org.backplane.hart;

import java.util.concurrent.locks.LockSupport;
import org.backplane.hypervisor.AbandonedExit;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.Vcpu;

/** One hart: its state, and the loop around its {@link Executor}. */
final class Hart implements Vcpu {
    /**
     * Instructions between two looks at what others ask of this hart: about 15 microseconds,
     * against which the looking costs nothing.
     */
    private static final int RUN = 2048;

    private final int index;
    private final String name;
    private final Registers registers = new Registers();
    private final HartState state = new HartState();
    private final FenceMailbox mailbox = new FenceMailbox();
    private final Interrupts interrupts;
    private final CodeCache code;
    private final Mmu mmu;
    private final Csrs csrs;
    private final Atomics atomics;
    private final Executor executor;
    private volatile boolean kicked;
    private volatile Thread thread;

    Hart(int index, HartVm vm) {
        this.index = index;
        this.name = vm.name() + " hart " + index;
        this.code = vm.code();
        Trap trap = new Trap();
        FloatingPoint arithmetic = new FloatingPoint();
        InterruptFile file = new InterruptFile(vm.identities(), this::wake);
        interrupts = new Interrupts(vm.clock(), file, this::wake);
        mmu = new Mmu(vm.memory(), code, trap);
        csrs = new Csrs(trap, mmu, interrupts, arithmetic, vm.clock(), registers);
        LoadStore loadStore = new LoadStore(mmu, new DevicePort(this, vm.devices()));
        atomics = new Atomics(registers, loadStore, trap);
        Sbi sbi = new Sbi(this, vm);
        executor =
                new Executor(
                        registers,
                        mmu,
                        csrs,
                        new Units(
                                registers,
                                loadStore,
                                atomics,
                                new FloatUnit(registers, csrs, arithmetic, trap),
                                new SystemUnit(registers, csrs, mmu, code, trap, sbi, state),
                                csrs),
                        trap);
    }

    @Override
    public int index() {
        return index;
    }

    Registers registers() {
        return registers;
    }

    HartState state() {
        return state;
    }

    Csrs csrs() {
        return csrs;
    }

    Interrupts interrupts() {
        return interrupts;
    }

    FenceMailbox mailbox() {
        return mailbox;
    }

    /** Serves what others asked of this hart; on its thread. */
    void serveFences() {
        mailbox.serve(mmu);
    }

    /** Applies a fence to this hart itself; on its thread. */
    void fence(Fence fence) {
        fence.apply(mmu);
    }

    /**
     * Begins something outside of guest code that may take long; on the hart's thread. What throws
     * there ends the run: {@link #enterGuest} must not be called after, for the hart may be another
     * thread's by then ({@link AbandonedExit}).
     */
    void leaveGuest() {
        mailbox.leave();
    }

    void enterGuest() {
        mailbox.back(mmu);
    }

    @Override
    public void enterAt(long pc, long... arguments) {
        state.restart(
                new HartState.Entry(
                        pc,
                        arguments.length > 0 ? arguments[0] : 0,
                        arguments.length > 1 ? arguments[1] : 0));
    }

    /** Initial state: stopped. Outside of the run loop. */
    void reset() {
        state.stop();
        interrupts.reset();
        registers.reset();
    }

    /** Outside of the run loop, or on a thread that waits in an exit of this hart. */
    HartRecord save() {
        return new HartRecord(
                registers.save(),
                csrs.save(),
                interrupts.save(),
                interrupts.file().save(),
                state.save());
    }

    /** Outside of the run loop; forgets what was known of memory. */
    void restore(HartRecord saved) {
        registers.restore(saved.registers());
        csrs.restore(saved.csrs());
        interrupts.restore(saved.interrupts());
        interrupts.file().restore(saved.file());
        atomics.reset();
        state.restore(saved.life());
    }

    @Override
    public void run() throws HypervisorException {
        thread = Thread.currentThread();
        boolean ours = true;
        enterGuest();
        try {
            while (!kicked) {
                mailbox.serve(mmu);
                if (state.stopped() || state.waiting()) {
                    await();
                } else {
                    step();
                }
            }
            kicked = false;
        } catch (AbandonedExit e) {
            // Another thread runs the hart. Were it taken for away now, fences that it has yet to
            // serve would count as done.
            ours = false;
            throw e;
        } catch (InternalError e) {
            // What the JVM makes of SIGBUS, some instructions later: which access it was is lost.
            throw new HypervisorException(
                    name
                            + " cannot go on near pc 0x"
                            + Long.toHexString(registers.pc)
                            + ": the host has taken away memory that the guest uses, as when a file is truncated or a device is gone",
                    e);
        } catch (RuntimeException e) {
            throw new HypervisorException(
                    name + " cannot go on at pc 0x" + Long.toHexString(registers.pc) + ": " + e, e);
        } finally {
            if (ours) {
                leaveGuest();
            }
        }
    }

    private void step() {
        HartState.Entry entry = state.takeEntry();
        if (entry != null) {
            start(entry);
        }
        interrupts.look();
        if (csrs.interruptible()) {
            int first = interrupts.first();
            if (first >= 0) {
                csrs.enterInterrupt(first);
            }
        }
        executor.execute(RUN);
    }

    /** S-mode as SBI HSM leaves it (SBI 2.0, table 14). */
    private void start(HartState.Entry entry) {
        // What is to be executed was stored by others, a FENCE.I is theirs or nobody's.
        code.newGeneration();
        csrs.reset();
        atomics.reset();
        registers.reset();
        registers.pc = entry.pc();
        registers.x[Encoding.A0] = entry.a0();
        registers.x[Encoding.A1] = entry.a1();
    }

    /** Parks until there may be something to execute, or a kick. */
    private void await() {
        if (state.waiting()) {
            interrupts.look();
            if (interrupts.any()) {
                HartState.Entry entry = state.resume();
                if (entry != null) {
                    start(entry);
                }
                return;
            }
        }
        // Whoever makes an interrupt pending or starts the hart unparks it after: what came since
        // the look above makes the parking return at once.
        long nanos = state.waiting() ? interrupts.nanosToTimer() : Long.MAX_VALUE;
        leaveGuest();
        if (!kicked) {
            LockSupport.parkNanos(this, nanos);
        }
        enterGuest();
    }

    /** Has the hart look at its interrupts and its state; from any thread. */
    void wake() {
        LockSupport.unpark(thread);
    }

    @Override
    public void kick() {
        kicked = true;
        wake();
    }

    @Override
    public boolean kicked() {
        return kicked;
    }

    @Override
    public long pc() {
        return registers.pc;
    }

    @Override
    public long instructions() {
        return registers.retired();
    }

    @Override
    public boolean idle() {
        return state.stopped() || state.waiting();
    }
}
