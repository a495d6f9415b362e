package org.backplane.machine.board;

import org.backplane.bus.AddressRange;

/** Where things lie on the RISC-V board: guest-physical addresses, in bytes. */
final class RiscvMap {
    /** Devices that the guest cannot discover, and the windows onto PCI. */
    static final AddressRange PLATFORM = new AddressRange(0x0000_1000L, 0x3fff_f000L);

    /** 64 KiB of memory addresses that reach I/O space. */
    static final AddressRange IO_APERTURE = new AddressRange(0x0300_0000L, 0x1_0000L);

    static final AddressRange APLIC = new AddressRange(0x0d00_0000L, 0x8000L);

    /** One interrupt file of 4 KiB a hart. */
    static final AddressRange IMSIC = new AddressRange(0x2800_0000L, 0x10_0000L);

    static final AddressRange ECAM = new AddressRange(0x3000_0000L, 0x1000_0000L);
    static final AddressRange PCI_MMIO_32 = new AddressRange(0x4000_0000L, 0x4000_0000L);

    /** Above any RAM, below the 56 bits that Sv39 translates to. */
    static final AddressRange PCI_MMIO_64 = new AddressRange(0x100_0000_0000L, 0x100_0000_0000L);

    static final long RAM_BASE = 0x8000_0000L;

    /** I/O ports of devices that are not on PCI; port 0 would read as "not assigned" in a BAR. */
    static final AddressRange PLATFORM_IO = new AddressRange(0, 0x1000);

    static final AddressRange PCI_IO = new AddressRange(0x1000, 0xf000);

    static final long IMSIC_STRIDE = 0x1000;

    /** Highest identity of an interrupt file. */
    static final int IDENTITIES = 255;

    /** Highest wired source: the PCI pins are 1 to 4, the others have one owner each. */
    static final int SOURCES = 63;

    static final int PCI_PINS = 4;

    /** Of the {@code time} CSR, in Hz. */
    static final long TIMEBASE_FREQUENCY = 10_000_000;

    private RiscvMap() {}

    /** The wired source of a PCI pin, swizzled over the device numbers as bridges do. */
    static int pinSource(int device, int pin) {
        return 1 + (device + pin - 1) % PCI_PINS;
    }
}
