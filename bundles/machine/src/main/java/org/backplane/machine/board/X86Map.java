package org.backplane.machine.board;

import java.util.ArrayList;
import java.util.List;
import org.backplane.bus.AddressRange;
import org.backplane.machine.MachineException;
import org.backplane.machine.boot.MemoryMap;
import org.backplane.memory.GuestMemory.RamBank;
import org.backplane.pci.RootPortWindows;

/**
 * Where things lie on the x86-64 board: guest-physical addresses and I/O ports, in bytes. RAM goes
 * around what has to be below 4 GiB.
 *
 * @param ram in bytes
 * @param mmio32 for BARs of 32 bits; the ports have its end
 * @param window64 for 64-bit BARs, up to the end of the guest-physical address space; the ports
 *     have its end
 * @param portWindow64 for 64-bit prefetchable BARs behind each root port, in bytes
 */
record X86Map(long ram, AddressRange mmio32, AddressRange window64, long portWindow64) {
    private static final long KIBIBYTE = 1 << 10;
    private static final long MEGABYTE = 1 << 20;
    private static final long GIGABYTE = 1 << 30;
    private static final long FOUR_GIGABYTES = 4 * GIGABYTE;

    /** Less is no board: firmware's tables end there, and a kernel begins. */
    private static final long LEAST_RAM = 2 * MEGABYTE;

    /** Vectors of real-address mode and what a BIOS would keep behind them. */
    static final AddressRange VECTORS = new AddressRange(0, 0x500);

    /**
     * What loaders may use below 640 KiB: not the place of an extended BIOS data area, and not the
     * first page, which Linux takes out of RAM before it reads what loaders left there.
     */
    static final AddressRange LOW_MEMORY = new AddressRange(0x1000, 0x9_fc00 - 0x1000);

    /** RAM that kernels leave alone: firmware's. */
    static final AddressRange FIRMWARE = new AddressRange(0x9_fc00, MEGABYTE - 0x9_fc00);

    /** Where a root pointer is looked for (ACPI 6.5, section 5.2.5.1). */
    static final AddressRange ACPI = new AddressRange(0xe_0000, 128 * KIBIBYTE);

    private static final long ECAM_SIZE = 256 * MEGABYTE;

    private static final long MMIO_32_END = 0xfc00_0000L;
    private static final long OWN_MMIO_32 = 704 * MEGABYTE;
    static final long LEAST_MMIO_32 = 64 * MEGABYTE;

    /** Leaves 768 MiB to RAM, which kernels of 64 bits need to begin in. */
    static final long MOST_MMIO_32 = MMIO_32_END - GIGABYTE;

    static final long LEAST_MMIO_64 = GIGABYTE;

    /** Root ports, at device numbers of bus 0 that follow each other; their slots count from 1. */
    static final int PORTS = 8;

    private static final int FIRST_PORT = 0x10;

    /** One behind the port, and one for a bridge on the card. */
    private static final int PORT_BUSES = 2;

    /**
     * Buses that kernels are told of: those of bus 0 and the ports, in a round number. Linux reads
     * at every device number of each one that it is told of and has not found by itself.
     */
    static final int BUSES = 32;

    /** Devices that are not on PCI, and the engine's. */
    static final AddressRange PLATFORM = new AddressRange(0xfc00_0000L, 0x400_0000L);

    static final AddressRange IO_APIC = new AddressRange(0xfec0_0000L, 4 * KIBIBYTE);

    /** The local APIC, and where messages are stored to. */
    static final AddressRange LOCAL_APIC = new AddressRange(0xfee0_0000L, MEGABYTE);

    static final AddressRange ENGINE = new AddressRange(0xfffb_c000L, 16 * KIBIBYTE);

    /** I/O ports of devices that are not on PCI. */
    static final AddressRange PLATFORM_IO = new AddressRange(0, 0x1000);

    static final AddressRange PIC_MASTER = new AddressRange(0x20, 2);
    static final AddressRange PIC_SLAVE = new AddressRange(0xa0, 2);
    static final AddressRange PIC_LEVELS = new AddressRange(0x4d0, 2);
    static final AddressRange TIMER = new AddressRange(0x40, 4);
    static final AddressRange TIMER_GATE = new AddressRange(0x61, 1);
    static final AddressRange CONFIG_MECHANISM_1 = new AddressRange(0xcf8, 8);

    /** For BARs; the ports have its end. */
    static final AddressRange PCI_IO = new AddressRange(0x1000, 0xf000);

    private static final long PORT_IO = 4 * KIBIBYTE;

    /** Unless the size of the window is told. */
    private static final long LARGEST_PORT_WINDOW_64 = 64 * GIGABYTE;

    /**
     * What kernels with four levels of page tables take for physical addresses (Linux,
     * MAX_PHYSMEM_BITS). Processors that tell more may reach less as guests, which KVM does not say
     * before Linux 6.10; and most hosts have the same map.
     */
    private static final int MOST_ADDRESS_BITS = 46;

    /** Global system interrupts: as a PC has them, and PCI's pins behind. */
    static final int SCI = 9;

    static final int FIRST_PIN_SOURCE = 16;
    static final int PIN_SOURCES = 8;
    static final int SOURCES = 23;
    static final int PCI_PINS = 4;

    /**
     * @param addressBits of guest-physical addresses; the map uses 46 of them at most
     * @throws MachineException memory or a window does not fit into the address space, or is too
     *     little
     */
    static X86Map of(long ram, int addressBits, WindowSizes sizes) throws MachineException {
        if (ram < LEAST_RAM) {
            throw new MachineException(
                    "An x86-64 machine needs at least %d MiB of memory, not %d KiB; give more with --memory."
                            .formatted(LEAST_RAM / MEGABYTE, ram / KIBIBYTE));
        }
        long size32 =
                WindowSizes.judged(
                        WindowSizes.MMIO_32,
                        sizes.mmio32(),
                        OWN_MMIO_32,
                        LEAST_MMIO_32,
                        MOST_MMIO_32);
        AddressRange mmio32 = new AddressRange(MMIO_32_END - size32, size32);
        long lowRam = ecam(mmio32).base();
        long end = 1L << Math.min(addressBits, MOST_ADDRESS_BITS);
        long ramEnd = FOUR_GIGABYTES + Math.max(0, ram - lowRam);
        if (sizes.mmio64() != 0) {
            long size64 =
                    WindowSizes.judged(
                            WindowSizes.MMIO_64,
                            sizes.mmio64(),
                            0,
                            LEAST_MMIO_64,
                            end - FOUR_GIGABYTES);
            if (ramEnd > end - size64) {
                throw new MachineException(
                        "The processors address %d bits, where the memory leaves %s to the PCI window of 64 bits; give at most that with --mmio64, or less with --memory."
                                .formatted(
                                        addressBits, WindowSizes.text((end - ramEnd) & -MEGABYTE)));
            }
            return new X86Map(
                    ram, mmio32, new AddressRange(end - size64, size64), portShare(size64));
        }
        // The ports have the upper half if bus 0 can have the quarter below it, else half of that.
        long windows = ramEnd <= end / 4 ? end / 4 : end / 2;
        long ports = ramEnd <= end / 4 ? end / 2 : end / 4;
        if (ramEnd > windows) {
            throw new MachineException(
                    "The processors address %d bits, where at most %d GiB of memory leave room for PCI; give less with --memory."
                            .formatted(
                                    addressBits, (windows - FOUR_GIGABYTES + lowRam) / GIGABYTE));
        }
        long port = Math.min(LARGEST_PORT_WINDOW_64, ports / PORTS);
        return new X86Map(ram, mmio32, new AddressRange(windows, end - windows), port);
    }

    /** Of a window each port has a power of two, and all of them at most half. */
    private static long portShare(long window) {
        return Long.highestOneBit(window / 2 / PORTS);
    }

    /** Configuration space as memory: right below the BARs of 32 bits. */
    AddressRange ecam() {
        return ecam(mmio32);
    }

    private static AddressRange ecam(AddressRange mmio32) {
        return new AddressRange((mmio32.base() - ECAM_SIZE) & -ECAM_SIZE, ECAM_SIZE);
    }

    /** What is below 4 GiB and never RAM: windows and interrupt controllers. */
    AddressRange noRam() {
        return new AddressRange(ecam().base(), FOUR_GIGABYTES - ecam().base());
    }

    /** What bus 0 has of the windows of 32 and of 64 bits. */
    AddressRange rootMmio32() {
        return withoutPorts(mmio32, portShare(mmio32.size()));
    }

    AddressRange rootMmio64() {
        return withoutPorts(window64, portWindow64);
    }

    private static AddressRange withoutPorts(AddressRange window, long share) {
        return new AddressRange(window.base(), window.size() - PORTS * share);
    }

    /** Width of the guest-physical addresses that the map uses. */
    int addressBits() {
        return Long.numberOfTrailingZeros(window64.end());
    }

    /** RAM below the windows of 32 bits, and what is left above 4 GiB. */
    List<RamBank> banks() {
        List<RamBank> banks = new ArrayList<>();
        banks.add(new RamBank(0, lowRamEnd()));
        if (ram > ecam().base()) {
            banks.add(new RamBank(FOUR_GIGABYTES, ram - ecam().base()));
        }
        return banks;
    }

    private long lowRamEnd() {
        return Math.min(ram, ecam().base());
    }

    /** RAM from 1 MiB on that addresses of 32 bits reach. */
    AddressRange highMemory() {
        return new AddressRange(MEGABYTE, lowRamEnd() - MEGABYTE);
    }

    /** Device number on bus 0 of a port; ports count from 0. */
    static int portDevice(int port) {
        return FIRST_PORT + port;
    }

    /** What firmware gives a port; ports count from 0. */
    RootPortWindows port(int port) {
        int bus = 1 + port * PORT_BUSES;
        return new RootPortWindows(
                bus,
                bus + PORT_BUSES - 1,
                portShare(PCI_IO, PORT_IO, port),
                portShare(mmio32, portShare(mmio32.size()), port),
                portShare(window64, portWindow64, port));
    }

    private static AddressRange portShare(AddressRange window, long size, int port) {
        return new AddressRange(window.end() - (PORTS - port) * size, size);
    }

    MemoryMap memoryMap() {
        List<MemoryMap.Entry> entries = new ArrayList<>();
        entries.add(usable(new AddressRange(0, FIRMWARE.base())));
        entries.add(reserved(FIRMWARE));
        entries.add(usable(highMemory()));
        entries.add(reserved(ecam()));
        entries.add(reserved(PLATFORM));
        if (ram > ecam().base()) {
            entries.add(usable(new AddressRange(FOUR_GIGABYTES, ram - ecam().base())));
        }
        return new MemoryMap(entries);
    }

    private static MemoryMap.Entry usable(AddressRange range) {
        return new MemoryMap.Entry(range, MemoryMap.USABLE);
    }

    private static MemoryMap.Entry reserved(AddressRange range) {
        return new MemoryMap.Entry(range, MemoryMap.RESERVED);
    }

    /** The source of a PCI pin of bus 0; behind a port a pin has that of the port's number. */
    static int pinSource(int device, int pin) {
        return FIRST_PIN_SOURCE + (device + pin - 1) % PIN_SOURCES;
    }
}
