package org.backplane.bench;

import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where the time of one start went, in nanoseconds, as the machine's log tells it. The log has
 * milliseconds.
 */
record StartTimes(Map<Stage, Long> stages) {
    private static final Pattern ENTERED = Pattern.compile(".*process entered at (\\d+) ms");
    private static final Pattern PLAN = Pattern.compile("(\\S+) .*MachineRun: Plan\\[.*");
    private static final Pattern FRAMEWORK =
            Pattern.compile("(\\S+) .*the framework started: \\d+ bundles");
    private static final Pattern BOUND =
            Pattern.compile(".*the C library was bound \\((\\d+) us\\)");

    /** In the order in which they are shown. */
    enum Stage {
        WHOLE("process start to the guest's first byte"),
        JVM("  script and JVM, to the launcher's first line"),
        LAUNCHER("  launcher: command line, run folder, log"),
        FRAMEWORK("  framework: bundles installed, resolved, started"),
        VM("  VM: board, devices, engine, image, first instruction"),
        NATIVE("  native binding, within the two above");

        private final String text;

        Stage(String text) {
            this.text = text;
        }

        String text() {
            return text;
        }
    }

    /**
     * Reads a log.
     *
     * @param epoch when the process was started, in milliseconds
     * @param whole nanoseconds to the first byte
     * @throws BenchException the log does not tell
     */
    static StartTimes of(long epoch, long whole, List<String> log) throws BenchException {
        long entered = Long.parseLong(find(ENTERED, log)) - epoch;
        long plan = milliseconds(find(PLAN, log)) - epoch;
        long framework = milliseconds(find(FRAMEWORK, log)) - epoch;
        Map<Stage, Long> stages = new EnumMap<>(Stage.class);
        stages.put(Stage.WHOLE, whole);
        stages.put(Stage.JVM, nanos(entered));
        stages.put(Stage.LAUNCHER, nanos(plan - entered));
        stages.put(Stage.FRAMEWORK, nanos(framework - plan));
        stages.put(Stage.VM, whole - nanos(framework));
        stages.put(Stage.NATIVE, TimeUnit.MICROSECONDS.toNanos(Long.parseLong(find(BOUND, log))));
        return new StartTimes(stages);
    }

    private static long nanos(long milliseconds) {
        return TimeUnit.MILLISECONDS.toNanos(milliseconds);
    }

    private static String find(Pattern pattern, List<String> log) throws BenchException {
        for (String line : log) {
            Matcher found = pattern.matcher(line);
            if (found.matches()) {
                return found.group(1);
            }
        }
        throw new BenchException("the log has no line like '%s'".formatted(pattern));
    }

    private static long milliseconds(String time) {
        return LocalDateTime.parse(time).atZone(ZoneId.systemDefault()).toInstant().toEpochMilli();
    }
}
