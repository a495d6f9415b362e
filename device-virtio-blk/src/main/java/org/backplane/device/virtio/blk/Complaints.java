package org.backplane.device.virtio.blk;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/** Counts one kind of trouble and logs the first, second, fourth, eighth time. Thread-safe. */
final class Complaints {
    private static final Logger LOG = System.getLogger(VirtioBlk.class.getName());

    private final String slot;
    private final Level level;
    private final AtomicLong seen = new AtomicLong();

    Complaints(String slot, Level level) {
        this.slot = slot;
        this.level = level;
    }

    void add(Supplier<String> what) {
        long count = seen.incrementAndGet();
        if (Long.bitCount(count) == 1) {
            LOG.log(level, () -> "%s: %s (%d so far)".formatted(slot, what.get(), count));
        }
    }
}
