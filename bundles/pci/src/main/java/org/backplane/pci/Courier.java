package org.backplane.pci;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Carries a state to somebody outside without a lock and without overtaking. Two threads that each
 * change the state and then call out may call in the wrong order, and what was told last would be
 * stale. Here one thread at a time runs the errand, which looks at the state anew; a request that
 * comes meanwhile is served by the thread that runs, and its own thread does not wait.
 */
final class Courier {
    private final AtomicLong requested = new AtomicLong();
    private final AtomicLong served = new AtomicLong();
    private final AtomicBoolean running = new AtomicBoolean();
    private final Runnable errand;

    /**
     * @param errand tells the difference between what was told and what is; may itself ask for a
     *     further errand
     */
    Courier(Runnable errand) {
        this.errand = errand;
    }

    /** The errand runs once more, begun after this call: now and here, or on another's thread. */
    void send() {
        requested.incrementAndGet();
        // Looks again after each errand, with the way free: a request is either seen here, or its
        // thread has found the way free and runs itself.
        while (served.get() != requested.get() && running.compareAndSet(false, true)) {
            try {
                long covered = requested.get();
                errand.run();
                served.set(covered);
            } finally {
                running.set(false);
            }
            if (served.get() != requested.get()) {
                // Lets them go first who keep asking: a guest that writes a BAR in a loop must
                // not keep the operator's thread at its errands.
                Thread.yield();
            }
        }
    }
}
