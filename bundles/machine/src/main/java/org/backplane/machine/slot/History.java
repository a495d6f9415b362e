package org.backplane.machine.slot;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.backplane.machine.HistoryEntry;

/** The latest steps in the life of a slot. Thread-safe. */
final class History {
    private static final int LENGTH = 500;

    private static final Logger LOG = System.getLogger(History.class.getName());

    private final String slot;
    private final Deque<HistoryEntry> entries = new ArrayDeque<>();

    History(String slot) {
        this.slot = slot;
    }

    synchronized void add(String step, Duration took, String detail) {
        LOG.log(
                Level.INFO,
                () -> "%s: %s (%d us) %s".formatted(slot, step, took.toNanos() / 1_000, detail));
        if (entries.size() == LENGTH) {
            entries.removeFirst();
        }
        entries.addLast(new HistoryEntry(Instant.now(), step, took, detail));
    }

    void add(String step, String detail) {
        add(step, Duration.ZERO, detail);
    }

    synchronized List<HistoryEntry> entries() {
        return List.copyOf(entries);
    }

    /** Times the steps of one procedure, each from the end of the one before. */
    Steps steps() {
        return new Steps();
    }

    final class Steps {
        private final long began = System.nanoTime();
        private long last = began;

        /**
         * @return how long the step took
         */
        Duration done(String step, String detail) {
            long now = System.nanoTime();
            Duration took = Duration.ofNanos(now - last);
            add(step, took, detail);
            last = now;
            return took;
        }

        /** The whole procedure. */
        void ended(String step, String detail) {
            add(step, Duration.ofNanos(System.nanoTime() - began), detail);
        }
    }
}
