package org.backplane.machine.slot;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.backplane.machine.processor.MachineThread;

/**
 * The way into a device. It counts the threads inside; while it is closed nobody gets in and who
 * arrives parks. With the gate closed and the count at zero, no frame of the device's code exists.
 *
 * <p>Entering and leaving an open gate is one atomic operation each, without a lock. The gate is
 * closed and opened by the slot's control thread, never from inside.
 */
final class Gate {
    private static final long CLOSED = 1L << 62;
    private static final long REFUSING = 1L << 61;
    private static final long COUNT = REFUSING - 1;

    private final AtomicLong state = new AtomicLong();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    /**
     * Enters, or parks until the gate opens.
     *
     * @return false if there is nobody to call: the caller answers all ones
     */
    boolean enter() {
        for (; ; ) {
            long now = state.get();
            if ((now & (CLOSED | REFUSING)) == 0) {
                if (state.compareAndSet(now, now + 1)) {
                    if (Thread.currentThread() instanceof MachineThread thread) {
                        thread.enter(this);
                    }
                    return true;
                }
            } else if ((now & REFUSING) != 0 || !park()) {
                return false;
            }
        }
    }

    void leave() {
        if (Thread.currentThread() instanceof MachineThread thread) {
            thread.enter(null);
        }
        long now = state.decrementAndGet();
        if ((now & COUNT) == 0 && now != 0) {
            wake();
        }
    }

    /**
     * Lets nobody in and waits for those inside.
     *
     * @return whether the gate is closed and empty; if not, it is as closed, and the caller decides
     */
    boolean close(Duration bound) throws InterruptedException {
        assert !inside() : "a gate is never closed from inside";
        set(CLOSED);
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

    /** Lets in again, those that parked first come as they are scheduled. */
    void open() {
        set(0);
    }

    /** Sends everybody away at once, those parked included, until the gate is opened or closed. */
    void refuse() {
        set(REFUSING);
    }

    boolean isOpen() {
        return (state.get() & (CLOSED | REFUSING)) == 0;
    }

    /** The stacks of those inside, to say who does not come out. */
    String insiders() {
        var text = new StringBuilder();
        Thread.getAllStackTraces()
                .forEach(
                        (thread, stack) -> {
                            if (thread instanceof MachineThread machine
                                    && machine.inside() == this) {
                                text.append(thread.getName());
                                for (StackTraceElement frame : stack) {
                                    text.append("\n    at ").append(frame);
                                }
                                text.append('\n');
                            }
                        });
        return text.toString();
    }

    private boolean inside() {
        return Thread.currentThread() instanceof MachineThread thread && thread.inside() == this;
    }

    private void set(long flags) {
        state.getAndUpdate(now -> (now & COUNT) | flags);
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
    private boolean park() {
        MachineThread thread =
                Thread.currentThread() instanceof MachineThread machine ? machine : null;
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
