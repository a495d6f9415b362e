package org.backplane.machine.processor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.backplane.device.state.SavedState;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.Vcpu;
import org.backplane.hypervisor.Vm;
import org.backplane.linux.EventFd;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class ProcessorsTest {
    /** A processor whose guest does nothing until kicked, or what the test gives it to do. */
    private static final class IdleVcpu implements Vcpu {
        final AtomicInteger runs = new AtomicInteger();
        final CountDownLatch entered = new CountDownLatch(1);
        private volatile Consumer<IdleVcpu> guest = vcpu -> {};
        private boolean kicked;

        @Override
        public int index() {
            return 0;
        }

        @Override
        public void enterAt(long pc, long... arguments) {}

        @Override
        public void run() {
            runs.incrementAndGet();
            entered.countDown();
            guest.accept(this);
            synchronized (this) {
                while (!kicked) {
                    try {
                        wait();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                        return;
                    }
                }
                kicked = false;
            }
        }

        @Override
        public synchronized void kick() {
            kicked = true;
            notifyAll();
        }

        @Override
        public synchronized boolean kicked() {
            return kicked;
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

    private static final class OneVcpuVm implements Vm {
        final IdleVcpu vcpu = new IdleVcpu();
        volatile boolean timeRuns = true;

        @Override
        public List<Vcpu> vcpus() {
            return List.of(vcpu);
        }

        @Override
        public void setLine(int source, boolean high) {}

        @Override
        public Lease onResample(int source, Runnable listener) {
            return () -> {};
        }

        @Override
        public void signalMsi(long address, int data) {}

        @Override
        public Lease doorbell(long address, int width, EventFd event) {
            return () -> {};
        }

        @Override
        public void stopTime() {
            timeRuns = false;
        }

        @Override
        public void startTime() {
            timeRuns = true;
        }

        @Override
        public long guestTime() {
            return 0;
        }

        @Override
        public void reset() {}

        @Override
        public SavedState save() {
            return SavedState.of("one-vcpu", 1).build();
        }

        @Override
        public void restore(SavedState state) {}

        @Override
        public void close() {}
    }

    private final OneVcpuVm vm = new OneVcpuVm();
    private final Processors processors = new Processors("vm", vm, failure -> {});

    @Test
    void startsStillAndRunsOnResume() throws Exception {
        processors.start();
        assertEquals(0, vm.vcpu.runs.get());
        assertFalse(vm.timeRuns);
        processors.resume();
        vm.vcpu.entered.await();
        assertTrue(vm.timeRuns);
        end();
    }

    @Test
    void pauseReturnsWithTheProcessorOutsideAndTimeStopped() throws Exception {
        processors.start();
        processors.resume();
        vm.vcpu.entered.await();
        processors.pause();
        assertFalse(vm.timeRuns);
        int runs = vm.vcpu.runs.get();
        processors.pause();
        assertEquals(runs, vm.vcpu.runs.get());
        end();
    }

    @Test
    void parkedProcessorCountsAsPausedAndGoesOnOnlyAfterResume() throws Exception {
        var parked = new CountDownLatch(1);
        var open = new CountDownLatch(1);
        var through = new CountDownLatch(1);
        vm.vcpu.guest =
                vcpu -> {
                    var thread = (MachineThread) Thread.currentThread();
                    thread.parking(() -> {});
                    parked.countDown();
                    awaitUninterrupted(open);
                    thread.unparking();
                    through.countDown();
                };
        processors.start();
        processors.resume();
        parked.await();
        processors.pause();
        open.countDown();
        assertFalse(vm.timeRuns);
        assertEquals(1, through.getCount());
        processors.resume();
        through.await();
        vm.vcpu.guest = vcpu -> {};
        end();
    }

    @Test
    void haltBringsParkedProcessorOutAbandoned() throws Exception {
        var parked = new CountDownLatch(1);
        var woken = new CountDownLatch(1);
        var abandoned = new AtomicInteger(-1);
        vm.vcpu.guest =
                vcpu -> {
                    var thread = (MachineThread) Thread.currentThread();
                    thread.parking(woken::countDown);
                    parked.countDown();
                    awaitUninterrupted(woken);
                    abandoned.set(thread.abandoned() ? 1 : 0);
                    thread.unparking();
                };
        processors.start();
        processors.resume();
        parked.await();
        processors.halt();
        assertEquals(1, abandoned.get());
        vm.vcpu.guest = vcpu -> {};
        end();
    }

    private void end() throws Exception {
        processors.halt();
        processors.end();
    }

    private static void awaitUninterrupted(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void engineFailureIsReported() throws Exception {
        var reported = new CountDownLatch(1);
        var failing = new OneVcpuVm();
        var seen = new Processors("vm", failing, failure -> reported.countDown());
        failing.vcpu.guest =
                vcpu -> ProcessorsTest.<RuntimeException>sneak(new HypervisorException("broken"));
        seen.start();
        seen.resume();
        reported.await();
        seen.halt();
        seen.end();
    }

    @SuppressWarnings("unchecked")
    private static <E extends Throwable> void sneak(Throwable failure) throws E {
        throw (E) failure;
    }
}
