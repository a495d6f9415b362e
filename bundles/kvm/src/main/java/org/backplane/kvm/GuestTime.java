package org.backplane.kvm;

import static org.backplane.kvm.KvmAbi.*;

import java.util.List;
import org.backplane.hypervisor.HypervisorException;

/**
 * The VM's clock, which the guest sees as kvm-clock and as the processors' time-stamp counters.
 * While it is stopped both are remembered, and written back when it goes on. What the kernel's
 * timers count for the guest goes on in between: one that is due then comes at once. A page-table
 * VM shows the host's counters and shifts none. Thread-safe; processors are outside of the guest
 * when it is stopped or started.
 */
final class GuestTime {
    private final KvmFd vm;
    private final List<KvmVcpu> processors;
    private boolean stopped;
    private long nanos;
    private long[] counters;

    GuestTime(KvmFd vm, List<KvmVcpu> processors) {
        this.vm = vm;
        this.processors = processors;
    }

    /** Nanoseconds since the VM was made, without pauses. */
    synchronized long nanos() throws HypervisorException {
        if (stopped) {
            return nanos;
        }
        try (Struct clock = Struct.of(CLOCK_BYTES)) {
            vm.call(KVM_GET_CLOCK, clock, CLOCK_BYTES + " bytes");
            return clock.u64(CLOCK_NANOS);
        }
    }

    synchronized boolean stopped() {
        return stopped;
    }

    synchronized void stop() throws HypervisorException {
        if (!stopped) {
            stopAt(nanos(), readCounters());
        }
    }

    private VcpuState state(int processor) {
        return processors.get(processor).state();
    }

    /** All for the moment when the first is read, as far as KVM tells how far apart they are. */
    private long[] readCounters() throws HypervisorException {
        long[] now = new long[processors.size()];
        now[0] = state(0).msr(VcpuState.TSC);
        boolean offsets = state(0).hasTscOffset();
        for (int i = 1; i < now.length; i++) {
            now[i] =
                    offsets
                            ? now[0] + state(i).tscOffset() - state(0).tscOffset()
                            : state(i).msr(VcpuState.TSC);
        }
        return now;
    }

    /**
     * Stops at a time.
     *
     * @param tscs the time-stamp counter of each processor
     */
    synchronized void stopAt(long atNanos, long[] tscs) {
        nanos = atNanos;
        counters = tscs.clone();
        stopped = true;
    }

    /** The time-stamp counter of a processor, while time is stopped. */
    synchronized long counter(int processor) {
        return counters[processor];
    }

    synchronized void start() throws HypervisorException {
        if (!stopped) {
            return;
        }
        try (Struct clock = Struct.of(CLOCK_BYTES).u64(CLOCK_NANOS, nanos)) {
            vm.call(KVM_SET_CLOCK, clock, nanos + " ns");
        }
        // By the offset: a value that is written to the counter itself within a second of what KVM
        // expects is taken for an attempt to keep processors together, and changes nothing.
        boolean offsets = state(0).hasTscOffset();
        long first = offsets ? state(0).tscOffset() + counters[0] - state(0).msr(VcpuState.TSC) : 0;
        for (int i = 0; i < counters.length; i++) {
            long deadline = state(i).msr(VcpuState.TSC_DEADLINE);
            if (offsets) {
                state(i).tscOffset(first + counters[i] - counters[0]);
            } else {
                state(i).msr(VcpuState.TSC, counters[i]);
            }
            if (deadline != 0) {
                // The kernel armed its timer for the counter of before.
                state(i).msr(VcpuState.TSC_DEADLINE, deadline);
            }
            processors.get(i).paused();
        }
        stopped = false;
    }
}
