package org.backplane.testkit.vfio;

import java.util.ArrayList;
import java.util.List;

/**
 * A PCI function as data.
 *
 * @param name for messages
 * @param vendor 16 bits
 * @param device 16 bits
 * @param subsystemVendor 16 bits
 * @param subsystem 16 bits
 * @param classCode 24 bits: base class, sub-class, interface
 * @param revision 8 bits
 * @param pin of INTx, 1 to 4; 0: none
 * @param resettable whether a client can reset it
 * @param bars by index
 * @param capabilities in any order
 */
public record DeviceDescription(
        String name,
        int vendor,
        int device,
        int subsystemVendor,
        int subsystem,
        int classCode,
        int revision,
        int pin,
        boolean resettable,
        List<BarDescription> bars,
        List<CapabilityDescription> capabilities) {
    public DeviceDescription {
        bars = List.copyOf(bars);
        capabilities = List.copyOf(capabilities);
    }

    /** One with INTA and a reset, and nothing else. */
    public static DeviceDescription of(String name, int vendor, int device, int classCode) {
        return new DeviceDescription(
                name, vendor, device, vendor, device, classCode, 0, 1, true, List.of(), List.of());
    }

    public DeviceDescription withRevision(int value) {
        return new DeviceDescription(
                name,
                vendor,
                device,
                subsystemVendor,
                subsystem,
                classCode,
                value,
                pin,
                resettable,
                bars,
                capabilities);
    }

    /**
     * @param value 0: no INTx
     */
    public DeviceDescription withPin(int value) {
        return new DeviceDescription(
                name,
                vendor,
                device,
                subsystemVendor,
                subsystem,
                classCode,
                revision,
                value,
                resettable,
                bars,
                capabilities);
    }

    public DeviceDescription withoutReset() {
        return new DeviceDescription(
                name,
                vendor,
                device,
                subsystemVendor,
                subsystem,
                classCode,
                revision,
                pin,
                false,
                bars,
                capabilities);
    }

    /** With one BAR more. */
    public DeviceDescription with(BarDescription bar) {
        List<BarDescription> all = new ArrayList<>(bars);
        all.add(bar);
        return new DeviceDescription(
                name,
                vendor,
                device,
                subsystemVendor,
                subsystem,
                classCode,
                revision,
                pin,
                resettable,
                all,
                capabilities);
    }

    /** With one capability more. */
    public DeviceDescription with(CapabilityDescription capability) {
        List<CapabilityDescription> all = new ArrayList<>(capabilities);
        all.add(capability);
        return new DeviceDescription(
                name,
                vendor,
                device,
                subsystemVendor,
                subsystem,
                classCode,
                revision,
                pin,
                resettable,
                bars,
                all);
    }
}
