package org.backplane.hart;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * Fences that others ask of a hart. Asking is synchronous: {@link #await} returns once the hart has
 * forgotten, or is away and will have before its next instruction.
 *
 * <p>Why nothing is lost between the two: who asks stores {@link #asked}, then looks at {@link
 * #away}; the hart that comes back stores {@code away}, then looks at {@code asked}. All four are
 * volatile, so one of the two sees the other.
 */
final class FenceMailbox {
    private static final int SPINS = 200;

    /** More than these are taken for {@link Fence#ALL}. */
    private static final int MOST = 16;

    private final List<Fence> fences = new ArrayList<>();
    private final List<Thread> waiters = new ArrayList<>();
    private volatile long asked;
    private volatile long done;
    private volatile boolean away = true;
    private volatile boolean awaited;

    /**
     * Leaves a fence for the hart; from any thread.
     *
     * @return a ticket for {@link #await}
     */
    synchronized long ask(Fence fence) {
        if (fences.size() < MOST) {
            fences.add(fence);
        } else {
            fences.clear();
            fences.add(Fence.ALL);
        }
        long ticket = asked + 1;
        asked = ticket;
        return ticket;
    }

    /** Whether the hart executes nothing now. */
    boolean away() {
        return away;
    }

    /** Forgets what was asked for; on the hart's thread, and nowhere within an instruction. */
    void serve(Mmu mmu) {
        if (asked == done) {
            return;
        }
        synchronized (this) {
            for (int i = 0; i < fences.size(); i++) {
                fences.get(i).apply(mmu);
            }
            fences.clear();
            done = asked;
        }
        release();
    }

    /** The hart executes nothing until {@link #back}; on its thread. */
    void leave() {
        away = true;
        release();
    }

    /** The hart goes on, having forgotten what was asked for meanwhile; on its thread. */
    void back(Mmu mmu) {
        away = false;
        serve(mmu);
    }

    private void release() {
        if (awaited) {
            synchronized (this) {
                waiters.forEach(LockSupport::unpark);
            }
        }
    }

    private boolean settled(long ticket) {
        return done >= ticket || away;
    }

    /**
     * Waits until the hart has served a ticket or is away.
     *
     * @param meanwhile what the waiting thread has to do while it waits: serve its own mailbox
     */
    void await(long ticket, Runnable meanwhile) {
        for (int i = 0; i < SPINS; i++) {
            if (settled(ticket)) {
                return;
            }
            meanwhile.run();
            Thread.onSpinWait();
        }
        Thread self = Thread.currentThread();
        synchronized (this) {
            waiters.add(self);
            awaited = true;
        }
        try {
            while (!settled(ticket)) {
                meanwhile.run();
                LockSupport.park(this);
            }
        } finally {
            synchronized (this) {
                waiters.remove(self);
                awaited = !waiters.isEmpty();
            }
        }
    }
}
