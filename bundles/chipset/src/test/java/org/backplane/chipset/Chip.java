package org.backplane.chipset;

import java.util.Map;
import org.backplane.bus.RegionLease;
import org.backplane.device.Device;
import org.backplane.device.DeviceException;
import org.backplane.device.DeviceFactory;
import org.backplane.device.state.SaveSupport;
import org.backplane.device.state.SavedState;
import org.backplane.testkit.FakeDeviceContext;
import org.backplane.testkit.RecordedLine;

/** A chip in a slot, and the processor's view of its registers. */
final class Chip {
    final FakeDeviceContext slot;
    private final DeviceFactory factory;
    private Device device;

    private Chip(FakeDeviceContext slot, DeviceFactory factory, Device device) {
        this.slot = slot;
        this.factory = factory;
        this.device = device;
    }

    static Chip created(DeviceFactory factory, Map<String, String> settings)
            throws DeviceException {
        FakeDeviceContext slot = new FakeDeviceContext("chip0", "chip", settings);
        return new Chip(slot, factory, factory.create(slot));
    }

    static Chip started(DeviceFactory factory) throws DeviceException {
        return started(factory, Map.of());
    }

    static Chip started(DeviceFactory factory, Map<String, String> settings)
            throws DeviceException {
        Chip chip = created(factory, settings);
        chip.device.start();
        return chip;
    }

    Device device() {
        return device;
    }

    long base() {
        return slot.regions().get(0).range().base();
    }

    long read(long offset, int width) {
        return read(0, offset, width);
    }

    void write(long offset, int width, long value) {
        write(0, offset, width, value);
    }

    /** As {@link #read(long, int)}, of the region of that number. */
    long read(int region, long offset, int width) {
        RegionLease lease = slot.regions().get(region);
        return slot.bus().read(lease.window().space(), lease.range().base() + offset, width);
    }

    void write(int region, long offset, int width, long value) {
        RegionLease lease = slot.regions().get(region);
        slot.bus().write(lease.window().space(), lease.range().base() + offset, width, value);
    }

    RecordedLine line() {
        return slot.lines().get(0);
    }

    SavedState save() {
        return ((SaveSupport.Saveable) device.saveSupport()).saver().save();
    }

    void restore(SavedState state) throws DeviceException {
        ((SaveSupport.Saveable) device.saveSupport()).restorer().restore(state);
    }

    /** Puts a new device into the slot that goes on where the old one was. */
    void swap() throws DeviceException {
        device.quiesce();
        SavedState state = save();
        device.close();
        slot.unplugDevice();
        device = factory.create(slot);
        restore(state);
        device.start();
    }

    /** As {@link #swap}, of a device that has no state. */
    void replaceStateless() throws DeviceException {
        device.quiesce();
        device.close();
        slot.unplugDevice();
        device = factory.create(slot);
        device.start();
    }

    /** Puts a new device into the slot that starts from a state of before. */
    void startFrom(SavedState state) throws DeviceException {
        device.quiesce();
        device.close();
        slot.unplugDevice();
        device = factory.create(slot);
        restore(state);
        device.start();
    }
}
