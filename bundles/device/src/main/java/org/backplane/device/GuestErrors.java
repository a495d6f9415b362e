package org.backplane.device;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Counts what the guest did wrong with one slot and stops nothing. Thread-safe.
 *
 * <p>A debug line is written for the first, second, fourth, eighth, ... mistake: a guest that makes
 * one in a loop writes sixty lines in its life, and no clock is read.
 */
public final class GuestErrors {
    private static final Logger LOG = System.getLogger(GuestErrors.class.getName());

    private final String slot;
    private final AtomicLong count = new AtomicLong();

    public GuestErrors(String slot) {
        this.slot = slot;
    }

    /** Counts a mistake; what it was is formatted only for a line that is written. */
    public void add(String format, Object... values) {
        long now = count.incrementAndGet();
        if (Long.bitCount(now) == 1 && LOG.isLoggable(Level.DEBUG)) {
            LOG.log(
                    Level.DEBUG,
                    "{0}: guest: {1} (mistake {2})",
                    slot,
                    format.formatted(values),
                    now);
        }
    }

    public long count() {
        return count.get();
    }
}
