package org.backplane.device.vfio;

import java.util.Arrays;
import java.util.OptionalInt;
import org.backplane.pci.PciShape;
import org.backplane.vfio.VfioException;

/** Capabilities whose registers are the slot's: what they show, and what of it can be written. */
final class EmulatedCapability {
    /** Bytes of a capability's header: id and pointer. */
    private static final int HEADER = 2;

    private final FoundCapability found;
    private final byte[] values;
    private final byte[] writable;

    private EmulatedCapability(FoundCapability found) {
        this.found = found;
        values = new byte[found.length()];
        writable = new byte[found.length()];
    }

    private void put(byte[] bytes, int offset, int width, int value) {
        for (int i = 0; i < width; i++) {
            bytes[offset + i] = (byte) (value >>> 8 * i);
        }
    }

    private PciShape.Capability made() {
        return new PciShape.Capability(
                found.id(),
                Arrays.copyOfRange(values, HEADER, values.length),
                Arrays.copyOfRange(writable, HEADER, writable.length),
                OptionalInt.of(found.offset()));
    }

    /**
     * Power states as numbers: what the guest writes it reads, and the device stays in D0. No
     * events, no D1 and D2, and nothing is lost between D3hot and D0 (PCI Power Management 1.2,
     * section 3.2).
     */
    static PciShape.Capability power(FoundCapability found, ConfigRegisters config)
            throws VfioException {
        var made = new EmulatedCapability(found);
        int capabilities = config.u16(found.offset() + ConfigLayout.POWER_CAPABILITIES);
        made.put(
                made.values,
                ConfigLayout.POWER_CAPABILITIES,
                2,
                capabilities & ConfigLayout.POWER_CAPABILITIES_SHOWN);
        made.put(made.values, ConfigLayout.POWER_CONTROL, 2, ConfigLayout.POWER_NO_SOFT_RESET);
        made.put(made.writable, ConfigLayout.POWER_CONTROL, 2, ConfigLayout.POWER_STATE);
        return made.made();
    }

    /**
     * An endpoint (PCI Express 5.0, section 7.5.3): payload and request sizes, link and completion
     * time-outs can be written and read, and change nothing, because they have to fit the host's
     * side of the link. No slot, no reset, no power management of the link.
     *
     * <p>Only what the card is goes into it: its controls, and what they change elsewhere, may be
     * others when the next code looks, because the host tunes them and a reset puts them back.
     */
    static PciShape.Capability express(FoundCapability found, ConfigRegisters config)
            throws VfioException {
        var made = new EmulatedCapability(found);
        int at = found.offset();
        int flags = config.u16(at + ConfigLayout.EXPRESS_FLAGS);
        int type = flags >>> ConfigLayout.EXPRESS_TYPE_SHIFT & ConfigLayout.EXPRESS_TYPE_MASK;
        int shown =
                type == ConfigLayout.EXPRESS_LEGACY_ENDPOINT
                        ? ConfigLayout.EXPRESS_LEGACY_ENDPOINT
                        : ConfigLayout.EXPRESS_ENDPOINT;
        boolean whole = found.length() >= ConfigLayout.EXPRESS_LENGTH_2;
        int version = whole ? flags & ConfigLayout.EXPRESS_VERSION_MASK : 1;
        made.put(
                made.values,
                ConfigLayout.EXPRESS_FLAGS,
                2,
                version | shown << ConfigLayout.EXPRESS_TYPE_SHIFT);
        made.put(
                made.values,
                ConfigLayout.DEVICE_CAPABILITIES,
                4,
                config.u32(at + ConfigLayout.DEVICE_CAPABILITIES)
                        & ConfigLayout.DEVICE_CAPABILITIES_SHOWN);
        made.put(made.values, ConfigLayout.DEVICE_CONTROL, 2, ConfigLayout.DEVICE_CONTROL_RESET);
        made.put(
                made.writable,
                ConfigLayout.DEVICE_CONTROL,
                2,
                ConfigLayout.DEVICE_CONTROL_WRITABLE);
        int link =
                config.u32(at + ConfigLayout.LINK_CAPABILITIES) & ConfigLayout.LINK_SPEED_AND_WIDTH;
        made.put(made.values, ConfigLayout.LINK_CAPABILITIES, 4, link);
        made.put(made.writable, ConfigLayout.LINK_CONTROL, 2, ConfigLayout.LINK_CONTROL_WRITABLE);
        // What it could be, not what it is: a link trains anew, and a shape is constant.
        made.put(made.values, ConfigLayout.LINK_STATUS, 2, link);
        if (whole) {
            made.second(config, at, link);
        }
        return made.made();
    }

    private void second(ConfigRegisters config, int at, int link) throws VfioException {
        put(
                values,
                ConfigLayout.DEVICE_CAPABILITIES_2,
                4,
                config.u32(at + ConfigLayout.DEVICE_CAPABILITIES_2)
                        & ConfigLayout.DEVICE_CAPABILITIES_2_SHOWN);
        put(writable, ConfigLayout.DEVICE_CONTROL_2, 2, ConfigLayout.DEVICE_CONTROL_2_WRITABLE);
        put(
                values,
                ConfigLayout.LINK_CAPABILITIES_2,
                4,
                config.u32(at + ConfigLayout.LINK_CAPABILITIES_2)
                        & ConfigLayout.LINK_CAPABILITIES_2_SHOWN);
        put(values, ConfigLayout.LINK_CONTROL_2, 2, link & ConfigLayout.LINK_CONTROL_2_SPEED);
    }
}
