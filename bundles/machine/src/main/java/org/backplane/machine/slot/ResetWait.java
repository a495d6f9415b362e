package org.backplane.machine.slot;

import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.backplane.machine.processor.MachineThread;

/**
 * Where processors wait for a reset that their driver takes for done when its write is. They wait
 * outside of the slot's gate, which the reset closes, and count as parked: pause, stop and snapshot
 * find them still.
 */
final class ResetWait {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    /** Waits until it holds, or until the thread is told to give up. */
    void until(BooleanSupplier done) {
        MachineThread thread = MachineThread.current();
        if (thread != null) {
            thread.parking(this::look);
        }
        try {
            lock.lock();
            try {
                while (!done.getAsBoolean() && (thread == null || !thread.abandoned())) {
                    // Who makes it hold looks here after, under the lock: no signal is missed.
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
    }

    /** It may hold now. */
    void look() {
        lock.lock();
        try {
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
