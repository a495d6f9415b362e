package org.backplane.bus;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class BusTest {
    private final Bus bus = new Bus();
    private final AddressAllocator mmio =
            bus.addWindow("mmio32", Space.MMIO, new AddressRange(0x4000_0000L, 0x1_0000));
    private final AddressAllocator high =
            bus.addWindow("mmio64", Space.MMIO, new AddressRange(1L << 40, 1L << 39));
    private final AddressAllocator ports =
            bus.addWindow("ports", Space.IO, new AddressRange(0x1000, 0xf000));

    /** Remembers what it was asked. */
    private static final class Recorder implements IoHandler {
        final List<String> seen = new ArrayList<>();
        long answer = -1;

        @Override
        public long read(long offset, int width) {
            seen.add("r%d@%x".formatted(width, offset));
            return answer;
        }

        @Override
        public void write(long offset, int width, long value) {
            seen.add("w%d@%x=%x".formatted(width, offset, value));
        }
    }

    private RegionLease claim(AddressAllocator window, long size, Placement placement)
            throws ClaimException {
        return bus.claim(window, "disk0", size, placement, new Recorder());
    }

    @Test
    void placesAtTheLowestAlignedHole() throws ClaimException {
        claim(mmio, 0x100, Placement.natural(0x100));
        assertEquals(
                new AddressRange(0x4000_1000, 0x1000),
                claim(mmio, 0x1000, Placement.natural(0x1000)).range());
        assertEquals(
                new AddressRange(0x4000_0100, 0x80),
                claim(mmio, 0x80, Placement.natural(0x80)).range());
        assertEquals(
                new AddressRange(0x4000_2000, 0x1800),
                claim(mmio, 0x1800, Placement.natural(0x1800)).range());
    }

    @Test
    void dispatchesWithTheOffsetAndTheValueOfTheWidth() throws ClaimException {
        Recorder recorder = new Recorder();
        recorder.answer = 0x1122_3344_5566_7788L;
        bus.claim(mmio, "a", 0x100, new Placement.Exact(0x4000_0200), recorder);
        assertEquals(0x7788, bus.read(Space.MMIO, 0x4000_0210, 2));
        assertEquals(0x1122_3344_5566_7788L, bus.read(Space.MMIO, 0x4000_02f8, 8));
        bus.write(Space.MMIO, 0x4000_02ff, 1, 0xabcd);
        assertEquals(List.of("r2@10", "r8@f8", "w1@ff=cd"), recorder.seen);
    }

    @Test
    void readsAllOnesWhereNothingAnswers() {
        assertEquals(0xff, bus.read(Space.MMIO, 0x4000_0000, 1));
        assertEquals(0xffff, bus.read(Space.IO, 0x1000, 2));
        assertEquals(0xffff_ffffL, bus.read(Space.MMIO, 0, 4));
        assertEquals(-1L, bus.read(Space.MMIO, Long.MAX_VALUE, 8));
        assertEquals(-1L, bus.read(Space.MMIO, -8, 8));
        bus.write(Space.MMIO, 0x4000_0000, 4, 1);
        assertEquals(5, bus.strays(Space.MMIO));
        assertEquals(1, bus.strays(Space.IO));
    }

    @Test
    void refusesAccessesThatAreNotWhollyInsideOneRegion() throws ClaimException {
        Recorder first = new Recorder();
        Recorder second = new Recorder();
        bus.claim(mmio, "a", 0x100, new Placement.Exact(0x4000_0000), first);
        bus.claim(mmio, "b", 2, new Placement.Exact(0x4000_0100), second);
        assertEquals(0xffff_ffffL, bus.read(Space.MMIO, 0x4000_00fe, 4));
        bus.write(Space.MMIO, 0x4000_00ff, 2, 0);
        bus.write(Space.MMIO, 0x4000_0100, 4, 0);
        bus.write(Space.MMIO, 0x3fff_ffff, 2, 0);
        assertEquals(List.of(), first.seen);
        assertEquals(List.of(), second.seen);
        bus.write(Space.MMIO, 0x4000_0100, 2, 0x1234);
        assertEquals(List.of("w2@0=1234"), second.seen);
    }

    @Test
    void reachesTheLastBytesOfTheAddressSpace() throws ClaimException {
        AddressRange top = new AddressRange(Long.MAX_VALUE - 0x1000, 0x1000);
        AddressAllocator window = bus.addWindow("top", Space.MMIO, top);
        Recorder recorder = new Recorder();
        bus.claim(window, "a", 0x1000, new Placement.Exact(top.base()), recorder);
        assertEquals(0xff, bus.read(Space.MMIO, top.last(), 1));
        assertEquals(-1L, bus.read(Space.MMIO, top.last(), 8));
        assertEquals(List.of("r1@fff"), recorder.seen);
    }

    @Test
    void keepsTheSpacesApart() throws ClaimException {
        Recorder recorder = new Recorder();
        bus.addWindow("low", Space.MMIO, new AddressRange(0x1000, 0x1000));
        bus.claim(ports, "a", 8, new Placement.Exact(0x1000), recorder);
        bus.write(Space.MMIO, 0x1000, 4, 1);
        assertEquals(List.of(), recorder.seen);
        bus.write(Space.IO, 0x1000, 4, 1);
        assertEquals(List.of("w4@0=1"), recorder.seen);
    }

    @Test
    void rejectsOverlappingClaimAndSaysWhoIsThere() throws ClaimException {
        bus.claim(mmio, "net0", 0x8000, new Placement.Exact(0x4000_4000), new Recorder());
        ClaimException refusal =
                assertThrows(
                        ClaimException.class,
                        () -> claim(mmio, 0x1000, new Placement.Exact(0x4000_b800)));
        assertEquals(
                "disk0 cannot have 0x1000 bytes at 0x4000b800 in window 'mmio32'"
                        + " (0x40000000-0x4000ffff): net0 has 0x40004000-0x4000bfff,"
                        + " largest hole 0x4000 bytes, 0x8000 free in all.",
                refusal.getMessage());
        assertEquals(1, bus.regions().size());
    }

    @Test
    void refusesWithWhatIsLeftWhenTheWindowIsFragmented() throws ClaimException {
        bus.claim(mmio, "net0", 0x100, new Placement.Exact(0x4000_8000), new Recorder());
        ClaimException refusal =
                assertThrows(
                        ClaimException.class,
                        () -> claim(mmio, 0x1_0000, Placement.natural(0x1_0000)));
        assertEquals(
                "disk0 cannot have 0x10000 bytes aligned to 0x10000 in window 'mmio32'"
                        + " (0x40000000-0x4000ffff): largest hole 0x8000 bytes,"
                        + " 0xff00 free in all.",
                refusal.getMessage());
    }

    @Test
    void refusesToLeaveTheWindow() {
        for (long base : new long[] {0x3fff_f000L, 0x4000_f800L, -0x1000L, Long.MAX_VALUE}) {
            ClaimException refusal =
                    assertThrows(
                            ClaimException.class,
                            () -> claim(mmio, 0x1000, new Placement.Exact(base)));
            assertTrue(refusal.getMessage().contains("that is not inside it"), refusal::getMessage);
        }
    }

    @Test
    void takesSizesBeyond32Bits() throws ClaimException {
        assertEquals(
                new AddressRange(1L << 40, 1L << 33),
                claim(high, 1L << 33, Placement.natural(1L << 33)).range());
        assertThrows(
                ClaimException.class, () -> claim(high, 1L << 62, Placement.natural(1L << 62)));
    }

    @Test
    void joinsWhatIsGivenBack() throws ClaimException {
        List<RegionLease> leases = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            leases.add(claim(mmio, 0x4000, Placement.natural(0x4000)));
        }
        assertEquals(List.of(), mmio.holes());
        leases.get(0).close();
        leases.get(2).close();
        assertEquals(
                List.of(
                        new AddressRange(0x4000_0000, 0x4000),
                        new AddressRange(0x4000_8000, 0x4000)),
                mmio.holes());
        leases.get(1).close();
        leases.get(1).close();
        assertEquals(List.of(new AddressRange(0x4000_0000, 0xc000)), mmio.holes());
        leases.get(3).close();
        assertEquals(List.of(mmio.range()), mmio.holes());
    }

    @Test
    void stopsDispatchButKeepsTheClaimWhileNotDecoding() throws ClaimException {
        Recorder recorder = new Recorder();
        RegionLease lease = bus.claim(mmio, "a", 16, new Placement.Exact(0x4000_0000), recorder);
        lease.decode(false);
        assertEquals(0xff, bus.read(Space.MMIO, 0x4000_0000, 1));
        assertThrows(ClaimException.class, () -> claim(mmio, 16, new Placement.Exact(0x4000_0000)));
        lease.decode(true);
        bus.write(Space.MMIO, 0x4000_0000, 1, 0);
        assertEquals(List.of("w1@0=0"), recorder.seen);
        lease.close();
        lease.decode(true);
        assertFalse(lease.decoding());
        assertEquals(0xff, bus.read(Space.MMIO, 0x4000_0000, 1));
    }

    @Test
    void movesOverItsOwnOldRange() throws ClaimException {
        Recorder recorder = new Recorder();
        RegionLease lease =
                bus.claim(mmio, "a", 0x8000, new Placement.Exact(0x4000_0000), recorder);
        lease.moveTo(mmio, new Placement.Exact(0x4000_4000));
        bus.write(Space.MMIO, 0x4000_0000, 4, 1);
        bus.write(Space.MMIO, 0x4000_8000, 4, 1);
        assertEquals(List.of("w4@4000=1"), recorder.seen);
        lease.moveTo(high, Placement.natural(0x8000));
        assertEquals(high, lease.window());
        assertEquals(List.of(mmio.range()), mmio.holes());
    }

    @Test
    void changesNothingWhenAMoveIsRefused() throws ClaimException {
        RegionLease lease = claim(mmio, 0x8000, new Placement.Exact(0x4000_0000));
        claim(mmio, 0x1000, new Placement.Exact(0x4000_8000));
        List<AddressRange> before = mmio.holes();
        List<String> told = new ArrayList<>();
        bus.onChange(mmio, () -> told.add("changed"));
        assertThrows(
                ClaimException.class, () -> lease.moveTo(mmio, new Placement.Exact(0x4000_4000)));
        assertThrows(
                ClaimException.class, () -> lease.moveTo(high, new Placement.Exact(0x4000_0000)));
        assertEquals(before, mmio.holes());
        assertEquals(new AddressRange(0x4000_0000, 0x8000), lease.range());
        assertEquals(mmio, lease.window());
        assertEquals(List.of(), told);
    }

    @Test
    void refusesToMoveAcrossSpacesBusesAndAfterClose() throws ClaimException {
        RegionLease lease = claim(mmio, 16, Placement.natural(16));
        assertThrows(
                IllegalArgumentException.class, () -> lease.moveTo(ports, Placement.natural(16)));
        AddressAllocator foreign =
                new Bus().addWindow("foreign", Space.MMIO, new AddressRange(0, 0x1000));
        assertThrows(
                IllegalArgumentException.class, () -> lease.moveTo(foreign, Placement.natural(16)));
        lease.close();
        assertThrows(IllegalStateException.class, () -> lease.moveTo(mmio, Placement.natural(16)));
    }

    @Test
    void countsWhatEachRegionAnswered() throws ClaimException {
        RegionLease lease = claim(mmio, 16, new Placement.Exact(0x4000_0000));
        bus.read(Space.MMIO, 0x4000_0000, 4);
        bus.read(Space.MMIO, 0x4000_000e, 4);
        bus.write(Space.MMIO, 0x4000_0004, 4, 0);
        bus.write(Space.MMIO, 0x4000_0008, 4, 0);
        assertEquals(1, lease.reads());
        assertEquals(2, lease.writes());
    }

    @Test
    void tellsListenersOfTheirWindowAfterTheChange() throws ClaimException {
        List<List<AddressRange>> seen = new ArrayList<>();
        Bus.Subscription subscription = bus.onChange(mmio, () -> seen.add(mmio.holes()));
        RegionLease lease = claim(mmio, 0x8000, Placement.natural(0x8000));
        claim(ports, 16, Placement.natural(16));
        lease.close();
        assertEquals(
                List.of(List.of(new AddressRange(0x4000_8000, 0x8000)), List.of(mmio.range())),
                seen);
        subscription.close();
        claim(mmio, 16, Placement.natural(16));
        assertEquals(2, seen.size());
    }

    @Test
    void tellsListenersWithoutTheLock() throws Exception {
        List<Integer> seen = new ArrayList<>();
        bus.onChange(
                mmio,
                () -> {
                    Thread other = new Thread(() -> seen.add(bus.regions().size()));
                    other.start();
                    try {
                        other.join();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                });
        claim(mmio, 16, Placement.natural(16));
        assertEquals(List.of(1), seen);
    }

    @Test
    void aListenerThatThrowsIsNoBusinessOfTheClaimant() throws ClaimException {
        List<String> told = new ArrayList<>();
        bus.onChange(
                mmio,
                () -> {
                    throw new IllegalStateException("expected in this test");
                });
        bus.onChange(mmio, () -> told.add("second"));
        claim(mmio, 16, Placement.natural(16)).close();
        assertEquals(List.of("second", "second"), told);
        assertEquals(List.of(mmio.range()), mmio.holes());
    }

    @Test
    void makesSeveralChangesAsOne() throws ClaimException {
        Recorder low = new Recorder();
        Recorder up = new Recorder();
        RegionLease a = bus.claim(mmio, "a", 16, new Placement.Exact(0x4000_0000), low);
        RegionLease b = bus.claim(mmio, "b", 16, new Placement.Exact(0x4000_0010), up);
        List<String> told = new ArrayList<>();
        bus.onChange(mmio, () -> told.add("changed"));
        bus.change(
                () -> {
                    a.moveTo(mmio, new Placement.Exact(0x4000_0100));
                    b.moveTo(mmio, new Placement.Exact(0x4000_0000));
                    a.moveTo(mmio, new Placement.Exact(0x4000_0010));
                    bus.write(Space.MMIO, 0x4000_0000, 1, 1);
                });
        bus.write(Space.MMIO, 0x4000_0000, 1, 2);
        assertEquals(List.of("w1@0=1"), low.seen);
        assertEquals(List.of("w1@0=2"), up.seen);
        assertEquals(List.of("changed"), told);
    }

    @Test
    void publishesWhatWasChangedBeforeAnActionFailed() {
        List<String> told = new ArrayList<>();
        bus.onChange(mmio, () -> told.add("changed"));
        assertThrows(
                ClaimException.class,
                () ->
                        bus.change(
                                () -> {
                                    claim(mmio, 16, new Placement.Exact(0x4000_0000));
                                    claim(mmio, 16, new Placement.Exact(0x4000_0000));
                                }));
        bus.read(Space.MMIO, 0x4000_0000, 1);
        assertEquals(0, bus.strays(Space.MMIO));
        assertEquals(List.of("changed"), told);
    }

    @Test
    void listsRegionsByWindowAndAddress() throws ClaimException {
        RegionLease port = claim(ports, 16, Placement.natural(16));
        RegionLease second = claim(mmio, 16, new Placement.Exact(0x4000_8000));
        RegionLease third = claim(high, 16, Placement.natural(16));
        RegionLease first = claim(mmio, 16, new Placement.Exact(0x4000_0000));
        assertEquals(List.of(first, second, third, port), bus.regions());
    }

    @Test
    void rejectsWindowsThatOverlapOrLeaveIoSpace() {
        assertThrows(
                IllegalArgumentException.class,
                () -> bus.addWindow("x", Space.MMIO, new AddressRange(0x4000_f000, 0x1_0000)));
        assertThrows(
                IllegalArgumentException.class,
                () -> bus.addWindow("x", Space.IO, new AddressRange(0xff00, 0x101)));
        bus.addWindow("x", Space.IO, new AddressRange(0, 0x1000));
        assertEquals(4, bus.windows().size());
    }
}
