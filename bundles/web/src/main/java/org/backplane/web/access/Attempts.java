package org.backplane.web.access;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * Holds who guesses back: an address has a handful of wrong tokens, and gets one more every few
 * seconds. Thread-safe.
 */
final class Attempts {
    static final int BURST = 10;
    static final Duration REFILL = Duration.ofSeconds(5);

    /** Addresses remembered; the one that was quiet for longest is forgotten first. */
    private static final int ADDRESSES = 256;

    private final LongSupplier clock;

    /** By address, when its last wrong token will be forgiven, on the clock. */
    private final Map<String, Long> forgivenAt =
            new LinkedHashMap<>(16, 0.75f, true) {
                @Override
                protected boolean removeEldestEntry(Map.Entry<String, Long> eldest) {
                    return size() > ADDRESSES;
                }
            };

    /**
     * @param clock in nanoseconds, as {@link System#nanoTime}
     */
    Attempts(LongSupplier clock) {
        this.clock = clock;
    }

    /** Whether the address may try a token now. */
    synchronized boolean mayTry(String address) {
        return debt(address) <= REFILL.toNanos() * (BURST - 1);
    }

    /** A token of the address was wrong. */
    synchronized void failed(String address) {
        forgivenAt.put(address, clock.getAsLong() + debt(address) + REFILL.toNanos());
    }

    private long debt(String address) {
        Long until = forgivenAt.get(address);
        return until == null ? 0 : Math.max(0, until - clock.getAsLong());
    }
}
