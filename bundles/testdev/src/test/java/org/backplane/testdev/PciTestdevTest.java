package org.backplane.testdev;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.backplane.bus.AddressAllocator;
import org.backplane.bus.AddressRange;
import org.backplane.bus.Bus;
import org.backplane.bus.Space;
import org.backplane.device.DeviceException;
import org.backplane.device.state.SaveSupport;
import org.backplane.device.state.SavedState;
import org.backplane.linux.EventFd;
import org.backplane.pci.BarHandler;
import org.backplane.pci.HostBridge;
import org.backplane.pci.PciFunction;
import org.backplane.pci.PciShape;
import org.backplane.pci.VectorTriggers;
import org.backplane.testkit.FakeDeviceContext;
import org.backplane.testkit.GoldenState;
import org.junit.jupiter.api.Test;

/** A driver's view, by the offsets of QEMU's documentation. */
class PciTestdevTest {
    private static final String GOLDEN = "pci-testdev-v1.properties";

    private final Bus bus = new Bus();
    private final PciTestdev device = create();
    private HostBridge hostBridge;
    private long memory;
    private long ports;

    private static PciTestdev create(String... membar) {
        Map<String, String> settings = membar.length == 0 ? Map.of() : Map.of("membar", membar[0]);
        try (FakeDeviceContext slot = new FakeDeviceContext("test0", "pci-testdev", settings)) {
            return (PciTestdev) new PciTestdevFactory().create(slot);
        } catch (Exception e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
    }

    /** Plugs the function in and lets it decode, as firmware and a driver do. */
    private void plug() throws Exception {
        PciFunction function = plug(device);
        function.place();
        HostBridge bridge = hostBridge;
        long config = (long) function.device() << 15;
        assertEquals(0x0005_1b36, bridge.ecam().read(config, 4));
        bridge.ecam().write(config + 4, 2, 3);
        memory = bridge.ecam().read(config + 0x10, 4);
        ports = bridge.ecam().read(config + 0x14, 4) & ~3;
    }

    private PciFunction plug(PciTestdev behind) throws Exception {
        AddressAllocator mmio =
                bus.addWindow("mmio", Space.MMIO, new AddressRange(0x4000_0000L, 0x10_0000));
        AddressAllocator io = bus.addWindow("io", Space.IO, new AddressRange(0x1000, 0x1000));
        HostBridge bridge =
                new HostBridge(
                        bus,
                        new HostBridge.Windows(io, mmio, null),
                        (address, data) -> {},
                        (number, pin, high) -> {});
        hostBridge = bridge;
        return bridge.plug(
                "test0",
                -1,
                behind.shape(),
                new BarHandler() {
                    @Override
                    public long read(int bar, long offset, int width) {
                        return behind.readBar(bar, offset, width);
                    }

                    @Override
                    public void write(int bar, long offset, int width, long value) {
                        behind.writeBar(bar, offset, width, value);
                    }
                });
    }

    private String name(Space space, long base) {
        StringBuilder name = new StringBuilder();
        for (long at = base + 16; bus.read(space, at, 1) != 0; at++) {
            name.append((char) bus.read(space, at, 1));
        }
        return name.toString();
    }

    private void runTest(Space space, long base, int test, String name, int data) {
        bus.write(space, base, 1, test);
        assertEquals(name, name(space, base));
        assertEquals(1, bus.read(space, base + 1, 1));
        assertEquals(data, bus.read(space, base + 8, 4));
        long target = base + bus.read(space, base + 4, 4);
        assertEquals(0, bus.read(space, base + 12, 4));
        bus.write(space, target, 1, data);
        bus.write(space, target, 1, data);
        assertEquals(2, bus.read(space, base + 12, 4));
        bus.write(space, target + 1, 1, data);
        assertEquals(2, bus.read(space, base + 12, 4));
        bus.write(space, target, 1, data ^ 1);
        assertEquals(name.contains("wildcard") ? 3 : 2, bus.read(space, base + 12, 4));
    }

    @Test
    void countsTheWritesOfEveryTestInMemoryAndPorts() throws Exception {
        plug();
        runTest(Space.MMIO, memory, 0, "mmio-no-eventfd", 0xfa);
        runTest(Space.MMIO, memory, 1, "mmio-wildcard-eventfd", 0xce);
        runTest(Space.MMIO, memory, 2, "mmio-datamatch-eventfd", 0xfa);
        runTest(Space.IO, ports, 0, "portio-no-eventfd", 0xfa);
        runTest(Space.IO, ports, 1, "portio-wildcard-eventfd", 0xce);
        runTest(Space.IO, ports, 2, "portio-datamatch-eventfd", 0xfa);
    }

    @Test
    void aNumberWithoutATestEndsTheScan() throws Exception {
        plug();
        bus.write(Space.MMIO, memory, 1, 2);
        bus.write(Space.MMIO, memory, 1, 3);
        assertEquals(0, bus.read(Space.MMIO, memory + 1, 1));
        assertEquals("", name(Space.MMIO, memory));
    }

    @Test
    void aTestOfOneBarDoesNotCountWritesToTheOther() throws Exception {
        plug();
        bus.write(Space.MMIO, memory, 1, 0);
        long target = bus.read(Space.MMIO, memory + 4, 4);
        bus.write(Space.IO, ports + target % 256, 1, 0xfa);
        assertEquals(0, bus.read(Space.MMIO, memory + 12, 4));
    }

    @Test
    void startingATestAgainBeginsToCountAnew() {
        device.writeBar(0, 0, 1, 0);
        device.writeBar(0, 2048, 1, 0xfa);
        device.writeBar(0, 0, 1, 0);
        assertEquals(0, device.readBar(0, 12, 4));
        device.writeBar(0, 2048, 1, 0xfa);
        device.reset();
        assertEquals(0, device.readBar(0, 1, 1));
    }

    @Test
    void theThirdBarHasTheSizeAskedForAndNothingBehindIt() {
        PciTestdev large = create("1G");
        PciShape.Bar bar = large.shape().bar(2).orElseThrow();
        assertEquals(new PciShape.Bar(2, PciShape.BarKind.MEMORY_64, true, 1 << 30), bar);
        large.writeBar(2, 0, 1, 0);
        assertEquals(-1, large.readBar(2, 0, 4));
        assertEquals(0, large.readBar(0, 1, 1));
    }

    @Test
    void raisesVectorsByEventfds() throws Exception {
        Map<Integer, EventFd> events = new HashMap<>();
        Map<String, String> settings = Map.of("vectors", "3", "membar", "1M");
        try (FakeDeviceContext slot = new FakeDeviceContext("test0", "pci-testdev", settings)) {
            var raising = (PciTestdev) new PciTestdevFactory().create(slot);
            PciFunction function = plug(raising);
            raising.wired(
                    function.deviceWires(
                            (event, signalled) -> {
                                events.put(events.size(), event);
                                return new UnusedTrigger();
                            }));
            raising.writeBar(4, 0xc00, 4, 2);
            raising.writeBar(4, 0xc00, 4, 3);
            raising.writeBar(4, 0xc04, 4, 1);
            assertEquals(0, events.get(0).drain());
            assertEquals(0, events.get(1).drain());
            assertEquals(1, events.get(2).drain());
        }
    }

    /** The function is behind no guest: nothing is carried. */
    private static final class UnusedTrigger implements VectorTriggers.Trigger {
        @Override
        public void deliver(long address, int data) {
            throw new AssertionError("MSI-X is off");
        }

        @Override
        public void report() {
            throw new AssertionError("the device is not connected");
        }

        @Override
        public void hold() {
            throw new AssertionError("the device was not connected");
        }

        @Override
        public void close() {
            // There is nothing to end.
        }
    }

    /** As where the host refuses to map: every access comes to the device. */
    @Test
    void theMemoryBehindItsBarIsThereAccessByAccessToo() throws Exception {
        Map<String, String> settings = Map.of("memory", "on");
        try (FakeDeviceContext slot = new FakeDeviceContext("test0", "pci-testdev", settings)) {
            var first = (PciTestdev) new PciTestdevFactory().create(slot);
            first.writeBar(2, 0xffff8, 8, 0x0123_4567_89ab_cdefL);
            first.writeBar(2, 0x1ffc, 4, 9);
            first.writeBar(2, 0x1000, 1, 9);
            assertEquals(0x89ab, first.readBar(2, 0xffffa, 2));
            assertEquals(2, first.readBar(2, 0x1008, 4));
            SavedState saved = ((SaveSupport.Saveable) first.saveSupport()).saver().save();

            // Stored by the guest while the next version takes over.
            first.writeBar(2, 0, 1, 7);
            var second = (PciTestdev) new PciTestdevFactory().create(slot);
            ((SaveSupport.Saveable) second.saveSupport()).restorer().restore(saved);
            assertEquals(7, second.readBar(2, 0, 4));
            assertEquals(2, second.readBar(2, 0x1000, 4));
            first.close();
            second.close();

            try (FakeDeviceContext other =
                    new FakeDeviceContext("test0", "pci-testdev", settings)) {
                var restored = (PciTestdev) new PciTestdevFactory().create(other);
                ((SaveSupport.Saveable) restored.saveSupport()).restorer().restore(saved);
                assertEquals(0, restored.readBar(2, 0, 4));
                assertEquals(0x0123_4567_89ab_cdefL, restored.readBar(2, 0xffff8, 8));
                restored.close();
            }
        }
    }

    @Test
    void refusesMemoryBehindABarOfAnotherSize() throws Exception {
        Map<String, String> settings = Map.of("membar", "1G", "memory", "on");
        try (FakeDeviceContext slot = new FakeDeviceContext("test0", "pci-testdev", settings)) {
            assertEquals(
                    "Slot 'test0': memory=on has membar=1M: give that, or leave membar out.",
                    assertThrows(DeviceException.class, () -> new PciTestdevFactory().create(slot))
                            .getMessage());
        }
    }

    @Test
    void refusesMoreVectorsThanItHasRoomFor() throws Exception {
        Map<String, String> settings = Map.of("vectors", "65");
        try (FakeDeviceContext slot = new FakeDeviceContext("test0", "pci-testdev", settings)) {
            assertEquals(
                    "Slot 'test0': vectors=65 is no number from 1 to 64; give one.",
                    assertThrows(DeviceException.class, () -> new PciTestdevFactory().create(slot))
                            .getMessage());
        }
    }

    @Test
    void refusesASizeThatNoBarHas() {
        assertEquals(
                "Slot 'test0': membar=5000 is none of 4K, 1M, 256M, 1G, 4G and 64G; give one.",
                assertThrows(IllegalStateException.class, () -> create("5000")).getMessage());
    }

    @Test
    void theNextVersionCountsOn() throws Exception {
        SavedState golden = GoldenState.read(PciTestdevTest.class, GOLDEN);
        GoldenState.requireSame(
                PciTestdevTest.class, GOLDEN, new TestdevState(1, 2, 3).saved(Optional.empty()));
        ((SaveSupport.Saveable) device.saveSupport()).restorer().restore(golden);
        assertEquals(3, device.readBar(1, 12, 4));
        device.writeBar(1, device.readBar(1, 4, 4), 1, 0xfa);
        assertEquals(4, device.readBar(1, 12, 4));
    }

    @Test
    void refusesACountWithoutATest() {
        SavedState odd = SavedState.of("pci-testdev", 1).number("count", 1).build();
        assertThrows(DeviceException.class, () -> TestdevState.of(odd));
    }
}
