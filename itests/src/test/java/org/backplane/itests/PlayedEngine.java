package org.backplane.itests;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import org.backplane.device.state.SavedState;
import org.backplane.hypervisor.ExitHandler;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.Vcpu;
import org.backplane.hypervisor.Vm;
import org.backplane.hypervisor.VmSpec;
import org.backplane.linux.EventFd;
import org.backplane.memory.GuestMemory;

/** An engine whose guest is the test: it makes the accesses, and looks at the lines. */
final class PlayedEngine implements DrivenEngine {
    private ExitHandler exits;
    private final Set<Integer> high = ConcurrentHashMap.newKeySet();

    @Override
    public String name() {
        return "played";
    }

    @Override
    public String architecture() {
        return "riscv64";
    }

    @Override
    public Vm create(VmSpec spec, GuestMemory memory, ExitHandler handler) {
        exits = handler;
        return new PlayedVm(spec.vcpus());
    }

    @Override
    public long load(long address, int width) {
        return exits.mmioRead(0, address, width);
    }

    @Override
    public void store(long address, int width, long value) {
        exits.mmioWrite(0, address, width, value);
    }

    @Override
    public long in(int port, int width) {
        return exits.ioRead(0, port, width);
    }

    @Override
    public Set<Integer> high() {
        return Set.copyOf(high);
    }

    private final class PlayedVm implements Vm {
        private final List<Vcpu> vcpus = new ArrayList<>();

        PlayedVm(int count) {
            for (int i = 0; i < count; i++) {
                vcpus.add(new PlayedVcpu(i));
            }
        }

        @Override
        public List<Vcpu> vcpus() {
            return vcpus;
        }

        @Override
        public void setLine(int source, boolean level) {
            if (level) {
                high.add(source);
            } else {
                high.remove(source);
            }
        }

        @Override
        public Lease onResample(int source, Runnable listener) {
            return () -> {};
        }

        @Override
        public void signalMsi(long address, int data) {
            throw new AssertionError("no card here has vectors");
        }

        @Override
        public Lease doorbell(long address, int width, EventFd event) {
            throw new AssertionError("no card here has doorbells");
        }

        @Override
        public void stopTime() {
            // Time stands still all along.
        }

        @Override
        public void startTime() {
            // See stopTime.
        }

        @Override
        public long guestTime() {
            return 0;
        }

        @Override
        public void reset() {
            high.clear();
        }

        /** What the guest knows, the test knows: there is nothing else. */
        @Override
        public SavedState save() {
            return SavedState.of("played", 1).number("vcpus", vcpus.size()).build();
        }

        @Override
        public void restore(SavedState state) throws HypervisorException {
            if (!state.equals(save())) {
                throw new HypervisorException(
                        "The state is not of a played VM of %d processors: %s."
                                .formatted(vcpus.size(), state));
            }
        }

        @Override
        public void close() {
            high.clear();
        }
    }

    /** Waits for a kick, as a processor does that nobody has started. */
    private static final class PlayedVcpu implements Vcpu {
        private final int index;
        private final Semaphore kicks = new Semaphore(0);

        PlayedVcpu(int index) {
            this.index = index;
        }

        @Override
        public int index() {
            return index;
        }

        @Override
        public void enterAt(long pc, long... arguments) {
            // The test runs what it likes, wherever the board would begin.
        }

        @Override
        public void run() {
            kicks.acquireUninterruptibly();
            kicks.drainPermits();
        }

        @Override
        public void kick() {
            kicks.release();
        }

        @Override
        public boolean kicked() {
            return kicks.availablePermits() > 0;
        }

        @Override
        public long pc() {
            return 0;
        }

        @Override
        public long instructions() {
            return 0;
        }

        @Override
        public boolean idle() {
            return true;
        }
    }
}
