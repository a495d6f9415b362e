package org.backplane.machine.slot;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.concurrent.atomic.AtomicLong;
import org.backplane.linux.Epoll;
import org.backplane.linux.EventFd;
import org.backplane.linux.LinuxException;
import org.backplane.machine.processor.MachineThread;

/** The worker of one queue: waits for its doorbell, enters the gate, calls the device, leaves. */
final class QueueWorker implements AutoCloseable {
    private static final Logger LOG = System.getLogger(QueueWorker.class.getName());
    private static final int FOREVER = -1;

    private final SlotGear gear;
    private final int queue;
    private final EventFd doorbell;
    private final Work work;
    private final Epoll epoll;
    private volatile boolean closed;

    /** Signals of the machine's own that the worker has not seen yet. */
    private final AtomicLong kicks = new AtomicLong();

    /** Signals of the driver; written by the thread that has the worker's place. */
    private final AtomicLong rung = new AtomicLong();

    /** What there is to do inside the gate. */
    @FunctionalInterface
    interface Work {
        void work(int queue, long ticket);
    }

    /**
     * @param doorbell stays the caller's
     * @param work called inside the gate
     */
    QueueWorker(SlotGear gear, int queue, EventFd doorbell, Work work) throws LinuxException {
        this.gear = gear;
        this.queue = queue;
        this.doorbell = doorbell;
        this.work = work;
        epoll = Epoll.open();
        try {
            epoll.add(doorbell, Epoll.READABLE, queue);
        } catch (LinuxException e) {
            epoll.close();
            throw e;
        }
        startThread();
    }

    private void startThread() {
        new MachineThread("%s/queue%d".formatted(gear.name(), queue), this::run) {
            @Override
            public void replace() {
                startThread();
            }
        }.start();
    }

    private void run() {
        try {
            while (!closed) {
                if (epoll.await(FOREVER) == 0) {
                    continue;
                }
                // Cleared before the work: a doorbell during it means one more round, not a lost
                // one.
                count(doorbell.drain());
                if (!workOnce()) {
                    return;
                }
            }
        } catch (LinuxException e) {
            LOG.log(
                    Level.ERROR,
                    () -> "%s: the worker of queue %d ended".formatted(gear.name(), queue),
                    e);
        }
        epoll.close();
    }

    /** Makes the worker look, without a doorbell of the driver. */
    void kick() {
        kicks.incrementAndGet();
        doorbell.signal();
    }

    /** How often the driver rang the doorbell, as far as the worker has heard it. */
    long rung() {
        return rung.getOpaque();
    }

    /**
     * @param signals drained. A kick among them may have been announced and not signalled yet, when
     *     it takes a ring's place; the ring's is then taken by its signal: the sum is right
     */
    private void count(long signals) {
        long own = Math.min(signals, kicks.get());
        if (own > 0) {
            kicks.addAndGet(-own);
        }
        rung.setOpaque(rung.getPlain() + signals - own);
    }

    /**
     * @return false if another thread has the place of this one
     */
    private boolean workOnce() {
        Gate gate = gear.gate();
        long ticket = gate.enter();
        if (ticket < 0) {
            return ticket != Gate.ORPHANED;
        }
        Throwable thrown = null;
        try {
            work.work(queue, ticket);
            gear.board().memory().raiseFault();
        } catch (Throwable e) {
            thrown = e;
        }
        if (!gate.leave(ticket)) {
            return false;
        }
        if (thrown != null) {
            gear.failed().accept(thrown, ticket);
        }
        return true;
    }

    /** Ends the thread after the call it is in, if any; does not wait for it. */
    @Override
    public void close() {
        closed = true;
        epoll.wake();
    }
}
