package org.backplane.virtio;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Calls to the slot, made one at a time, in the order in which their reasons came about, under no
 * lock.
 *
 * <p>Why not simply call after giving the lock back: of two processors, one that sets DRIVER_OK and
 * one that resets, the second could overtake the first on its way to the slot, and the device would
 * be activated after its reset. So a reason is put down while the lock that decided the order is
 * held, and whoever finds nobody at it calls, for others too if theirs arrive meanwhile.
 */
final class OrderedCalls {
    private final Deque<Runnable> waiting = new ArrayDeque<>();
    private boolean busy;

    /** Puts a call down; the caller may hold locks, and calls {@link #make} without them. */
    synchronized void add(Runnable call) {
        waiting.add(call);
    }

    /** Makes what waits, unless another thread is at it, which then makes all of it. */
    void make() {
        for (Runnable call = begin(); call != null; call = next()) {
            boolean returned = false;
            try {
                call.run();
                returned = true;
            } finally {
                if (!returned) {
                    stop();
                }
            }
        }
    }

    private synchronized Runnable begin() {
        if (busy || waiting.isEmpty()) {
            return null;
        }
        busy = true;
        return waiting.remove();
    }

    private synchronized Runnable next() {
        if (waiting.isEmpty()) {
            busy = false;
            return null;
        }
        return waiting.remove();
    }

    private synchronized void stop() {
        busy = false;
    }
}
