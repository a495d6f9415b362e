package org.backplane.pci;

import java.util.ArrayList;
import java.util.List;
import org.backplane.bus.AddressRange;
import org.backplane.bus.ClaimException;

/** A host bridge with two root ports, and the guest's side of them by ECAM. */
final class PortRig {
    static final int EXPRESS = 0x58;
    static final int SLOT_CONTROL = EXPRESS + ExpressCapability.SLOT_CONTROL;
    static final int SLOT_STATUS = EXPRESS + ExpressCapability.SLOT_STATUS;
    static final int LINK_STATUS = EXPRESS + ExpressCapability.LINK_STATUS;
    static final int LINK_CONTROL = EXPRESS + ExpressCapability.LINK_CONTROL;

    /**
     * Power and both indicators as Linux leaves them for a slot that is on; every event enabled.
     */
    static final int LISTENING = 0x1039;

    static final int POWER_OFF = ExpressCapability.CONTROL_POWER_OFF;
    static final int BLINKING =
            ExpressCapability.INDICATOR_BLINK << ExpressCapability.CONTROL_POWER_INDICATOR_SHIFT;
    static final int DARK =
            ExpressCapability.INDICATOR_OFF << ExpressCapability.CONTROL_POWER_INDICATOR_SHIFT;

    static final AddressRange IO = new AddressRange(0xe000, 0x1000);
    static final AddressRange MEMORY = new AddressRange(0x7e00_0000L, 0x100_0000);
    static final AddressRange WIDE = new AddressRange(0x1c_0000_0000L, 1L << 32);

    final Rig rig = new Rig();
    final RootPort first = port(0x10, 1, 0);
    final RootPort second = port(0x11, 2, 1);
    final List<String> told = new ArrayList<>();

    PortRig() {
        rig.bridge.preset();
    }

    private RootPort port(int device, int slot, int index) {
        return rig.bridge.addRootPort(
                device,
                slot,
                new RootPortWindows(
                        1 + 2 * index,
                        2 + 2 * index,
                        moved(IO, index),
                        moved(MEMORY, index),
                        moved(WIDE, index)));
    }

    static AddressRange moved(AddressRange range, int steps) {
        return new AddressRange(range.base() + steps * range.size(), range.size());
    }

    static int number(int bus, int device) {
        return bus << 8 | device << 3;
    }

    long read(int number, int register, int width) {
        return rig.bridge.ecam().read((long) number << 12 | register, width);
    }

    void write(int number, int register, int width, long value) {
        rig.bridge.ecam().write((long) number << 12 | register, width, value);
    }

    long read(RootPort port, int register, int width) {
        return read(number(0, port.device()), register, width);
    }

    void write(RootPort port, int register, int width, long value) {
        write(number(0, port.device()), register, width, value);
    }

    /** The guest enables the port's MSI. */
    void enableMsi(RootPort port, long address, int data) {
        write(port, 0x44, 4, address);
        write(port, 0x48, 4, address >>> 32);
        write(port, 0x4c, 2, data);
        write(port, 0x42, 2, 1);
    }

    void clearEvents(RootPort port) {
        write(port, SLOT_STATUS, 2, ExpressCapability.EVENTS);
    }

    int events(RootPort port) {
        return (int) read(port, SLOT_STATUS, 2) & ExpressCapability.EVENTS;
    }

    /** A card that was there when the guest started. */
    PciFunction installed(RootPort port, String slot, PciShape shape) throws ClaimException {
        PciFunction function = port.plug(slot, shape, new Rig.Card());
        port.install();
        function.place();
        return function;
    }
}
