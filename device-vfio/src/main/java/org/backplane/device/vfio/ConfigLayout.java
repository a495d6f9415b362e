package org.backplane.device.vfio;

/**
 * Registers of capabilities that the slot emulates: offsets in bytes from a capability's start, and
 * bits. Those of the header are {@link org.backplane.pci.Type0Header}'s.
 */
final class ConfigLayout {
    /** Of the header type register; the other bit says that the device has more functions. */
    static final int HEADER_LAYOUT = 0x7f;

    /** BARs: whether a memory BAR takes two registers is in these bits. */
    static final int BAR_MEMORY_TYPE = 0b110;

    /** MSI (PCI 3.0, section 6.8.1). */
    static final int MSI_CONTROL = 2;

    static final int MSI_CAPABLE_SHIFT = 1;
    static final int MSI_CAPABLE_MASK = 0b111;
    static final int MSI_WIDE = 1 << 7;
    static final int MSI_MASKABLE = 1 << 8;

    /** MSI-X (section 6.8.2). */
    static final int MSIX_CONTROL = 2;

    static final int MSIX_SIZE_MASK = 0x7ff;
    static final int MSIX_TABLE = 4;
    static final int MSIX_PBA = 8;
    static final int MSIX_BIR_MASK = 0b111;

    /** Power management (PCI Power Management 1.2, section 3.2). */
    static final int POWER_CAPABILITIES = 2;

    /** Version and device-specific initialization. */
    static final int POWER_CAPABILITIES_SHOWN = 0b10_0111;

    static final int POWER_CONTROL = 4;
    static final int POWER_STATE = 0b11;
    static final int POWER_NO_SOFT_RESET = 1 << 3;

    /** Vendor specific: a byte with the length. */
    static final int VENDOR_LENGTH = 2;

    /** PCI Express (PCI Express 5.0, section 7.5.3). */
    static final int EXPRESS_FLAGS = 0x02;

    static final int EXPRESS_VERSION_MASK = 0xf;
    static final int EXPRESS_TYPE_SHIFT = 4;
    static final int EXPRESS_TYPE_MASK = 0xf;

    /** An endpoint; the other of its kind is a legacy endpoint. */
    static final int EXPRESS_ENDPOINT = 0;

    static final int EXPRESS_LEGACY_ENDPOINT = 1;

    static final int DEVICE_CAPABILITIES = 0x04;

    /** Payload size, extended tags, acceptable latencies, role-based error reporting. */
    static final int DEVICE_CAPABILITIES_SHOWN = 0x8fe7;

    static final int DEVICE_CONTROL = 0x08;

    /** All but the function-level reset. */
    static final int DEVICE_CONTROL_WRITABLE = 0x7fff;

    /** As after a reset: relaxed ordering, no snoop, payloads of 128 and requests of 512 bytes. */
    static final int DEVICE_CONTROL_RESET = 0x2810;

    static final int LINK_CAPABILITIES = 0x0c;

    /** Of the capabilities and of the status. The exit latencies depend on the clock in use. */
    static final int LINK_SPEED_AND_WIDTH = 0x3ff;

    static final int LINK_CONTROL = 0x10;

    /** Read completion boundary, common clock, extended synch: numbers here. */
    static final int LINK_CONTROL_WRITABLE = 0xc8;

    static final int LINK_STATUS = 0x12;

    /** Where a capability of version 1 ends for an endpoint. */
    static final int EXPRESS_LENGTH_1 = 0x14;

    static final int DEVICE_CAPABILITIES_2 = 0x24;

    /** Completion time-outs. */
    static final int DEVICE_CAPABILITIES_2_SHOWN = 0x1f;

    static final int DEVICE_CONTROL_2 = 0x28;
    static final int DEVICE_CONTROL_2_WRITABLE = 0x1f;
    static final int LINK_CAPABILITIES_2 = 0x2c;

    /** Supported speeds. */
    static final int LINK_CAPABILITIES_2_SHOWN = 0xfe;

    static final int LINK_CONTROL_2 = 0x30;
    static final int LINK_CONTROL_2_SPEED = 0xf;

    /** Length of the capability from version 2 on. */
    static final int EXPRESS_LENGTH_2 = 0x3c;

    /** The header of an extended capability (section 7.6.3). */
    static final int EXTENDED_ID_MASK = 0xffff;

    static final int EXTENDED_VERSION_SHIFT = 16;
    static final int EXTENDED_VERSION_MASK = 0xf;
    static final int EXTENDED_NEXT_SHIFT = 20;

    /** Both kinds of vendor specific ones: a register with the length above these bits. */
    static final int EXTENDED_VENDOR_HEADER = 4;

    static final int EXTENDED_VENDOR_LENGTH_SHIFT = 20;

    private ConfigLayout() {}

    /** Bytes of an MSI capability with this message control, a multiple of four. */
    static int msiLength(int control) {
        return 0x0c + ((control & MSI_WIDE) != 0 ? 4 : 0) + ((control & MSI_MASKABLE) != 0 ? 8 : 0);
    }

    /** Bytes of a PCI Express capability with these flags, as it is shown. */
    static int expressLength(int flags) {
        return (flags & EXPRESS_VERSION_MASK) < 2 ? EXPRESS_LENGTH_1 : EXPRESS_LENGTH_2;
    }
}
