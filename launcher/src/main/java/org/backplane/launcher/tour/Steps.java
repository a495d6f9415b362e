package org.backplane.launcher.tour;

import java.io.IOException;
import java.io.PrintStream;
import java.util.Locale;

/** Runs steps in turn, one line each with its time, until one does not hold. */
final class Steps {
    private final PrintStream out;
    private final long began = System.nanoTime();
    private int held;
    private int skipped;
    private String failure = "";

    Steps(PrintStream out) {
        this.out = out;
    }

    /** What a step does. */
    interface Body {
        /**
         * Does it and returns what is worth telling, or nothing.
         *
         * @throws TourException if it does not hold
         */
        String run() throws TourException, IOException, InterruptedException;
    }

    /** Runs a step, unless one before it did not hold. */
    void step(String name, Body body) throws InterruptedException {
        if (!failure.isEmpty()) {
            return;
        }
        long start = System.nanoTime();
        try {
            String told = body.run();
            held++;
            line("ok", name, start, told);
        } catch (TourException | IOException e) {
            failure = e.getMessage();
            line("FAILED", name, start, failure);
        }
    }

    /** Tells that a step cannot be shown here, unless one before it did not hold. */
    void skip(String name, String reason) {
        if (failure.isEmpty()) {
            skipped++;
            line("skipped", name, System.nanoTime(), reason);
        }
    }

    private void line(String result, String name, long start, String told) {
        out.printf(
                Locale.ROOT,
                "%-7s %-52s %6.1f s%s%n",
                result,
                name,
                seconds(start),
                told.isEmpty() ? "" : "  " + told);
        out.flush();
    }

    private static double seconds(long start) {
        return (System.nanoTime() - start) / 1e9;
    }

    /**
     * Prints the result.
     *
     * @return whether every step held
     */
    boolean summary() {
        boolean good = failure.isEmpty();
        out.printf(
                Locale.ROOT,
                "%s%s in %.1f s%n",
                good ? "all " + held + " steps held" : held + " steps held, one did not",
                skipped == 0 ? "" : ", " + skipped + " skipped",
                seconds(began));
        return good;
    }
}
