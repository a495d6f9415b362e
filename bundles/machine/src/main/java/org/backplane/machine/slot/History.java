package org.backplane.machine.slot;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.backplane.machine.HistoryEntry;

/** The latest steps in the life of a slot. Thread-safe. */
final class History {
    private static final int LENGTH = 500;

    private static final Logger LOG = System.getLogger(History.class.getName());

    private final String slot;
    private final Deque<HistoryEntry> entries = new ArrayDeque<>();

    /** The latest that came from the device. */
    private HistoryEntry told;

    History(String slot) {
        this.slot = slot;
    }

    void add(String step, Duration took, String detail) {
        add(new HistoryEntry(Instant.now(), step, took, detail));
    }

    private synchronized void add(HistoryEntry entry) {
        LOG.log(
                Level.INFO,
                () ->
                        "%s: %s (%d us) %s"
                                .formatted(
                                        slot,
                                        entry.step(),
                                        entry.took().toNanos() / 1_000,
                                        entry.detail()));
        if (entries.size() == LENGTH) {
            entries.removeFirst();
        }
        entries.addLast(entry);
    }

    void add(String step, String detail) {
        add(step, Duration.ZERO, detail);
    }

    /** What the device itself tells. */
    synchronized void told(String step, String detail) {
        told = new HistoryEntry(Instant.now(), step, Duration.ZERO, detail);
        add(told);
    }

    /** What the device told last, if nothing has happened to the slot since; else empty. */
    synchronized Optional<HistoryEntry> standing() {
        return told == null || told != entries.peekLast() ? Optional.empty() : Optional.of(told);
    }

    synchronized List<HistoryEntry> entries() {
        return List.copyOf(entries);
    }

    /** Times the steps of one procedure, each from the end of the one before. */
    Steps steps() {
        return new Steps();
    }

    /** Used by one thread. */
    final class Steps {
        private final long began = System.nanoTime();
        private final List<HistoryEntry> noted = new ArrayList<>();
        private long last = began;

        /** Tells the step, and what was noted before it. */
        void done(String step, String detail) {
            HistoryEntry entry = entry(step, detail);
            tell();
            add(entry);
        }

        /**
         * Times the step, and leaves it to be told: to write the log takes longer than the steps
         * that the guest waits for.
         */
        void note(String step, String detail) {
            noted.add(entry(step, detail));
        }

        private HistoryEntry entry(String step, String detail) {
            long now = System.nanoTime();
            Duration took = Duration.ofNanos(now - last);
            last = now;
            return new HistoryEntry(Instant.now(), step, took, detail);
        }

        /** What was noted. */
        void tell() {
            noted.forEach(History.this::add);
            noted.clear();
        }

        /** Since the procedure began. */
        Duration elapsed() {
            return Duration.ofNanos(System.nanoTime() - began);
        }

        /** The whole procedure. */
        void ended(String step, String detail) {
            tell();
            add(step, elapsed(), detail);
        }
    }
}
