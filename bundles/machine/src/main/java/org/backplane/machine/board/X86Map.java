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
 * @param window64 for 64-bit BARs, up to the end of the guest-physical address space; the ports
 *     have its end
 * @param portWindow64 for 64-bit prefetchable BARs behind each root port, in bytes
 */
record X86Map(long ram, AddressRange window64, long portWindow64) {
    private static final long KIBIBYTE = 1 << 10;
    private static final long MEGABYTE = 1 << 20;
    private static final long GIGABYTE = 1 << 30;
    private static final long FOUR_GIGABYTES = 4 * GIGABYTE;

    /** Less is no board: firmware's tables end there, and a kernel begins. */
    private static final long LEAST_RAM = 2 * MEGABYTE;

    /** RAM that addresses of 32 bits reach ends here at most. */
    static final long LOW_RAM_END = 0xc000_0000L;

    /** Windows and interrupt controllers, whatever the size of RAM. */
    static final AddressRange NO_RAM = new AddressRange(LOW_RAM_END, FOUR_GIGABYTES - LOW_RAM_END);

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

    static final AddressRange ECAM = new AddressRange(0xc000_0000L, 256 * MEGABYTE);

    /** For BARs; the ports have its end. */
    static final AddressRange PCI_MMIO_32 = new AddressRange(0xd000_0000L, 0x2c00_0000L);

    /** Root ports, at device numbers of bus 0 that follow each other; their slots count from 1. */
    static final int PORTS = 8;

    private static final int FIRST_PORT = 0x10;
    private static final long PORT_MMIO_32 = 32 * MEGABYTE;

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
     * @throws MachineException memory does not fit into the address space, or is too little
     */
    static X86Map of(long ram, int addressBits) throws MachineException {
        if (ram < LEAST_RAM) {
            throw new MachineException(
                    "An x86-64 machine needs at least %d MiB of memory, not %d KiB; give more with --memory."
                            .formatted(LEAST_RAM / MEGABYTE, ram / KIBIBYTE));
        }
        long end = 1L << Math.min(addressBits, MOST_ADDRESS_BITS);
        long ramEnd = FOUR_GIGABYTES + Math.max(0, ram - LOW_RAM_END);
        // The ports have the upper half if bus 0 can have the quarter below it, else half of that.
        long windows = ramEnd <= end / 4 ? end / 4 : end / 2;
        long ports = ramEnd <= end / 4 ? end / 2 : end / 4;
        if (ramEnd > windows) {
            throw new MachineException(
                    "The processors address %d bits, where at most %d GiB of memory leave room for PCI; give less with --memory."
                            .formatted(
                                    addressBits,
                                    (windows - FOUR_GIGABYTES + LOW_RAM_END) / GIGABYTE));
        }
        long port = Math.min(LARGEST_PORT_WINDOW_64, ports / PORTS);
        return new X86Map(ram, new AddressRange(windows, end - windows), port);
    }

    /** Width of the guest-physical addresses that the map uses. */
    int addressBits() {
        return Long.numberOfTrailingZeros(window64.end());
    }

    /** RAM below the windows of 32 bits, and what is left above 4 GiB. */
    List<RamBank> banks() {
        List<RamBank> banks = new ArrayList<>();
        banks.add(new RamBank(0, lowRamEnd()));
        if (ram > LOW_RAM_END) {
            banks.add(new RamBank(FOUR_GIGABYTES, ram - LOW_RAM_END));
        }
        return banks;
    }

    private long lowRamEnd() {
        return Math.min(ram, LOW_RAM_END);
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
                portShare(PCI_MMIO_32, PORT_MMIO_32, port),
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
        entries.add(reserved(ECAM));
        entries.add(reserved(PLATFORM));
        if (ram > LOW_RAM_END) {
            entries.add(usable(new AddressRange(FOUR_GIGABYTES, ram - LOW_RAM_END)));
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
