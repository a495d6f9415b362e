package org.backplane.kvm;

import static org.backplane.kvm.KvmAbi.*;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import org.backplane.hypervisor.ExitHandler;
import org.backplane.hypervisor.ExitHandler.SystemEvent;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.Vcpu;
import org.backplane.hypervisor.X86Entry;
import org.backplane.linux.LinuxException;
import org.backplane.linux.ThreadSignal;

/**
 * A processor of KVM's.
 *
 * <p>To kick it is to set {@code immediate_exit}, which ends the next entry into the guest, and to
 * send its thread a signal that only KVM_RUN lets through, which ends one under way. No handler of
 * the signal exists: KVM_RUN gives EINTR and the signal is taken before the loop is left.
 */
final class KvmVcpu implements Vcpu, AutoCloseable {
    /** Bytes of the kernel's set of signals. */
    private static final int SIGNAL_SET = 8;

    private final int index;
    private final KvmFd fd;
    private final RunPage page;
    private final VcpuState state;
    private final ProcessorStatistics statistics;
    private final ExitHandler exits;
    private final Kind kind;

    /** Stores of instructions that are over, which no device has seen; before all else. */
    private final Queue<Access> owed = new ArrayDeque<>();

    /** Guards what follows. */
    private final Object lock = new Object();

    private volatile boolean kicked;

    /** Where a kick goes; null outside of {@link #run}. */
    private ThreadSignal running;

    private long lastPc;
    private X86Entry entry;
    private boolean closed;

    /** Stays still until a reset: a triple fault, or the guest's own end. */
    private volatile boolean shutDown;

    KvmVcpu(
            int index,
            KvmFd fd,
            RunPage page,
            VcpuState state,
            ProcessorStatistics statistics,
            ExitHandler exits,
            Kind kind) {
        this.index = index;
        this.fd = fd;
        this.page = page;
        this.state = state;
        this.statistics = statistics;
        this.exits = exits;
        this.kind = kind;
    }

    @Override
    public int index() {
        return index;
    }

    VcpuState state() {
        return state;
    }

    @Override
    public void enterAt(long pc, long... arguments) {
        throw new IllegalArgumentException(
                "%s begins in an X86Entry, an address alone says too little".formatted(fd.name()));
    }

    @Override
    public void enter(X86Entry where) {
        synchronized (lock) {
            entry = where;
        }
    }

    /** Makes the entry that was asked for. Outside of the run loop. */
    private void applyEntry() throws HypervisorException {
        X86Entry wanted;
        synchronized (lock) {
            wanted = entry;
            entry = null;
        }
        if (wanted != null) {
            EntryState.enter(wanted, state);
        }
    }

    @Override
    public void run() throws HypervisorException {
        try (ThreadSignal signal = ThreadSignal.ofCurrentThread()) {
            applyEntry();
            signalMask(signal.maskWithout());
            synchronized (lock) {
                // A thread that does not come back keeps its own: it is not sent to any more.
                running = signal;
            }
            try {
                loop(signal);
            } finally {
                leave(signal);
            }
        } catch (LinuxException e) {
            throw new HypervisorException(
                    "%s cannot be made stoppable: %s".formatted(fd.name(), e.getMessage()), e);
        }
    }

    /** Touches nothing if another thread runs the processor by now. */
    private void leave(ThreadSignal signal) {
        synchronized (lock) {
            if (running == signal) {
                running = null;
            }
        }
    }

    private void signalMask(long set) throws HypervisorException {
        try (Struct mask = Struct.of(SIGNAL_MASK_SET + SIGNAL_SET)) {
            mask.u32(SIGNAL_MASK_LENGTH, SIGNAL_SET).u64(SIGNAL_MASK_SET, set);
            fd.call(KVM_SET_SIGNAL_MASK, mask, "mask 0x%x".formatted(set));
        }
    }

    /**
     * Runs the guest and serves its exits until kicked; on the way to the guest nothing is made.
     */
    private void loop(ThreadSignal signal) throws HypervisorException {
        while (true) {
            if (page.pending()) {
                serve();
            }
            while (!owed.isEmpty()) {
                owed.peek().make(index, exits);
                owed.remove();
            }
            if (shutDown) {
                awaitKick();
                return;
            }
            // With immediate_exit this still completes the instruction that the last exit was of.
            int result = fd.attempt(KVM_RUN, 0);
            if (result >= 0) {
                page.arrived();
            } else if (result == -KvmFd.EINTR || result == -KvmFd.EAGAIN) {
                signal.consume();
                if (takeKick()) {
                    return;
                }
            } else {
                throw fd.failure(KVM_RUN, "at 0x%x".formatted(state.pc()), -result);
            }
        }
    }

    /** Serves an exit: the one that has just come, or the one that a thread was left inside of. */
    private void serve() throws HypervisorException {
        try {
            switch (page.reason()) {
                case KVM_EXIT_IO -> page.ports(index, exits);
                case KVM_EXIT_MMIO -> page.memory(index, exits);
                case KVM_EXIT_INTR, KVM_EXIT_IRQ_WINDOW_OPEN -> {}
                // A PC's board resets when its processor shuts down.
                case KVM_EXIT_SHUTDOWN -> stop(SystemEvent.REBOOT);
                case KVM_EXIT_SYSTEM_EVENT -> systemEvent();
                default -> throw ExitFailure.of(fd.name(), state.pc(), page, kind);
            }
        } catch (RuntimeException e) {
            throw new HypervisorException(
                    "%s cannot go on at 0x%x: %s".formatted(fd.name(), state.pc(), e), e);
        }
        page.done();
    }

    private void systemEvent() throws HypervisorException {
        switch (page.u32(RUN_SYSTEM_EVENT_TYPE)) {
            case KVM_SYSTEM_EVENT_SHUTDOWN -> stop(SystemEvent.POWER_OFF);
            case KVM_SYSTEM_EVENT_RESET -> stop(SystemEvent.REBOOT);
            case KVM_SYSTEM_EVENT_CRASH -> stop(SystemEvent.FAILED);
            default -> throw ExitFailure.of(fd.name(), state.pc(), page, kind);
        }
    }

    private void stop(SystemEvent event) {
        exits.systemEvent(index, event);
        shutDown = true;
    }

    @Override
    public void kick() {
        synchronized (lock) {
            kicked = true;
            if (!closed) {
                page.immediateExit(true);
            }
            if (running != null) {
                running.send();
            }
            lock.notifyAll();
        }
    }

    @Override
    public boolean kicked() {
        return kicked;
    }

    private boolean takeKick() throws HypervisorException {
        synchronized (lock) {
            if (!kicked) {
                return false;
            }
            kicked = false;
            page.immediateExit(false);
            lastPc = state.pc();
            return true;
        }
    }

    private void awaitKick() throws HypervisorException {
        synchronized (lock) {
            while (!kicked) {
                try {
                    lock.wait();
                } catch (InterruptedException e) {
                    // Nobody interrupts a processor's thread; it is told by kicks.
                    Thread.interrupted();
                }
            }
            takeKick();
        }
    }

    @Override
    public long pc() {
        synchronized (lock) {
            if (running == null && !closed) {
                try {
                    lastPc = state.pc();
                } catch (HypervisorException e) {
                    throw new IllegalStateException(e.getMessage(), e);
                }
            }
            // KVM tells nothing of a processor while it runs; this is from the last time it did
            // not.
            return lastPc;
        }
    }

    /** KVM does not count them. */
    @Override
    public long instructions() {
        return 0;
    }

    @Override
    public boolean idle() {
        synchronized (lock) {
            if (closed || shutDown) {
                return true;
            }
            try {
                if (running != null) {
                    return statistics != null && statistics.blocking();
                }
                return entry == null && state.mpState() != KVM_MP_STATE_RUNNABLE;
            } catch (HypervisorException e) {
                throw new IllegalStateException(e.getMessage(), e);
            }
        }
    }

    /** Whether the processor is outside of its run loop, or inside of an exit's handler. */
    boolean still() {
        synchronized (lock) {
            return running == null || page.pending() || !owed.isEmpty();
        }
    }

    /** The processor is {@link #still}, and stays so meanwhile. */
    VcpuRecord save() throws HypervisorException {
        synchronized (lock) {
            if (running == null) {
                applyEntry();
            }
            List<Access> stores = new ArrayList<>();
            if (page.pending() && page.stores()) {
                page.collect(stores);
                completeStores();
            }
            stores.addAll(owed);
            return state.save(shutDown, stores, page.answered());
        }
    }

    /**
     * Has KVM complete the instruction whose store a handler is making: whether its registers are
     * those before or after depends on how KVM came to execute it. One instruction may make several
     * exits; those after the first are owed from here on. The handler finds all as it was.
     */
    private void completeStores() throws HypervisorException {
        byte[] content = page.content();
        page.immediateExit(true);
        try {
            int result;
            while ((result = fd.attempt(KVM_RUN, 0)) >= 0) {
                if (!page.stores()) {
                    throw ExitFailure.of(fd.name(), state.pc(), page, kind);
                }
                List<Access> more = new ArrayList<>();
                page.collectWhole(more);
                owed.addAll(more);
            }
            if (result != -KvmFd.EINTR) {
                throw fd.failure(KVM_RUN, "to complete a store", -result);
            }
        } finally {
            page.content(content);
            page.immediateExit(kicked);
        }
    }

    /** Makes the processor what it was at {@link #save}, its time-stamp counter apart. */
    void restore(VcpuRecord saved) throws HypervisorException {
        synchronized (lock) {
            entry = null;
            owed.clear();
            owed.addAll(saved.owed());
            page.forget(saved.answered());
            shutDown = saved.shutDown();
            state.restore(saved);
        }
    }

    /** Tells the guest's watchdogs that time passed which it did not have. */
    void paused() throws HypervisorException {
        int result = fd.attempt(KVM_KVMCLOCK_CTRL, 0);
        // A guest that does not use kvm-clock cannot be told.
        if (result < 0 && result != -KvmFd.EINVAL) {
            throw fd.failure(KVM_KVMCLOCK_CTRL, "no arguments", -result);
        }
    }

    @Override
    public void close() {
        synchronized (lock) {
            if (!closed) {
                closed = true;
                if (statistics != null) {
                    statistics.close();
                }
                page.close();
                fd.close();
            }
        }
    }
}
