package org.backplane.machine.slot;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.backplane.machine.processor.MachineThread;

/**
 * The way into a device. It counts the threads inside; while it is closed nobody gets in and who
 * arrives parks. With the gate closed and the count at zero, no frame of the device's code exists,
 * but for those of threads that were {@link #abandon abandoned}.
 *
 * <p>Entering and leaving an open gate is one atomic operation each on its state, without a lock.
 * The gate is closed and opened by the slot's control thread, never from inside.
 *
 * <p>Generations: each device behind the gate has one of its own. Who enters is given it as a
 * ticket; what a thread with an old ticket does or throws concerns no later device.
 */
final class Gate {
    /** Instead of a ticket: there is nobody to call, the caller answers all ones. */
    static final long REFUSED = -1;

    /** Instead of a ticket: the thread was replaced at this moment and has to end. */
    static final long ORPHANED = -2;

    private static final long CLOSED = 1L << 62;
    private static final long REFUSING = 1L << 61;
    private static final long COUNT = (1L << 32) - 1;
    private static final long GENERATION = REFUSING - 1 & ~COUNT;
    private static final long NEXT_GENERATION = COUNT + 1;

    /** Puts a generation's highest bit where the sign is. */
    private static final int GENERATION_TO_SIGN = Long.numberOfLeadingZeros(GENERATION);

    private final AtomicLong state = new AtomicLong();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Consumer<MachineThread> overstayed;

    /**
     * @param overstayed told by a watchdog of a thread that stays inside; must only post it
     */
    Gate(Consumer<MachineThread> overstayed) {
        this.overstayed = overstayed;
    }

    /**
     * Enters, or parks until the gate opens.
     *
     * @return the ticket to leave with, {@link #REFUSED} or {@link #ORPHANED}
     */
    long enter() {
        return enter(MachineThread.current());
    }

    /**
     * @param thread the current one, or null if it is not the machine's
     */
    long enter(MachineThread thread) {
        show(thread);
        for (; ; ) {
            long now = state.get();
            if ((now & (CLOSED | REFUSING)) == 0) {
                if (state.compareAndSet(now, now + 1)) {
                    return admitted(thread, now & GENERATION);
                }
                // Not shown anew: that would erase that it was orphaned meanwhile.
                continue;
            }
            if (thread != null && !thread.left(this)) {
                return ORPHANED;
            }
            if ((now & REFUSING) != 0 || !park(thread)) {
                return REFUSED;
            }
            show(thread);
        }
    }

    private void show(MachineThread thread) {
        if (thread != null) {
            thread.entering(this);
        }
    }

    /**
     * Looks once more: a thread that was slow at the door may have been orphaned there, and the
     * gate opened since, to a device that its successor calls too. Who orphans does so before
     * opening, so who counted after that sees it.
     */
    private long admitted(MachineThread thread, long ticket) {
        if (thread == null || !thread.orphaned()) {
            return ticket;
        }
        countOut(ticket);
        return ORPHANED;
    }

    /**
     * @return false if the thread was replaced while it was inside, and has to end
     */
    boolean leave(long ticket) {
        return leave(MachineThread.current(), ticket);
    }

    /**
     * @param thread the current one, or null if it is not the machine's
     */
    boolean leave(MachineThread thread, long ticket) {
        boolean kept = thread == null || thread.left(this);
        countOut(ticket);
        return kept;
    }

    /** Those of an earlier generation do not count any more. */
    private void countOut(long ticket) {
        for (; ; ) {
            long now = state.get();
            if ((now & GENERATION) != ticket) {
                return;
            }
            if (state.compareAndSet(now, now - 1)) {
                if ((now - 1 & COUNT) == 0 && (now & (CLOSED | REFUSING)) != 0) {
                    wake();
                }
                return;
            }
        }
    }

    /** Lets nobody in from now on; does not wait. */
    void shut() {
        set(CLOSED);
    }

    /**
     * Lets nobody in to a device that failed, until the control thread has seen to it; does nothing
     * where it has. By a thread that is outside.
     *
     * @param ticket of the thread that saw the failure
     */
    void shut(long ticket) {
        state.updateAndGet(
                now -> (now & (GENERATION | CLOSED | REFUSING)) == ticket ? now | CLOSED : now);
    }

    /**
     * Lets nobody in and waits for those inside.
     *
     * @return whether the gate is closed and empty; if not, it is as closed, and the caller decides
     */
    boolean close(Duration bound) throws InterruptedException {
        assert !inside() : "a gate is never closed from inside";
        shut();
        long left = bound.toNanos();
        lock.lock();
        try {
            while ((state.get() & COUNT) != 0) {
                if (left <= 0) {
                    return false;
                }
                left = changed.awaitNanos(left);
            }
            return true;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Counts those inside out, wherever they are: each is orphaned, and another thread takes its
     * place. The gate is closed, or refuses. Tickets given so far are worth nothing any more.
     *
     * @return those whose place was taken
     */
    List<MachineThread> abandon() {
        return abandon(MachineThread::all);
    }

    /**
     * @param threads all that may be inside, asked for once nobody new counts
     */
    List<MachineThread> abandon(Supplier<List<MachineThread>> threads) {
        state.updateAndGet(now -> nextGeneration(now) & ~COUNT);
        List<MachineThread> orphans =
                threads.get().stream().filter(thread -> thread.orphan(this)).toList();
        orphans.forEach(MachineThread::replace);
        return orphans;
    }

    /** Lets in again. */
    void open() {
        state.updateAndGet(now -> now & ~(CLOSED | REFUSING));
        wake();
    }

    /**
     * Another device is behind the gate from now on, which is closed, or refuses, and empty. What
     * is told with an earlier ticket does not concern it. A gate that only opens again, after a
     * reset or a swap that came to nothing, is still the same device's: its fault is none the
     * smaller for that.
     */
    void changeOver() {
        state.updateAndGet(Gate::nextGeneration);
    }

    /** Whether a ticket is of a generation before another's; they are 2^28 apart at most. */
    static boolean earlier(long ticket, long generation) {
        return (ticket - generation) << GENERATION_TO_SIGN < 0;
    }

    /** Sends everybody away at once, those parked included, until the gate is opened or closed. */
    void refuse() {
        set(REFUSING);
    }

    /** Whether nobody is inside at this moment. */
    boolean isEmpty() {
        return (state.get() & COUNT) == 0;
    }

    boolean isOpen() {
        return (state.get() & (CLOSED | REFUSING)) == 0;
    }

    /** The generation that is let in now: what tickets are compared with. */
    long generation() {
        return state.get() & GENERATION;
    }

    void overstayed(MachineThread thread) {
        overstayed.accept(thread);
    }

    /** The stacks of those inside, to say who does not come out. */
    String insiders() {
        var text = new StringBuilder();
        for (MachineThread thread : MachineThread.all()) {
            if (thread.inside() == this) {
                text.append(stack(thread));
            }
        }
        return text.toString();
    }

    static String stack(Thread thread) {
        var text = new StringBuilder(thread.getName());
        for (StackTraceElement frame : thread.getStackTrace()) {
            text.append("\n    at ").append(frame);
        }
        return text.append('\n').toString();
    }

    private boolean inside() {
        MachineThread thread = MachineThread.current();
        return thread != null && thread.inside() == this;
    }

    private static long nextGeneration(long now) {
        return now & ~GENERATION | now + NEXT_GENERATION & GENERATION;
    }

    private void set(long flags) {
        state.getAndUpdate(now -> now & (GENERATION | COUNT) | flags);
        wake();
    }

    private void wake() {
        lock.lock();
        try {
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Waits until the gate is not closed; false if the thread was told to give up. */
    private boolean park(MachineThread thread) {
        if (thread != null) {
            thread.parking(this::wake);
        }
        try {
            lock.lock();
            try {
                while ((state.get() & CLOSED) != 0) {
                    if (thread != null && thread.abandoned()) {
                        return false;
                    }
                    // A missed signal cannot happen under the lock; an interrupt only makes the
                    // thread look again.
                    changed.awaitUninterruptibly();
                }
            } finally {
                lock.unlock();
            }
        } finally {
            if (thread != null) {
                thread.unparking();
            }
        }
        return thread == null || !thread.abandoned();
    }

    @Override
    public String toString() {
        long now = state.get();
        String word = (now & REFUSING) != 0 ? "refusing" : (now & CLOSED) != 0 ? "closed" : "open";
        return word + ", " + (now & COUNT) + " inside";
    }
}
