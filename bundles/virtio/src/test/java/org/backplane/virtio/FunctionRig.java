package org.backplane.virtio;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.backplane.bus.AddressRange;
import org.backplane.bus.Bus;
import org.backplane.bus.Space;
import org.backplane.device.context.Lease;
import org.backplane.linux.EventFd;
import org.backplane.memory.MemoryView;
import org.backplane.pci.HostBridge;
import org.backplane.testkit.DriverRing;
import org.backplane.testkit.LegacyVirtioDriver;
import org.backplane.testkit.RecordingMsi;
import org.backplane.testkit.TestMemory;
import org.backplane.testkit.VirtioDriver;

/** A virtio-pci function on a real bridge and bus; the slot behind it only writes down. */
final class FunctionRig implements AutoCloseable, VirtioBackend {
    static final int DEVICE = 3;
    static final long OWN_FEATURES = 0b101;
    static final VirtioShape SHAPE = new VirtioShape(2, 0x018000, OWN_FEATURES, List.of(16, 8), 24);

    /** The same with a legacy interface. */
    static final VirtioShape TRANSITIONAL =
            new VirtioShape(2, 0x018000, OWN_FEATURES, List.of(16, 8), 24, true);

    final TestMemory memory = new TestMemory();
    final Bus bus = new Bus();
    final RecordingMsi msi = new RecordingMsi();
    final Map<Integer, Boolean> pins = new HashMap<>();
    final HostBridge bridge;
    final MemoryView view;
    final VirtioPciFunction function;
    final VirtioDriver driver;
    final List<DriverRing> rings = new ArrayList<>();

    /** What the function said to the slot. */
    final List<String> calls = new ArrayList<>();

    /** Runs inside of driverOk and resetRequested. */
    Runnable inCall = () -> {};

    /** Runs inside of awaitReset. */
    Runnable inWait = () -> {};

    List<SplitQueue> activated;
    final byte[] deviceConfig = new byte[SHAPE.configLength()];
    final Map<Integer, EventFd> doorbells = new TreeMap<>();

    /** Where each queue's doorbell is bound. */
    final Map<Integer, Long> bound = new TreeMap<>();

    FunctionRig() throws Exception {
        this(SHAPE);
    }

    FunctionRig(VirtioShape shape) throws Exception {
        HostBridge.Windows windows =
                new HostBridge.Windows(
                        bus.addWindow("io", Space.IO, new AddressRange(0x1000, 0xf000)),
                        bus.addWindow(
                                "mmio32", Space.MMIO, new AddressRange(0x4000_0000, 0x1000_0000)),
                        bus.addWindow(
                                "mmio64",
                                Space.MMIO,
                                new AddressRange(0x40_0000_0000L, 0x1000_0000)));
        bridge =
                new HostBridge(
                        bus, windows, msi::signal, (device, pin, high) -> pins.put(device, high));
        view = memory.guestMemory().view("slot");
        function = new VirtioPciFunction(bridge, "disk0", DEVICE, shape, view, this);
        function.function().place();
        driver = new VirtioDriver(bus, bridge.ecam(), DEVICE);
        for (int i = 0; i < shape.queueSizes().size(); i++) {
            doorbells.put(i, EventFd.open());
            rings.add(new DriverRing(memory, shape.queueSizes().get(i), true));
        }
    }

    static final long ALL =
            OWN_FEATURES
                    | VirtioDriver.VERSION_1
                    | VirtioDriver.EVENT_IDX
                    | VirtioDriver.INDIRECT_DESC;

    /** A driver that knows the legacy interface only. */
    LegacyVirtioDriver legacyDriver() {
        return new LegacyVirtioDriver(bus, bridge.ecam(), DEVICE);
    }

    /** Brings the driver up with both queues and MSI-X: vectors 0, 1 and, configuration, 2. */
    void bringUp() {
        driver.setConfig(0x04, 2, 6);
        driver.enableMsix();
        driver.negotiate(ALL);
        driver.set(VirtioDriver.Common.CONFIG_MSIX_VECTOR, rings.size());
        for (int i = 0; i < rings.size(); i++) {
            rings.get(i).reset();
            if (!driver.enableQueue(i, rings.get(i), i)) {
                throw new AssertionError("queue " + i + " is not enabled");
            }
        }
        driver.ready();
    }

    SplitQueue queue(int index) {
        return function.queues().get(index);
    }

    @Override
    public long readConfig(int offset, int width) {
        calls.add("read %d+%d".formatted(offset, width));
        long value = 0;
        for (int i = width - 1; i >= 0; i--) {
            value = value << 8 | deviceConfig[offset + i] & 0xff;
        }
        return value;
    }

    @Override
    public void writeConfig(int offset, int width, long value) {
        calls.add("write %d+%d".formatted(offset, width));
        for (int i = 0; i < width; i++) {
            deviceConfig[offset + i] = (byte) (value >>> 8 * i);
        }
    }

    @Override
    public void driverOk(long features, List<SplitQueue> queues) {
        calls.add("driverOk 0x%x".formatted(features));
        activated = queues;
        inCall.run();
    }

    @Override
    public void resetRequested() {
        calls.add("reset");
        inCall.run();
    }

    @Override
    public void awaitReset() {
        calls.add("await");
        inWait.run();
    }

    @Override
    public EventFd doorbell(int queue) {
        return doorbells.get(queue);
    }

    @Override
    public Lease bindDoorbell(int queue, long address) {
        if (bound.put(queue, address) != null) {
            throw new AssertionError("the doorbell of queue " + queue + " is bound twice");
        }
        inCall.run();
        return () -> bound.remove(queue);
    }

    @Override
    public void broken(int queue, String reason) {
        calls.add("broken " + queue);
        inCall.run();
    }

    @Override
    public void close() throws IOException {
        function.close();
        doorbells.values().forEach(EventFd::close);
        memory.close();
    }
}
