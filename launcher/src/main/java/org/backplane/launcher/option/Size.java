package org.backplane.launcher.option;

import java.util.Locale;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Amounts of bytes as people write them; the units are powers of 1,024. */
public final class Size {
    private static final Pattern WRITTEN =
            Pattern.compile("(\\d{1,18})([KMGT]?)(?:i?B)?", Pattern.CASE_INSENSITIVE);
    private static final String UNITS = "KMGT";

    private Size() {}

    /**
     * Bytes of {@code 512M}, {@code 1G}, {@code 65536}; empty if the text is no size or does not
     * fit a long.
     */
    public static OptionalLong parse(String text) {
        Matcher matcher = WRITTEN.matcher(text.strip());
        if (!matcher.matches()) {
            return OptionalLong.empty();
        }
        String unit = matcher.group(2).toUpperCase(Locale.ROOT);
        int shift = unit.isEmpty() ? 0 : 10 * (UNITS.indexOf(unit) + 1);
        long number = Long.parseLong(matcher.group(1));
        return number > Long.MAX_VALUE >> shift
                ? OptionalLong.empty()
                : OptionalLong.of(number << shift);
    }

    /** The shortest exact form, {@code 1536M}; at most one decimal if there is none. */
    public static String format(long bytes) {
        if (bytes < 1024) {
            return bytes + " bytes";
        }
        int unit = Math.min(UNITS.length(), (63 - Long.numberOfLeadingZeros(bytes)) / 10);
        while (unit > 1 && bytes % (1L << 10 * unit) != 0 && bytes % (1L << 10 * (unit - 1)) == 0) {
            unit--;
        }
        long one = 1L << 10 * unit;
        String letter = UNITS.substring(unit - 1, unit);
        return bytes % one == 0
                ? bytes / one + letter
                : String.format(Locale.ROOT, "%.1f%s", (double) bytes / one, letter);
    }
}
