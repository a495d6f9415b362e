package org.backplane.bench;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The table of figures, and what of them has a limit. Not thread-safe. */
final class Report {
    private static final String ROW = "%-58s %6s %10s %10s %10s%n";

    private final PrintStream out;
    private final List<String> broken = new ArrayList<>();
    private int judged;

    Report(PrintStream out) {
        this.out = out;
    }

    /** A line of its own. */
    void line(String format, Object... values) {
        out.printf(Locale.ROOT, format + "%n", values);
    }

    void heading() {
        out.printf(ROW, "", "n", "p50", "p99", "worst");
    }

    /** A row of times; nothing if there are none. */
    void times(String name, Samples samples) {
        if (!samples.isEmpty()) {
            out.printf(
                    ROW,
                    name,
                    samples.count(),
                    time(samples.percentile(50)),
                    time(samples.percentile(99)),
                    time(samples.worst()));
        }
    }

    /** Something that has to hold. */
    void limit(boolean holds, String format, Object... values) {
        judged++;
        if (!holds) {
            broken.add(String.format(Locale.ROOT, format, values));
        }
    }

    /** A percentile that must not exceed a limit. */
    void limit(String name, Samples samples, int percent, long nanoseconds) {
        long value = samples.isEmpty() ? Long.MAX_VALUE : samples.percentile(percent);
        limit(
                value <= nanoseconds,
                "%s: p%d is %s, the limit is %s",
                name,
                percent,
                samples.isEmpty() ? "missing" : time(value),
                time(nanoseconds));
    }

    /**
     * Prints the last line.
     *
     * @return whether everything held
     */
    boolean verdict() {
        if (judged == 0) {
            line("nothing here has a limit");
        } else if (broken.isEmpty()) {
            line("all %d limits held", judged);
        } else {
            line("%d of %d limits NOT held: %s", broken.size(), judged, String.join("; ", broken));
        }
        return broken.isEmpty();
    }

    /** In the unit in which it reads best, to three digits or so. */
    static String time(long nanoseconds) {
        double value = nanoseconds;
        if (value < 1e6) {
            return String.format(Locale.ROOT, "%.0f us", value / 1e3);
        }
        if (value < 1e9) {
            return String.format(Locale.ROOT, "%.1f ms", value / 1e6);
        }
        return String.format(Locale.ROOT, "%.2f s", value / 1e9);
    }
}
