package org.backplane.pci;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Carries a state to somebody outside without a lock and without overtaking. Two threads that each
 * change the state and then call out may call in the wrong order, and what was told last would be
 * stale. Here one thread at a time runs the errand, which looks at the state anew; a request that
 * comes meanwhile makes the running thread go once more, and its own thread does not wait.
 */
final class Courier {
    private final AtomicInteger due = new AtomicInteger();
    private final Runnable errand;

    /**
     * @param errand tells the difference between what was told and what is; throws nothing
     */
    Courier(Runnable errand) {
        this.errand = errand;
    }

    /** The errand runs once more, after this call began: now and here, or on another's thread. */
    void send() {
        if (due.getAndIncrement() != 0) {
            return;
        }
        boolean done = false;
        try {
            int served = 1;
            while (served != 0) {
                errand.run();
                served = due.addAndGet(-served);
            }
            done = true;
        } finally {
            if (!done) {
                due.set(0);
            }
        }
    }
}
