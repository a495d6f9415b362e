package org.backplane.hart;

import java.util.concurrent.atomic.AtomicReference;

/**
 * Where a hart is in its life as SBI sees it (SBI 2.0, chapter 9), and whether it waits for an
 * interrupt. Transitions to {@link Status#START_PENDING} come from any thread, all others from the
 * hart's.
 */
final class HartState {
    /** The order is that of the specification's numbers. */
    enum Status {
        STARTED,
        STOPPED,
        START_PENDING,
        STOP_PENDING,
        SUSPENDED
    }

    /** Where a hart starts, and with what in a0 and a1. */
    record Entry(long pc, long a0, long a1) {}

    private final AtomicReference<Status> status = new AtomicReference<>(Status.STOPPED);
    private volatile Entry entry;
    private volatile boolean waiting;

    Status status() {
        return status.get();
    }

    /**
     * Has a stopped hart start.
     *
     * @return whether it was stopped
     */
    boolean start(Entry at) {
        // Between the two steps the hart looks stopping: nobody else may start it.
        if (!status.compareAndSet(Status.STOPPED, Status.STOP_PENDING)) {
            return false;
        }
        entry = at;
        status.set(Status.START_PENDING);
        return true;
    }

    /** Has it start whatever it does now; while it is outside of its run loop. */
    void restart(Entry at) {
        entry = at;
        waiting = false;
        status.set(Status.START_PENDING);
    }

    /** While the hart and all that may start it are outside of their run loops. */
    LifeRecord save() {
        Status now = status.get();
        boolean starting = now == Status.START_PENDING || now == Status.SUSPENDED;
        Entry at = starting ? entry : null;
        return at == null
                ? new LifeRecord(now.ordinal(), waiting, false, 0, 0, 0)
                : new LifeRecord(now.ordinal(), waiting, true, at.pc, at.a0, at.a1);
    }

    void restore(LifeRecord saved) {
        entry =
                saved.starts()
                        ? new Entry(saved.entryPc(), saved.entryA0(), saved.entryA1())
                        : null;
        waiting = saved.waiting();
        status.set(Status.values()[saved.status()]);
    }

    /** The entry point, if the hart is to start now. */
    Entry takeEntry() {
        if (status.get() != Status.START_PENDING) {
            return null;
        }
        Entry at = entry;
        status.set(Status.STARTED);
        return at;
    }

    void stop() {
        waiting = false;
        status.set(Status.STOPPED);
    }

    /** Waits for an interrupt, to go on at an entry point; a retentive suspension has none. */
    void suspend(Entry resumeAt) {
        entry = resumeAt;
        status.set(Status.SUSPENDED);
        waiting = true;
    }

    void waitForInterrupt() {
        waiting = true;
    }

    /** Whether it has nothing to execute until an interrupt is pending. */
    boolean waiting() {
        return waiting;
    }

    /** Ends the waiting; the entry point is that of a suspension, or null to go on. */
    Entry resume() {
        waiting = false;
        if (status.get() == Status.SUSPENDED) {
            status.set(Status.STARTED);
            Entry at = entry;
            return at;
        }
        return null;
    }

    boolean stopped() {
        Status now = status.get();
        return now == Status.STOPPED || now == Status.STOP_PENDING;
    }
}
