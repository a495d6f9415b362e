package org.backplane.bench;

import java.time.Duration;
import java.time.LocalTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What {@code vm:history SLOT} prints, oldest first.
 *
 * @param entries the latest ones: a slot forgets
 */
record SlotHistory(List<Entry> entries) {
    private static final Pattern LINE =
            Pattern.compile(
                    "(?m)^(\\d\\d:\\d\\d:\\d\\d\\.\\d{3})  (.+?)  +(-|[\\d.]+ (?:us|ms|s))(?:  +(.*))?$");

    /**
     * One step.
     *
     * @param at when it ended, on this host's clock
     * @param took how long, to three digits or so
     */
    record Entry(LocalTime at, String step, Duration took, String detail) {
        /** The end of a change of code: from here on the guest uses the new one. */
        boolean opens() {
            return step.equals("open");
        }

        /** An opening that tells the time since the gate closed. */
        boolean tellsPause() {
            return opens() && detail.contains("pause");
        }
    }

    static SlotHistory parsed(String listing) {
        return new SlotHistory(LINE.matcher(listing).results().map(SlotHistory::entry).toList());
    }

    private static Entry entry(MatchResult line) {
        return new Entry(
                LocalTime.parse(line.group(1)),
                line.group(2).strip(),
                duration(line.group(3)),
                line.group(4) == null ? "" : line.group(4).strip());
    }

    private static Duration duration(String text) {
        Matcher parts = Pattern.compile("([\\d.]+) (us|ms|s)").matcher(text);
        if (!parts.matches()) {
            return Duration.ZERO;
        }
        double unit =
                switch (parts.group(2)) {
                    case "us" -> 1e3;
                    case "ms" -> 1e6;
                    default -> 1e9;
                };
        return Duration.ofNanos(Math.round(Double.parseDouble(parts.group(1)) * unit));
    }

    /** Those that ended at a time or later, by the clock; a run does not last over midnight. */
    SlotHistory since(LocalTime time) {
        return new SlotHistory(entries.stream().filter(e -> !e.at().isBefore(time)).toList());
    }

    /** The last opening. */
    Optional<Entry> opening() {
        return entries.stream().filter(Entry::opens).reduce((earlier, later) -> later);
    }

    /**
     * How long the gate was closed at each change: as an opening tells it, or else from the
     * beginning of the step {@code vacant}, which drains and closes it, to the opening.
     */
    List<Duration> pauses() {
        List<Duration> pauses = new ArrayList<>();
        Optional<Entry> vacant = Optional.empty();
        for (Entry entry : entries) {
            if (entry.step().equals("vacant")) {
                vacant = Optional.of(entry);
            } else if (entry.tellsPause()) {
                pauses.add(entry.took());
            } else if (entry.opens() && vacant.isPresent()) {
                pauses.add(
                        Duration.between(vacant.get().at(), entry.at()).plus(vacant.get().took()));
                vacant = Optional.empty();
            }
        }
        return pauses;
    }
}
