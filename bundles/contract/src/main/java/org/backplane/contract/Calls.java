package org.backplane.contract;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.lang.management.ThreadMXBean;
import java.util.concurrent.Callable;

/**
 * The calls into a device, one after the other on one thread: which is under way, for who looks
 * from another thread, and whether one waited.
 */
final class Calls {
    /**
     * @param name for messages: {@code work}
     * @param since as {@link System#nanoTime}
     */
    record Call(String name, long since) {}

    private final ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    private volatile Call current;

    /** The first call in which the thread waited; null if none did. */
    private volatile String waited;

    /** Makes a call; one that is made inside of another is part of it. */
    <T> T during(String name, Callable<T> action) throws Exception {
        if (current != null) {
            return action.call();
        }
        long before = waits();
        current = new Call(name, System.nanoTime());
        try {
            return action.call();
        } finally {
            current = null;
            if (waited == null && waits() != before) {
                waited = name;
            }
        }
    }

    /** The call that is under way, or null. */
    Call current() {
        return current;
    }

    String waited() {
        return waited;
    }

    /** How often this thread slept, parked or waited for a notification. */
    private long waits() {
        ThreadInfo info = threads.getThreadInfo(Thread.currentThread().getId());
        return info.getWaitedCount();
    }
}
