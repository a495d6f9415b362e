package org.backplane.bench;

import java.io.IOException;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.backplane.launcher.tour.ConsoleDialog;
import org.backplane.launcher.tour.TourException;

/** The program that writes in the guest, {@code src/main/c/load.c}, at its console. */
final class Load {
    /** Where the program is in the guest. */
    static final String PROGRAM = "bin/backplane-load";

    static final int BLOCK = 4096;
    private static final Duration BOUND = Duration.ofMinutes(3);
    private static final Pattern TOLD =
            Pattern.compile(
                    "<load> (?:((?:failed|done)[^\\r\\n]*)|window (\\d+) gap (\\d+) writes (\\d+))\\r?\\n");
    private static final Pattern DONE =
            Pattern.compile(
                    "<load> done writes (\\d+) errors (\\d+) duplicates (\\d+) lost (\\d+)"
                            + " blocks (\\d+) wrong (\\d+)\\r?\\n");
    private static final Pattern ENDED = Pattern.compile("<backplane> status (\\d+)\\r?\\n");

    private final ConsoleDialog console;

    /**
     * A piece of time.
     *
     * @param gap the longest time without a completion that began in it, in nanoseconds of the
     *     guest's clock
     * @param writes completed in it
     */
    record Window(long number, long gap, long writes) {}

    /** What came of all writes; the names as in the program. */
    record Outcome(long writes, long errors, long duplicates, long lost, long blocks, long wrong) {
        boolean isGood() {
            return writes > 0 && errors == 0 && duplicates == 0 && lost == 0 && wrong == 0;
        }
    }

    private Load(ConsoleDialog console) {
        this.console = console;
    }

    /**
     * Starts it.
     *
     * @param blocks of 4 KiB, from the start of the disk
     */
    static Load start(ConsoleDialog console, String device, long blocks, Duration window, int depth)
            throws IOException {
        console.send(
                "/%s %s %d %d %d".formatted(PROGRAM, device, blocks, window.toMillis(), depth));
        return new Load(console);
    }

    /** Waits for the end of the window that is now; the next one has begun when this returns. */
    Window next() throws BenchException, InterruptedException {
        try {
            Matcher told = console.await(TOLD, BOUND, "the load did not end a window").match();
            if (told.group(1) != null) {
                // It gives up when no write completes for long.
                throw new BenchException("the load ended by itself: " + told.group(1));
            }
            return new Window(number(told, 2), number(told, 3), number(told, 4));
        } catch (TourException e) {
            throw new BenchException(e.getMessage());
        }
    }

    /** Ends the load, which then reads everything back. */
    Outcome stop() throws BenchException, IOException, InterruptedException {
        console.send("stop");
        try {
            Matcher done = console.await(DONE, BOUND, "the load did not read back").match();
            Outcome outcome =
                    new Outcome(
                            number(done, 1),
                            number(done, 2),
                            number(done, 3),
                            number(done, 4),
                            number(done, 5),
                            number(done, 6));
            if (outcome.lost() == 0) {
                // Linux waits for writes in flight before a process may end.
                console.await(ENDED, BOUND, "the load did not end");
            }
            return outcome;
        } catch (TourException e) {
            throw new BenchException(e.getMessage());
        }
    }

    private static long number(Matcher matcher, int group) {
        return Long.parseLong(matcher.group(group));
    }
}
