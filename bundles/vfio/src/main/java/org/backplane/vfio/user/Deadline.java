package org.backplane.vfio.user;

import java.time.Duration;

/**
 * When an operation has to be through, however many messages it takes: each of them has what those
 * before have left.
 *
 * @param at by {@link System#nanoTime}
 * @param whole what the operation has from its beginning
 */
record Deadline(long at, Duration whole) {
    /** Of an operation that begins now. */
    static Deadline in(Duration whole) {
        return new Deadline(System.nanoTime() + whole.toNanos(), whole);
    }

    /** In nanoseconds; 0 or less once it has passed. */
    long left() {
        return at - System.nanoTime();
    }

    boolean passed() {
        return left() <= 0;
    }

    /** Whether less is left than has passed: too late to begin what need not be done now. */
    boolean nears() {
        return left() < whole.toNanos() / 2;
    }
}
