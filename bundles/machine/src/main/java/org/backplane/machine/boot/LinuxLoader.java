package org.backplane.machine.boot;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.backplane.bus.AddressRange;
import org.backplane.hypervisor.X86Entry;
import org.backplane.machine.MachineException;

/**
 * A bzImage through its 64-bit entry (Linux, Documentation/arch/x86/boot.rst, "64-bit boot
 * protocol", and zero-page.rst), protocol 2.12 and later.
 */
final class LinuxLoader implements Loader {
    /** The setup header in the file, and in the zero page at the same offsets. */
    private static final int SETUP_SECTS = 0x1f1;

    private static final int SYSSIZE = 0x1f4;
    private static final int BOOT_FLAG = 0x1fe;
    private static final int JUMP_OFFSET = 0x201;
    private static final int HEADER = 0x202;
    private static final int VERSION = 0x206;
    private static final int TYPE_OF_LOADER = 0x210;
    private static final int LOADFLAGS = 0x211;
    private static final int RAMDISK_IMAGE = 0x218;
    private static final int RAMDISK_SIZE = 0x21c;
    private static final int CMD_LINE_PTR = 0x228;
    private static final int INITRD_ADDR_MAX = 0x22c;
    private static final int RELOCATABLE_KERNEL = 0x234;
    private static final int XLOADFLAGS = 0x236;
    private static final int CMDLINE_SIZE = 0x238;
    private static final int SETUP_DATA = 0x250;
    private static final int PREF_ADDRESS = 0x258;
    private static final int INIT_SIZE = 0x260;

    /** More than any header: its length is a byte, counted from HEADER. */
    private static final int SETUP_END = HEADER + 0x100;

    /** The zero page's own fields. */
    private static final int ACPI_RSDP_ADDR = 0x070;

    private static final int E820_ENTRIES = 0x1e8;
    private static final int E820_TABLE = 0x2d0;
    private static final int E820_ENTRY_SIZE = 20;
    private static final int E820_MOST = 128;
    private static final int ZERO_PAGE_SIZE = 4096;

    private static final int BOOT_FLAG_VALUE = 0xaa55;
    private static final int HEADER_VALUE = 0x53726448; // "HdrS"
    private static final int OLDEST_VERSION = 0x20c;
    private static final int LOADED_HIGH = 1;
    private static final int KERNEL_64 = 1;
    private static final int UNKNOWN_LOADER = 0xff;
    private static final int ENTRY_64 = 0x200;
    private static final int SECTOR = 512;
    private static final int PARAGRAPH = 16;
    private static final int DEFAULT_SETUP_SECTS = 4;
    private static final long HIGH_MEMORY = 0x10_0000;

    /** A node of setup_data: next, type, length, and content. */
    private static final int NODE_HEADER = 16;

    private static final int SETUP_RNG_SEED = 9;
    private static final int SEED_SIZE = 32;

    static boolean recognises(ImageFile kernel) throws MachineException {
        if (!kernel.holds(0, HEADER + Integer.BYTES)) {
            return false;
        }
        ByteBuffer start = kernel.read("setup header", 0, HEADER + Integer.BYTES);
        return u16(start, BOOT_FLAG) == BOOT_FLAG_VALUE && start.getInt(HEADER) == HEADER_VALUE;
    }

    private static int u8(ByteBuffer bytes, int at) {
        return Byte.toUnsignedInt(bytes.get(at));
    }

    private static int u16(ByteBuffer bytes, int at) {
        return Short.toUnsignedInt(bytes.getShort(at));
    }

    private static long u32(ByteBuffer bytes, int at) {
        return Integer.toUnsignedLong(bytes.getInt(at));
    }

    @Override
    public X86Entry load(ImageFile kernel, Boot boot) throws MachineException {
        if (!recognises(kernel)) {
            throw kernel.refused(
                    "it has no setup header of Linux; take a bzImage, such as /boot/vmlinuz");
        }
        ByteBuffer setup = kernel.read("setup header", 0, SETUP_END);
        requireProtocol(kernel, setup);
        long base = loadKernel(kernel, setup, boot.ram());

        byte[] commandLine = boot.commandLine().getBytes(StandardCharsets.UTF_8);
        long most = u32(setup, CMDLINE_SIZE);
        if (commandLine.length > most) {
            throw kernel.refused(
                    "it takes a command line of %d bytes, and this one has %d; shorten --append"
                            .formatted(most, commandLine.length));
        }
        ByteBuffer page = ByteBuffer.allocate(ZERO_PAGE_SIZE).order(ByteOrder.LITTLE_ENDIAN);
        int headerEnd = HEADER + u8(setup, JUMP_OFFSET);
        page.put(SETUP_SECTS, setup, SETUP_SECTS, headerEnd - SETUP_SECTS);
        page.put(TYPE_OF_LOADER, (byte) UNKNOWN_LOADER);
        LowTables tables = new LowTables(boot.ram());
        page.putInt(CMD_LINE_PTR, (int) tables.text("command line", commandLine));
        if (boot.initrd().isPresent()) {
            try (ImageFile initrd = ImageFile.open("initrd", boot.initrd().get())) {
                AddressRange at =
                        boot.ram().putHighest(initrd, "initrd", u32(setup, INITRD_ADDR_MAX) + 1);
                page.putInt(RAMDISK_IMAGE, (int) at.base()).putInt(RAMDISK_SIZE, (int) at.size());
            }
        }
        page.putLong(SETUP_DATA, boot.ram().putLow("random seed", seed(), Long.BYTES));
        page.putLong(ACPI_RSDP_ADDR, boot.rsdp());
        memoryMap(page, boot.map());
        long zeroPage = boot.ram().putLow("zero page", page.array(), ZERO_PAGE_SIZE);
        return new X86Entry.LongMode(
                base + ENTRY_64, zeroPage, tables.stack(), tables.identityMap(), tables.gdt(true));
    }

    private static void requireProtocol(ImageFile kernel, ByteBuffer setup)
            throws MachineException {
        int version = u16(setup, VERSION);
        if (version < OLDEST_VERSION
                || (u8(setup, LOADFLAGS) & LOADED_HIGH) == 0
                || (u16(setup, XLOADFLAGS) & KERNEL_64) == 0) {
            throw kernel.refused(
                    "it has no 64-bit entry (boot protocol %d.%02d, 2.12 is needed); take a bzImage of a 64-bit Linux 3.8 or later"
                            .formatted(version >> 8, version & 0xff));
        }
        int end = HEADER + u8(setup, JUMP_OFFSET);
        if (end < INIT_SIZE + Integer.BYTES) {
            throw kernel.refused(
                    "its setup header ends at 0x%x, before its fields do; take a whole copy"
                            .formatted(end));
        }
    }

    /** Returns where the protected-mode part is. */
    private static long loadKernel(ImageFile kernel, ByteBuffer setup, GuestRam ram)
            throws MachineException {
        int sectors = u8(setup, SETUP_SECTS);
        long offset = (sectors == 0 ? DEFAULT_SETUP_SECTS : sectors) * (long) SECTOR + SECTOR;
        long length = u32(setup, SYSSIZE) * PARAGRAPH;
        // The last paragraph may be a part of one.
        if (length <= PARAGRAPH || !kernel.holds(offset, length - PARAGRAPH + 1)) {
            throw kernel.refused(
                    "it has %d bytes, and its header speaks of %d; take a whole copy"
                            .formatted(kernel.size(), offset + length));
        }
        length = Math.min(length, kernel.size() - offset);
        long base = setup.get(RELOCATABLE_KERNEL) != 0 ? setup.getLong(PREF_ADDRESS) : HIGH_MEMORY;
        ram.take(kernel, "kernel", base, Math.max(length, u32(setup, INIT_SIZE)));
        if (base < HIGH_MEMORY || !ram.high().contains(base)) {
            throw kernel.refused(
                    "it goes to 0x%x, below 1 MiB or above 4 GiB; take another".formatted(base));
        }
        kernel.copy("kernel", offset, length, ram.host(base, length));
        return base;
    }

    private static byte[] seed() throws MachineException {
        return ByteBuffer.allocate(NODE_HEADER + SEED_SIZE)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(0)
                .putInt(SETUP_RNG_SEED)
                .putInt(SEED_SIZE)
                .put(RandomSeed.take(SEED_SIZE))
                .array();
    }

    private static void memoryMap(ByteBuffer page, MemoryMap map) {
        if (map.entries().size() > E820_MOST) {
            throw new IllegalArgumentException(map.entries().size() + " entries in a memory map");
        }
        int at = E820_TABLE;
        for (MemoryMap.Entry entry : map.entries()) {
            page.putLong(at, entry.range().base())
                    .putLong(at + 8, entry.range().size())
                    .putInt(at + 16, entry.type());
            at += E820_ENTRY_SIZE;
        }
        page.put(E820_ENTRIES, (byte) map.entries().size());
    }
}
