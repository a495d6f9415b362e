package org.backplane.chipset;

import java.lang.System.Logger.Level;
import java.util.concurrent.atomic.AtomicLong;

/** Counts what a guest does wrong and says so at the first, second, fourth, eighth time. */
final class GuestMistakes {
    private final System.Logger log;
    private final String slot;
    private final AtomicLong seen = new AtomicLong();

    GuestMistakes(Class<?> device, String slot) {
        log = System.getLogger(device.getName());
        this.slot = slot;
    }

    /** An access that no register answers to. */
    void access(String what, long offset, int width) {
        long count = seen.incrementAndGet();
        if (Long.bitCount(count) == 1) {
            log.log(
                    Level.DEBUG,
                    () ->
                            "%s: %s of %d bytes at offset 0x%x means nothing (%d so far)"
                                    .formatted(slot, what, width, offset, count));
        }
    }

    long seen() {
        return seen.get();
    }
}
