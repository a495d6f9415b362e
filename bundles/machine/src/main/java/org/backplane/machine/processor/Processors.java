package org.backplane.machine.processor;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.Vcpu;
import org.backplane.hypervisor.Vm;
import org.backplane.machine.MachineException;

/**
 * The processors of a machine and their threads: start, pause, resume, halt. A processor is still
 * when it is outside of its run loop or parked at a gate; paused means that all are still. One
 * caller at a time, the machine's control thread, but for {@link #brake}.
 */
public final class Processors {
    private static final Duration STILL_BOUND = Duration.ofSeconds(20);

    private final Vm vm;
    private final List<VcpuThread> threads = new ArrayList<>();
    private boolean paused = true;
    private boolean ended;

    /**
     * @param failed told on the processor's thread when it cannot go on
     */
    public Processors(String name, Vm vm, Consumer<HypervisorException> failed) {
        this.vm = vm;
        for (Vcpu vcpu : vm.vcpus()) {
            threads.add(
                    new VcpuThread("%s/vcpu%d".formatted(name, vcpu.index()), vcpu, this, failed));
        }
    }

    /** Starts the threads, with guest time and processors stopped. */
    public void start() {
        vm.stopTime();
        threads.forEach(Thread::start);
    }

    /** Stops guest code and guest time. Processors parked at a gate stay there. */
    public void pause() throws MachineException {
        synchronized (this) {
            paused = true;
        }
        settle(VcpuThread::still);
        vm.stopTime();
    }

    /**
     * Has every processor come out before its next instruction, and waits for none: for the access
     * that asks for the machine's end or reset, whose guest is not to go on behind it. Any thread.
     */
    public synchronized void brake() {
        paused = true;
        threads.forEach(VcpuThread::kick);
    }

    public void resume() {
        vm.startTime();
        synchronized (this) {
            paused = false;
            notifyAll();
        }
    }

    /**
     * Stops guest code and brings every processor out, those parked included: their access fails.
     */
    public void halt() throws MachineException {
        var wakes = new ArrayList<Runnable>();
        synchronized (this) {
            paused = true;
            for (VcpuThread thread : threads) {
                Runnable wake = thread.abandon();
                if (wake != null) {
                    wakes.add(wake);
                }
            }
            notifyAll();
        }
        wakes.forEach(Runnable::run);
        settle(VcpuThread::isOutside);
        vm.stopTime();
    }

    /** Ends the threads; they are halted. */
    public void end() {
        synchronized (this) {
            ended = true;
            notifyAll();
        }
    }

    private void settle(Predicate<VcpuThread> done) throws MachineException {
        synchronized (this) {
            threads.forEach(VcpuThread::kick);
        }
        long deadline = System.nanoTime() + STILL_BOUND.toNanos();
        synchronized (this) {
            for (int i = 0; i < threads.size(); i++) {
                // One that is replaced meanwhile is not waited for: its successor waits to go on.
                while (!done.test(threads.get(i))) {
                    long left = deadline - System.nanoTime();
                    if (left <= 0) {
                        throw new MachineException(
                                "The processor '%s' did not stop within %d s; see the log for its stack."
                                        .formatted(
                                                threads.get(i).getName(), STILL_BOUND.toSeconds()));
                    }
                    try {
                        wait(left / 1_000_000 + 1);
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                        throw new MachineException("Interrupted while the processors stopped.", e);
                    }
                }
            }
        }
    }

    /** A thread stays inside of a device for good: another runs its processor. */
    synchronized void replace(VcpuThread stuck, VcpuThread fresh) {
        threads.set(threads.indexOf(stuck), fresh);
        notifyAll();
        fresh.start();
    }

    /** The processor's thread is outside and waits to go on; false when it has to end. */
    synchronized boolean awaitGo(VcpuThread thread) {
        thread.outside(true);
        notifyAll();
        while (paused && !ended) {
            uninterruptedWait();
        }
        thread.outside(ended);
        return !ended;
    }

    synchronized void left(VcpuThread thread) {
        thread.outside(true);
        notifyAll();
    }

    synchronized void parked(Runnable mark) {
        mark.run();
        notifyAll();
    }

    synchronized boolean holding(BooleanSupplier flag) {
        return flag.getAsBoolean();
    }

    synchronized void unparking(BooleanSupplier abandoned, Runnable unmark) {
        while (paused && !ended && !abandoned.getAsBoolean()) {
            uninterruptedWait();
        }
        unmark.run();
    }

    private void uninterruptedWait() {
        try {
            wait();
        } catch (InterruptedException e) {
            // Nobody interrupts a processor; kicks and flags are how it is told.
            Thread.interrupted();
        }
    }
}
