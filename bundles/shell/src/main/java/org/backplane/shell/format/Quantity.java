package org.backplane.shell.format;

import java.time.Duration;
import java.util.Locale;

/** Sizes and times as a person reads them. */
public final class Quantity {
    private static final String[] UNITS = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};

    private Quantity() {}

    /** In the largest unit that is not too large, to one decimal. */
    public static String bytes(long bytes) {
        int unit = 0;
        while (unit + 1 < UNITS.length && bytes >= 1L << 10 * (unit + 1)) {
            unit++;
        }
        long scale = 1L << 10 * unit;
        if (bytes % scale == 0) {
            return "%d %s".formatted(bytes / scale, UNITS[unit]);
        }
        return String.format(Locale.ROOT, "%.1f %s", (double) bytes / scale, UNITS[unit]);
    }

    /** In microseconds, milliseconds or seconds. */
    public static String time(Duration time) {
        long nanoseconds = time.toNanos();
        if (nanoseconds < 1_000_000) {
            return String.format(Locale.ROOT, "%.0f us", nanoseconds / 1e3);
        }
        if (nanoseconds < 1_000_000_000) {
            return String.format(Locale.ROOT, "%.1f ms", nanoseconds / 1e6);
        }
        return String.format(Locale.ROOT, "%.3f s", nanoseconds / 1e9);
    }
}
