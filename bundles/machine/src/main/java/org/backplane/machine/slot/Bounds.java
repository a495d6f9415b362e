package org.backplane.machine.slot;

import java.time.Duration;

/**
 * How long the machine waits for a device, and for how long it trusts one less.
 *
 * @param call on each call of a device's life, on its requests to be done and on threads to come
 *     out
 * @param vacancy an empty slot parks the guest for; Linux calls 20 s a soft lockup, so 15 s at most
 * @param probation a swap can be undone after the new code was let in
 * @param handler a guest's access, or a worker's call, may stay inside of the device
 */
public record Bounds(Duration call, Duration vacancy, Duration probation, Duration handler) {
    public static final Bounds DEFAULT =
            new Bounds(
                    Duration.ofSeconds(5),
                    Duration.ofSeconds(5),
                    Duration.ofSeconds(10),
                    Duration.ofSeconds(5));

    static String text(Duration bound) {
        return bound.toMillis() % 1000 == 0 ? bound.toSeconds() + " s" : bound.toMillis() + " ms";
    }
}
