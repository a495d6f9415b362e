package org.backplane.launcher.guest;

import java.io.PrintStream;
import java.util.Locale;

/**
 * Tells a person what takes its time: one line each, saying what and how large; on a terminal a
 * share of it below while it goes on.
 */
public final class Progress {
    private final PrintStream out;
    private final boolean terminal;
    private int lastPercent = -1;

    /**
     * @param terminal whether a line can be written over
     */
    public Progress(PrintStream out, boolean terminal) {
        this.out = out;
        this.terminal = terminal;
    }

    /** Something begins; a size of 0 is not told. */
    public void begin(String what, long bytes) {
        clear();
        out.println(bytes == 0 ? what : what + " (" + rounded(bytes) + ")");
        lastPercent = -1;
    }

    /** How much of it is done, 0 to 100. */
    public void done(double percent) {
        if (terminal && (int) percent != lastPercent) {
            lastPercent = (int) percent;
            out.print("\r  " + lastPercent + " %");
            out.flush();
        }
    }

    /** It is over. */
    public void end() {
        clear();
        lastPercent = -1;
    }

    private void clear() {
        if (terminal && lastPercent >= 0) {
            out.print("\r\033[K");
            out.flush();
        }
    }

    private static String rounded(long bytes) {
        return bytes >= 1_000_000
                ? String.format(Locale.ROOT, "%.1f MB", bytes / 1e6)
                : bytes >= 1000 ? bytes / 1000 + " kB" : bytes + " bytes";
    }
}
