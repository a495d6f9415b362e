package org.backplane.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.backplane.linux.Mapping;
import org.backplane.linux.Memfd;

/** Whatever changes while a listener registers, it ends with the picture that there is. */
class JoiningListenerTest {
    private static final long PAGE = Mapping.pageSize();
    private static final int PLACES = 6;

    /** Takes out what is at a place, or maps there if nothing is. */
    record Change(int place, boolean ram) {}

    @Provide
    Arbitrary<List<Change>> changes() {
        return Combinators.combine(
                        Arbitraries.integers().between(0, PLACES - 1), Arbitraries.of(true, false))
                .as(Change::new)
                .list()
                .ofMaxSize(12);
    }

    @Provide
    Arbitrary<List<List<Change>>> changesAtEachRange() {
        return changes().list().ofMaxSize(3);
    }

    /** Memory that the test changes, on a thread other than the listener's. */
    private static final class Board implements AutoCloseable {
        private final GuestMemory memory = GuestMemory.ofElsewhere();
        private final Memfd pages;
        private final Map<Integer, MemoryLease> leases = new TreeMap<>();

        Board() throws IOException {
            pages = Memfd.create("pages", PLACES * PAGE);
        }

        void make(List<Change> changes) {
            changes.forEach(this::make);
        }

        private void make(Change change) {
            MemoryLease there = leases.remove(change.place);
            if (there != null) {
                there.close();
                return;
            }
            long at = change.place * PAGE;
            try {
                leases.put(
                        change.place,
                        change.ram
                                ? memory.mapRam(at, pages, at, PAGE, true)
                                : memory.map(at, pages, at, PAGE, true));
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public void close() {
            memory.close();
            leases.values().forEach(MemoryLease::close);
            pages.close();
        }
    }

    /** Refuses what no kernel would do. */
    private static final class Mapped implements MemoryListener {
        private final Map<Long, MemoryRange> ranges = new TreeMap<>();
        private final Board board;
        private final Iterator<List<Change>> meanwhile;
        private boolean changed;

        Mapped(Board board, List<List<Change>> meanwhile) {
            this.board = board;
            this.meanwhile = meanwhile.iterator();
        }

        @Override
        public void added(MemoryRange range) {
            OffHeap.getByte(range.hostAddress());
            assertNull(ranges.put(range.guestAddress(), range), "there is something already");
            // What is told with the lock held is what has changed; nothing changes meanwhile.
            if (meanwhile.hasNext() && !Thread.holdsLock(board.memory)) {
                List<Change> next = meanwhile.next();
                CompletableFuture.runAsync(() -> board.make(next)).join();
                changed = true;
            }
        }

        @Override
        public void removed(MemoryRange range) {
            OffHeap.getByte(range.hostAddress());
            assertTrue(ranges.remove(range.guestAddress(), range), "that was not there");
        }
    }

    @Property(tries = 300)
    void knowsWhatThereIsWhateverChangedMeanwhile(
            @ForAll("changes") List<Change> before,
            @ForAll("changesAtEachRange") List<List<Change>> meanwhile,
            @ForAll("changes") List<Change> after)
            throws IOException {
        try (Board board = new Board()) {
            board.make(before);
            Mapped listener = new Mapped(board, meanwhile);
            boolean changes =
                    !meanwhile.isEmpty()
                            && board.memory.layout().ranges().stream()
                                    .anyMatch(range -> range.kind() == MemoryRange.Kind.RAM);
            board.memory.addListener(listener);
            assertEquals(changes, listener.changed, "changes had their turn");
            assertEquals(board.memory.layout().ranges(), new ArrayList<>(listener.ranges.values()));
            board.make(after);
            assertEquals(board.memory.layout().ranges(), new ArrayList<>(listener.ranges.values()));
            assertEquals(List.of(), board.memory.pinned());
        }
    }
}
