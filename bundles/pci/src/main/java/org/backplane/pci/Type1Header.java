package org.backplane.pci;

/**
 * Layout of the configuration space of a PCI-to-PCI bridge where it differs from {@link
 * Type0Header}: offsets in bytes and register bits (PCI-to-PCI Bridge 1.2, section 3.2; PCI Express
 * 5.0, section 7.5.1.3).
 */
final class Type1Header {
    /** Value of {@link Type0Header#HEADER_TYPE}. */
    static final int BRIDGE = 0x01;

    static final int PRIMARY_BUS = 0x18;
    static final int SECONDARY_BUS = 0x19;
    static final int SUBORDINATE_BUS = 0x1a;

    static final int IO_BASE = 0x1c;
    static final int IO_LIMIT = 0x1d;
    static final int SECONDARY_STATUS = 0x1e;
    static final int MEMORY_BASE = 0x20;
    static final int MEMORY_LIMIT = 0x22;
    static final int PREFETCHABLE_BASE = 0x24;
    static final int PREFETCHABLE_LIMIT = 0x26;
    static final int PREFETCHABLE_BASE_UPPER = 0x28;
    static final int PREFETCHABLE_LIMIT_UPPER = 0x2c;

    static final int BRIDGE_CONTROL = 0x3e;

    /** Bits 15:12 of an I/O address; the low bits zero: 16-bit addressing. */
    static final int IO_ADDRESS = 0xf0;

    static final int IO_SHIFT = 8;
    static final long IO_GRANULE = 0x1000;

    /** Bits 31:20 of a memory address. */
    static final int MEMORY_ADDRESS = 0xfff0;

    static final int MEMORY_SHIFT = 16;
    static final long MEMORY_GRANULE = 0x10_0000;

    /** Low bits of the prefetchable registers: the upper halves exist. */
    static final int PREFETCHABLE_64 = 1;

    static final int CONTROL_PARITY = 1 << 0;
    static final int CONTROL_SERR = 1 << 1;
    static final int CONTROL_SECONDARY_RESET = 1 << 6;

    private Type1Header() {}
}
