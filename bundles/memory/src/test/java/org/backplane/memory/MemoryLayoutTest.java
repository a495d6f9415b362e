package org.backplane.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.backplane.linux.Mapping;
import org.backplane.linux.Memfd;
import org.backplane.memory.GuestMemory.RamBank;

class MemoryLayoutTest {
    private static final long PAGE = Mapping.pageSize();

    /** A gap before a range, and its length; in pages. */
    record Piece(int gap, int length, boolean writable) {}

    record Access3(long address, long length, Access access) {}

    @Provide
    Arbitrary<List<Piece>> pieces() {
        return Combinators.combine(
                        Arbitraries.integers().between(0, 3),
                        Arbitraries.integers().between(1, 4),
                        Arbitraries.of(true, false))
                .as(Piece::new)
                .list()
                .ofMaxSize(12);
    }

    @Provide
    Arbitrary<Access3> accesses() {
        Arbitrary<Long> nearby = Arbitraries.longs().between(-PAGE, 90 * PAGE);
        Arbitrary<Long> corners =
                Arbitraries.of(Long.MIN_VALUE, Long.MAX_VALUE, -1L, 0L, 1L, Long.MAX_VALUE - PAGE);
        Arbitrary<Long> pages = Arbitraries.longs().between(0, 90).map(page -> page * PAGE);
        Arbitrary<Long> any = Arbitraries.oneOf(nearby, pages, corners, Arbitraries.longs());
        return Combinators.combine(any, any, Arbitraries.of(Access.class)).as(Access3::new);
    }

    private static MemoryLayout layout(List<Piece> pieces) {
        List<MemoryRange> ranges = new ArrayList<>();
        long at = 0;
        for (Piece piece : pieces) {
            at += piece.gap * PAGE;
            // A host address that is never touched, and different for each range.
            long host = 0x7000_0000_0000L - at * 3;
            ranges.add(
                    0,
                    new MemoryRange(
                            at,
                            piece.length * PAGE,
                            host,
                            null,
                            0,
                            MemoryRange.Kind.RAM,
                            piece.writable));
            at += piece.length * PAGE;
        }
        return new MemoryLayout(1, ranges);
    }

    @Property(tries = 3000)
    void translatesExactlyTheRunsInsideOneRangeThatPermitsTheAccess(
            @ForAll("pieces") List<Piece> pieces, @ForAll("accesses") Access3 run) {
        MemoryLayout layout = layout(pieces);
        long expected = 0;
        long contiguous = 0;
        for (MemoryRange range : layout.ranges()) {
            boolean permitted = run.access == Access.READ || range.writable();
            long inside = run.address - range.guestAddress();
            if (permitted && inside >= 0 && inside < range.length()) {
                contiguous = range.length() - inside;
                if (run.length > 0 && run.length <= contiguous) {
                    expected = range.hostAddress() + inside;
                }
            }
        }
        assertEquals(expected, layout.translate(run.address, run.length, run.access));
        assertEquals(contiguous, layout.contiguous(run.address, run.access));
    }

    @Property(tries = 300)
    void mappingAndUnmappingInAnyOrderLeavesExactlyWhatIsMapped(
            @ForAll("slots") List<Integer> toggles) throws IOException {
        try (GuestMemory memory =
                        new GuestMemory("property", List.of(new RamBank(64 * PAGE, PAGE)));
                Memfd device = Memfd.create("device", 8 * PAGE)) {
            MemoryView view = memory.view("test");
            MemoryLease[] leases = new MemoryLease[8];
            long epoch = memory.layout().epoch();
            for (int slot : toggles) {
                if (leases[slot] == null) {
                    leases[slot] = memory.map(slot * PAGE, device, slot * PAGE, PAGE, true);
                } else {
                    leases[slot].close();
                    leases[slot] = null;
                }
                assertEquals(++epoch, memory.layout().epoch());
                for (int i = 0; i < leases.length; i++) {
                    long host = view.translate(i * PAGE, PAGE, Access.WRITE);
                    assertEquals(leases[i] == null ? 0 : leases[i].range().hostAddress(), host);
                    if (host != 0) {
                        OffHeap.putLong(host, i);
                    }
                }
            }
            for (MemoryLease lease : leases) {
                if (lease != null) {
                    lease.close();
                }
            }
            assertEquals(1, memory.layout().ranges().size());
        }
    }

    @Provide
    Arbitrary<List<Integer>> slots() {
        return Arbitraries.integers().between(0, 7).list().ofMaxSize(40);
    }
}
