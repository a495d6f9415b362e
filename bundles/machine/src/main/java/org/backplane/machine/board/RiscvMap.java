package org.backplane.machine.board;

import org.backplane.bus.AddressRange;
import org.backplane.machine.MachineException;

/**
 * Where things lie on the RISC-V board: guest-physical addresses, in bytes.
 *
 * @param ram moves above 4 GiB where the window below needs its place
 * @param config PCI configuration space: {@link #ECAM}, or {@link #CAM} of kvmtool's old map
 * @param io ports of PCI
 * @param mmio32 for BARs of 32 bits
 * @param mmio64 for BARs of 64 bits; above any RAM, below the 56 bits that Sv39 translates to; null
 *     where the other window has them all
 */
record RiscvMap(
        AddressRange ram,
        AddressRange config,
        AddressRange io,
        AddressRange mmio32,
        AddressRange mmio64) {
    /** Devices that the guest cannot discover, and the windows onto PCI. */
    static final AddressRange PLATFORM = new AddressRange(0x0000_1000L, 0x3fff_f000L);

    /** 64 KiB of memory addresses that reach I/O space. */
    static final AddressRange IO_APERTURE = new AddressRange(0x0300_0000L, 0x1_0000L);

    static final AddressRange APLIC = new AddressRange(0x0d00_0000L, 0x8000L);

    /** One interrupt file of 4 KiB a hart. */
    static final AddressRange IMSIC = new AddressRange(0x2800_0000L, 0x10_0000L);

    static final AddressRange ECAM = new AddressRange(0x3000_0000L, 0x1000_0000L);
    private static final long MMIO_32_BASE = 0x4000_0000L;
    private static final long OWN_MMIO_32 = 0x4000_0000L;
    private static final long FOUR_GIGABYTES = 0x1_0000_0000L;
    static final long LEAST_MMIO = WindowSizes.MEGABYTE;
    static final long MOST_MMIO_32 = FOUR_GIGABYTES - MMIO_32_BASE;
    static final long MOST_MMIO_64 = 1L << 54;

    /** Where the window of 64 bits begins unless it is larger, and how large it is unless told. */
    private static final long OWN_MMIO_64 = 0x100_0000_0000L;

    private static final long OWN_RAM_BASE = 0x8000_0000L;

    /** I/O ports of devices that are not on PCI; port 0 would read as "not assigned" in a BAR. */
    static final AddressRange PLATFORM_IO = new AddressRange(0, 0x1000);

    private static final AddressRange PCI_IO = new AddressRange(0x1000, 0xf000);

    // kvmtool's map for arm64 before 2021: 256 bytes of configuration space a function, and all
    // BARs of memory in one window.
    static final AddressRange CAM = new AddressRange(0x4000_0000L, 0x100_0000L);
    private static final AddressRange CAM_IO = new AddressRange(0x7000, 0x9000);

    /**
     * Where no BAR is put on that board: to Linux the window begins at port 0, which it takes for
     * no port at all, and on this board it moves no BAR.
     */
    static final AddressRange CAM_NO_PORT = new AddressRange(0x7000, 4);

    private static final AddressRange CAM_MMIO = new AddressRange(0x4100_0000L, 0x3f00_0000L);

    static final long IMSIC_STRIDE = 0x1000;

    /** Highest identity of an interrupt file. */
    static final int IDENTITIES = 255;

    /** Highest wired source: the PCI pins are 1 to 4, the others have one owner each. */
    static final int SOURCES = 63;

    static final int PCI_PINS = 4;

    /** Of the {@code time} CSR, in Hz. */
    static final long TIMEBASE_FREQUENCY = 10_000_000;

    /**
     * @param ramSize in bytes
     * @throws MachineException a window cannot have its size, or memory runs into one
     */
    static RiscvMap of(long ramSize, WindowSizes windows) throws MachineException {
        long mmio32 =
                WindowSizes.judged(
                        WindowSizes.MMIO_32,
                        windows.mmio32(),
                        OWN_MMIO_32,
                        LEAST_MMIO,
                        MOST_MMIO_32);
        long mmio64 =
                WindowSizes.judged(
                        WindowSizes.MMIO_64,
                        windows.mmio64(),
                        OWN_MMIO_64,
                        LEAST_MMIO,
                        MOST_MMIO_64);
        long ramBase = MMIO_32_BASE + mmio32 > OWN_RAM_BASE ? FOUR_GIGABYTES : OWN_RAM_BASE;
        // On a multiple of its size, so that a BAR may have all of it.
        long above = Math.max(OWN_MMIO_64, Long.highestOneBit(mmio64 - 1) << 1);
        if (ramSize > above - ramBase) {
            throw new MachineException(
                    "%s of memory run into the PCI window of 64 bits at 0x%x; give less with --memory."
                            .formatted(WindowSizes.text(ramSize), above));
        }
        return new RiscvMap(
                new AddressRange(ramBase, ramSize),
                ECAM,
                PCI_IO,
                new AddressRange(MMIO_32_BASE, mmio32),
                new AddressRange(above, mmio64));
    }

    /**
     * The map of the board {@code riscv-cam}.
     *
     * @param ramSize in bytes
     * @throws MachineException a window's size was asked for
     */
    static RiscvMap cam(long ramSize, WindowSizes windows) throws MachineException {
        if (!windows.equals(WindowSizes.OWN)) {
            throw new MachineException(
                    "The board %s has one PCI window of a fixed size; leave out %s and %s, or --board."
                            .formatted(Boards.RISCV_CAM, WindowSizes.MMIO_32, WindowSizes.MMIO_64));
        }
        return new RiscvMap(new AddressRange(OWN_RAM_BASE, ramSize), CAM, CAM_IO, CAM_MMIO, null);
    }

    /**
     * Whether the kernel is to leave BARs where firmware placed them ({@code
     * linux,pci-probe-only}).
     */
    boolean probeOnly() {
        return config.equals(CAM);
    }

    /** The wired source of a PCI pin, swizzled over the device numbers as bridges do. */
    static int pinSource(int device, int pin) {
        return 1 + (device + pin - 1) % PCI_PINS;
    }
}
