package org.backplane.bus;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;

/** Whatever is claimed, moved and given back in whatever order. */
class ClaimsPropertyTest {
    private static final AddressRange LOW = new AddressRange(0x4000_0100, 0x1_0000);
    private static final AddressRange HIGH = new AddressRange(0x1_0000_0000L, 0x8000);

    /**
     * One step; what its numbers mean depends on the leases there are.
     *
     * @param pick which lease, which window
     * @param place exact base, or lowest if negative
     */
    private record Step(Kind kind, int pick, int sizeLog, int odd, long place) {
        enum Kind {
            CLAIM,
            MOVE,
            DECODE,
            CLOSE
        }

        long size() {
            return (1L << sizeLog) + odd;
        }
    }

    @Provide
    Arbitrary<List<Step>> steps() {
        Arbitrary<Long> place =
                Arbitraries.oneOf(
                        Arbitraries.just(-1L),
                        Arbitraries.longs().between(LOW.base() - 0x100, LOW.end() + 0x100),
                        Arbitraries.longs().between(HIGH.base() - 0x100, HIGH.end() + 0x100));
        return Combinators.combine(
                        Arbitraries.frequency(
                                Tuple.of(4, Step.Kind.CLAIM),
                                Tuple.of(4, Step.Kind.MOVE),
                                Tuple.of(1, Step.Kind.DECODE),
                                Tuple.of(2, Step.Kind.CLOSE)),
                        Arbitraries.integers().between(0, 1000),
                        Arbitraries.integers().between(0, 15),
                        Arbitraries.of(0, 0, 0, 1, 3),
                        place)
                .as(Step::new)
                .list()
                .ofMaxSize(60);
    }

    @Property(tries = 500)
    void claimsStayDisjointAlignedAndInsideTheirWindowAndComeBackWhole(
            @ForAll("steps") List<Step> steps) {
        Bus bus = new Bus();
        List<AddressAllocator> windows =
                List.of(
                        bus.addWindow("low", Space.MMIO, LOW),
                        bus.addWindow("high", Space.MMIO, HIGH));
        List<RegionLease> leases = new ArrayList<>();
        for (Step step : steps) {
            apply(bus, windows, leases, step);
            check(bus, windows, leases);
        }
        leases.forEach(RegionLease::close);
        assertEquals(List.of(LOW), windows.get(0).holes());
        assertEquals(List.of(HIGH), windows.get(1).holes());
        assertEquals(List.of(), bus.regions());
    }

    private static void apply(
            Bus bus, List<AddressAllocator> windows, List<RegionLease> leases, Step step) {
        AddressAllocator window = windows.get(step.pick() % 2);
        if (step.kind() == Step.Kind.CLAIM) {
            Placement placement = placement(step, step.size());
            boolean free = free(window, step.size(), placement);
            try {
                RegionLease lease =
                        bus.claim(window, "slot" + leases.size(), step.size(), placement, tag());
                assertTrue(free, "granted what was not free");
                assertPlaced(lease, window, placement);
                leases.add(lease);
            } catch (ClaimException refused) {
                assertFalse(free, refused::getMessage);
            }
        } else if (!leases.isEmpty()) {
            RegionLease lease = leases.get(step.pick() % leases.size());
            switch (step.kind()) {
                case MOVE -> move(lease, window, placement(step, lease.range().size()));
                case DECODE -> lease.decode(!lease.decoding());
                default -> {
                    lease.close();
                    leases.remove(lease);
                }
            }
        }
    }

    private static void move(RegionLease lease, AddressAllocator window, Placement placement) {
        AddressAllocator before = lease.window();
        AddressRange range = lease.range();
        List<AddressRange> holes = window.holes();
        try {
            lease.moveTo(window, placement);
            assertPlaced(lease, window, placement);
            assertEquals(range.size(), lease.range().size());
        } catch (ClaimException refused) {
            assertEquals(before, lease.window());
            assertEquals(range, lease.range());
            assertEquals(holes, window.holes());
        }
    }

    private static void assertPlaced(
            RegionLease lease, AddressAllocator window, Placement placement) {
        assertEquals(window, lease.window());
        if (placement instanceof Placement.Exact exact) {
            assertEquals(exact.base(), lease.range().base());
        } else {
            long alignment = ((Placement.Lowest) placement).alignment();
            assertEquals(0, lease.range().base() % alignment);
            assertTrue(alignment >= lease.range().size());
        }
    }

    private static Placement placement(Step step, long size) {
        return step.place() < 0 ? Placement.natural(size) : new Placement.Exact(step.place());
    }

    /** The same question answered by trying every address. */
    private static boolean free(AddressAllocator window, long size, Placement placement) {
        if (placement instanceof Placement.Exact exact) {
            return inHole(window, exact.base(), size);
        }
        long alignment = ((Placement.Lowest) placement).alignment();
        long first = (window.range().base() + alignment - 1) / alignment * alignment;
        for (long base = first; base < window.range().end(); base += alignment) {
            if (inHole(window, base, size)) {
                return true;
            }
        }
        return false;
    }

    private static boolean inHole(AddressAllocator window, long base, long size) {
        return window.holes().stream()
                .anyMatch(hole -> hole.contains(new AddressRange(base, size)));
    }

    private static void check(Bus bus, List<AddressAllocator> windows, List<RegionLease> leases) {
        assertEquals(leases.size(), bus.regions().size());
        for (AddressAllocator window : windows) {
            List<AddressRange> all = new ArrayList<>(window.holes());
            bus.regions().stream()
                    .filter(lease -> lease.window() == window)
                    .forEach(lease -> all.add(lease.range()));
            all.sort((a, b) -> Long.compare(a.base(), b.base()));
            // Claims and holes together tile the window: disjoint, inside, nothing lost.
            long at = window.range().base();
            for (AddressRange range : all) {
                assertEquals(at, range.base());
                at = range.end();
            }
            assertEquals(window.range().end(), at);
            for (int i = 1; i < window.holes().size(); i++) {
                assertTrue(window.holes().get(i - 1).end() < window.holes().get(i).base());
            }
        }
        for (RegionLease lease : leases) {
            long expected = lease.decoding() ? 0 : 0xff;
            assertEquals(expected, bus.read(Space.MMIO, lease.range().base(), 1));
        }
    }

    private static IoHandler tag() {
        return new IoHandler() {
            @Override
            public long read(long offset, int width) {
                return offset;
            }

            @Override
            public void write(long offset, int width, long value) {}
        };
    }
}
