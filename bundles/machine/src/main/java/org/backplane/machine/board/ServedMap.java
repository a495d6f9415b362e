package org.backplane.machine.board;

import org.backplane.bus.AddressRange;

/**
 * Where things lie on the board of a served device. No guest sees these addresses: a client says
 * which region of the device it means. Addresses of its RAM are another space.
 */
final class ServedMap {
    /** For kinds that are on no PCI bus, which is found out when they are there. */
    static final AddressRange PLATFORM = new AddressRange(0x1000, 0x1fff_f000L);

    static final AddressRange PLATFORM_IO = new AddressRange(0, 0x1000);

    static final AddressRange ECAM = new AddressRange(0x2000_0000L, 0x1000_0000L);

    /** Where messages go, 4 KiB for each kind of them. */
    static final long MESSAGES = 0x3fff_0000L;

    static final AddressRange PCI_IO = new AddressRange(0x1000, 0xf000);
    static final AddressRange PCI_MMIO_32 = new AddressRange(0x4000_0000L, 0xc000_0000L);
    static final AddressRange PCI_MMIO_64 = new AddressRange(1L << 40, (1L << 62) - (1L << 40));

    /** All pins end in one source; the others are for kinds that are on no PCI bus. */
    static final int PIN_SOURCE = 1;

    static final int SOURCES = 63;

    static final int PCI_PINS = 4;

    private ServedMap() {}
}
