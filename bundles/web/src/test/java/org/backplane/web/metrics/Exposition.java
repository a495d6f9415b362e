package org.backplane.web.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A reader of Prometheus' text format 0.0.4 that takes nothing which the format does not allow, and
 * nothing that goes against the rules on names and units.
 */
final class Exposition {
    private static final String NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
    private static final Pattern HELP = Pattern.compile("# HELP (" + NAME + ") (\\S.*)");
    private static final Pattern TYPE =
            Pattern.compile("# TYPE (" + NAME + ") (counter|gauge|summary|histogram|untyped)");
    private static final String LABEL =
            "[a-zA-Z_][a-zA-Z0-9_]*=\"(?:[^\"\\\\\\n]|\\\\[\"\\\\n])*\"";
    private static final Pattern SAMPLE =
            Pattern.compile("(" + NAME + ")(\\{(?:" + LABEL + "(?:," + LABEL + ")*,?)?})? (\\S+)");

    /** Values by name and labels, as written. */
    final Map<String, Double> samples = new TreeMap<>();

    final Map<String, String> types = new TreeMap<>();
    private final Set<String> helps = new HashSet<>();
    private String current;

    static Exposition parse(String text) {
        assertTrue(text.endsWith("\n"), "the last line has no end");
        var read = new Exposition();
        text.lines().forEach(read::line);
        return read;
    }

    private void line(String line) {
        Matcher help = HELP.matcher(line);
        Matcher type = TYPE.matcher(line);
        if (help.matches()) {
            assertTrue(helps.add(help.group(1)), () -> "a second " + line);
        } else if (type.matches()) {
            current = type.group(1);
            assertTrue(helps.contains(current), () -> "no help before " + line);
            assertEquals(null, types.put(current, type.group(2)), () -> "a second " + line);
            rules(current, type.group(2));
        } else {
            sample(line);
        }
    }

    private static void rules(String name, String type) {
        assertEquals(type.equals("counter"), name.endsWith("_total"), name);
        assertFalse(name.matches(".*_(ms|millis|milliseconds|kb|mb|kib|mib|percent)(_.*)?"), name);
    }

    private void sample(String line) {
        Matcher sample = SAMPLE.matcher(line);
        assertTrue(sample.matches(), () -> "no line of the format: " + line);
        String name = sample.group(1);
        assertNotNull(current, () -> "no type before " + line);
        String suffix = types.get(current).equals("summary") ? "(_sum|_count)?" : "";
        assertTrue(name.matches(Pattern.quote(current) + suffix), () -> "among others: " + line);
        String key = name + (sample.group(2) == null ? "" : sample.group(2));
        double value = Double.parseDouble(sample.group(3).replace("+Inf", "Infinity"));
        assertEquals(null, samples.put(key, value), () -> "a second " + key);
    }
}
