package org.backplane.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.backplane.bus.IoHandler;
import org.backplane.bus.Placement;
import org.backplane.bus.RegionLease;
import org.backplane.bus.Space;
import org.backplane.device.DeviceException;
import org.backplane.device.context.Lease;
import org.backplane.linux.EventFd;
import org.backplane.memory.Access;
import org.backplane.memory.MemoryView;
import org.junit.jupiter.api.Test;

class FakeDeviceContextTest {
    private static IoHandler constant(long value) {
        return new IoHandler() {
            @Override
            public long read(long offset, int width) {
                return value;
            }

            @Override
            public void write(long offset, int width, long written) {}
        };
    }

    private static FakeDeviceContext context() {
        return new FakeDeviceContext("test0", "test", Map.of());
    }

    @Test
    void regionsKeepTheirPlaceForTheNextVersion() throws Exception {
        try (FakeDeviceContext slot = context()) {
            RegionLease first =
                    slot.region(Space.MMIO, 0x100, new Placement.Lowest(0x100), constant(1));
            long base = first.range().base();
            assertEquals(1, slot.bus().read(Space.MMIO, base, 4));
            slot.unplugDevice();
            assertEquals(0xffff_ffffL, slot.bus().read(Space.MMIO, base, 4) & 0xffff_ffffL);
            RegionLease second =
                    slot.region(Space.MMIO, 0x100, new Placement.Lowest(0x100), constant(2));
            assertEquals(base, second.range().base());
            assertEquals(2, slot.bus().read(Space.MMIO, base, 4));
        }
    }

    @Test
    void unpluggingClosesLeasesBackwardsAndRevokesMemory() throws Exception {
        try (TestMemory memory = new TestMemory();
                FakeDeviceContext slot =
                        new FakeDeviceContext("test0", "test", Map.of(), memory.guestMemory())) {
            slot.line().set(true);
            slot.timer(() -> {});
            MemoryView view = slot.memory();
            assertTrue(view.translate(TestMemory.BASE, 1, Access.READ) != 0);
            assertEquals(2, slot.openLeases());
            RecordedLine line = slot.lines().get(0);
            assertTrue(line.high());
            slot.unplugDevice();
            assertEquals(0, slot.openLeases());
            assertFalse(line.high());
            assertEquals(0, view.translate(TestMemory.BASE, 1, Access.READ));
            assertNotSame(view, slot.memory());
        }
    }

    @Test
    void keptResourcesOutliveTheDeviceButNotTheSlot() throws Exception {
        List<String> closed = new ArrayList<>();
        FakeDeviceContext slot = context();
        EventFd event = slot.kept("event", EventFd.class, FakeDeviceContextTest::event);
        slot.unplugDevice();
        assertSame(event, slot.kept("event", EventFd.class, FakeDeviceContextTest::event));
        assertThrows(
                DeviceException.class,
                () -> slot.kept("event", AutoCloseable.class, () -> () -> closed.add("other")));
        slot.kept("other", AutoCloseable.class, () -> () -> closed.add("other"));
        assertEquals(List.of("event", "other"), slot.keptNames());
        slot.close();
        assertEquals(List.of("other"), closed);
    }

    private static EventFd event() throws DeviceException {
        try {
            return EventFd.open();
        } catch (java.io.IOException e) {
            throw new DeviceException("no event", e);
        }
    }

    @Test
    void timersFireInOrderEachAtItsOwnTime() throws Exception {
        try (FakeDeviceContext slot = context()) {
            List<Long> times = new ArrayList<>();
            var later = slot.timer(() -> times.add(slot.guestTime()));
            var sooner = slot.timer(() -> times.add(slot.guestTime()));
            later.arm(300);
            sooner.arm(100);
            slot.advanceTo(200);
            assertEquals(List.of(100L), times);
            slot.advanceTo(1000);
            assertEquals(List.of(100L, 300L), times);
            assertEquals(1000, slot.guestTime());
        }
    }

    @Test
    void workRunsForTheDescriptorThatIsReadableUntilTheLeaseIsClosed() throws Exception {
        try (FakeDeviceContext slot = context();
                EventFd one = EventFd.open();
                EventFd two = EventFd.open()) {
            List<String> ran = new ArrayList<>();
            Lease lease = slot.onReadable(one, () -> ran.add("one"));
            slot.onReadable(two, () -> ran.add("two"));
            assertEquals(1, slot.readable(one));
            assertEquals(List.of("one"), ran);
            lease.close();
            assertEquals(0, slot.readable(one));
            assertEquals(List.of(two), slot.watched());
        }
    }

    @Test
    void consoleCarriesBothWays() throws Exception {
        try (FakeDeviceContext slot = context()) {
            List<Integer> read = new ArrayList<>();
            slot.console().onInput(() -> read.add(slot.console().read()));
            slot.manualConsole().type("ab");
            assertEquals(List.of((int) 'a'), read);
            assertEquals(1, slot.manualConsole().unread());
            slot.console().write('x');
            assertEquals("x", slot.manualConsole().output());
        }
    }

    @Test
    void linesKnowTheNumberThatWasAskedFor() {
        try (FakeDeviceContext slot = context()) {
            slot.line();
            slot.line(4).set(true);
            assertEquals(RecordedLine.ANY, slot.lines().get(0).source());
            assertEquals(4, slot.lines().get(1).source());
            assertTrue(slot.lines().get(1).high());
        }
    }

    @Test
    void exitStatusesAreRemembered() {
        try (FakeDeviceContext slot = context()) {
            slot.exit(1);
            slot.exit(35);
            assertEquals(List.of(1, 35), slot.exitStatuses());
        }
    }
}
