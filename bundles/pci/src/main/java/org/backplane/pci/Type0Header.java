package org.backplane.pci;

/**
 * Layout of the configuration space of a function that is no bridge: offsets in bytes and register
 * bits (PCI 3.0, chapter 6; MSI-X in section 6.8.2).
 */
public final class Type0Header {
    public static final int VENDOR_ID = 0x00;
    public static final int DEVICE_ID = 0x02;
    public static final int COMMAND = 0x04;
    public static final int STATUS = 0x06;
    public static final int REVISION_ID = 0x08;

    /** Three bytes: programming interface, subclass, base class. */
    public static final int CLASS_CODE = 0x09;

    public static final int CACHE_LINE_SIZE = 0x0c;
    public static final int LATENCY_TIMER = 0x0d;
    public static final int HEADER_TYPE = 0x0e;
    public static final int BIST = 0x0f;

    /** The first of six registers of 4 bytes. */
    public static final int BASE_ADDRESS = 0x10;

    public static final int CARDBUS_CIS = 0x28;
    public static final int SUBSYSTEM_VENDOR_ID = 0x2c;
    public static final int SUBSYSTEM_ID = 0x2e;
    public static final int EXPANSION_ROM = 0x30;
    public static final int CAPABILITIES_POINTER = 0x34;
    public static final int INTERRUPT_LINE = 0x3c;
    public static final int INTERRUPT_PIN = 0x3d;
    public static final int MIN_GNT = 0x3e;
    public static final int MAX_LAT = 0x3f;

    /** The first byte behind the header: where capabilities may lie. */
    public static final int END = 0x40;

    /** Size of the space that a conventional function has. */
    public static final int SPACE_SIZE = 0x100;

    /** Size of the space that ECAM reaches (PCI Express 4.0, section 7.2). */
    public static final int EXTENDED_SIZE = 0x1000;

    public static final int BASE_ADDRESS_REGISTERS = 6;

    public static final int COMMAND_IO = 1 << 0;
    public static final int COMMAND_MEMORY = 1 << 1;
    public static final int COMMAND_BUS_MASTER = 1 << 2;
    public static final int COMMAND_PARITY = 1 << 6;
    public static final int COMMAND_SERR = 1 << 8;
    public static final int COMMAND_INTX_DISABLE = 1 << 10;

    public static final int STATUS_INTERRUPT = 1 << 3;
    public static final int STATUS_CAPABILITIES = 1 << 4;

    /**
     * Bits cleared by writing one: master data parity error, signaled and received target abort,
     * received master abort, signaled system error, detected parity error.
     */
    public static final int STATUS_ERRORS = 1 << 8 | 0b1_1111 << 11;

    /** Low bits of a base address register (PCI 3.0, section 6.2.5.1). */
    public static final int BAR_IO = 0b01;

    public static final int BAR_MEMORY_64 = 0b100;
    public static final int BAR_PREFETCHABLE = 0b1000;

    /** The bits that are no address. */
    public static final int BAR_IO_TYPE_MASK = 0b11;

    public static final int BAR_MEMORY_TYPE_MASK = 0b1111;

    /** Offsets inside of every capability. */
    public static final int CAPABILITY_ID = 0;

    public static final int CAPABILITY_NEXT = 1;
    public static final int CAPABILITY_BODY = 2;

    /** Bytes before the body of an extended capability: id, version and next offset. */
    public static final int EXTENDED_HEADER = 4;

    public static final int EXTENDED_VERSION_SHIFT = 16;
    public static final int EXTENDED_NEXT_SHIFT = 20;

    public static final int MSIX_ID = 0x11;

    /** Offsets inside of the MSI-X capability, and its length. */
    public static final int MSIX_CONTROL = 2;

    public static final int MSIX_TABLE = 4;
    public static final int MSIX_PBA = 8;
    public static final int MSIX_LENGTH = 12;

    public static final int MSIX_CONTROL_FUNCTION_MASK = 1 << 14;
    public static final int MSIX_CONTROL_ENABLE = 1 << 15;

    /** An entry of the MSI-X table: offsets of its four registers, and its length. */
    public static final int MSIX_ENTRY_ADDRESS = 0;

    public static final int MSIX_ENTRY_UPPER_ADDRESS = 4;
    public static final int MSIX_ENTRY_DATA = 8;
    public static final int MSIX_ENTRY_CONTROL = 12;
    public static final int MSIX_ENTRY_LENGTH = 16;

    /** Bit of an entry's control register. */
    public static final int MSIX_ENTRY_MASKED = 1;

    private Type0Header() {}

    /** Offset of a base address register by its number, 0 to 5. */
    public static int baseAddress(int index) {
        return BASE_ADDRESS + 4 * index;
    }
}
