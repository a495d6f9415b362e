package org.backplane.machine.boot;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.backplane.bus.AddressRange;
import org.backplane.hypervisor.X86Entry;
import org.backplane.machine.MachineException;

/** A kernel with a Multiboot header (Multiboot Specification 0.6.96), with at most one module. */
final class MultibootLoader implements Loader {
    /** The header lies in the first 8 KiB, on a multiple of 4 (section 3.1). */
    private static final int SEARCHED = 8192;

    private static final int MAGIC = 0x1badb002;
    private static final int HEADER_SIZE = 12;
    private static final int ADDRESSES_SIZE = 32;

    /** Header flags (section 3.1.2). */
    private static final int PAGE_ALIGN = 1;

    private static final int MEMORY_INFO = 1 << 1;
    private static final int VIDEO_MODE = 1 << 2;
    private static final int REQUIREMENTS = 0xffff;
    private static final int ADDRESSES = 1 << 16;

    /** What EAX holds at the entry (section 3.2). */
    private static final int LOADER_MAGIC = 0x2badb002;

    /** Information (section 3.3): flags, and the offsets of what they speak of. */
    private static final int INFO_SIZE = 120;

    private static final int HAS_MEMORY = 1;
    private static final int HAS_COMMAND_LINE = 1 << 2;
    private static final int HAS_MODULES = 1 << 3;
    private static final int HAS_MEMORY_MAP = 1 << 6;
    private static final int HAS_LOADER_NAME = 1 << 9;
    private static final int MEMORY_LOWER = 4;
    private static final int MEMORY_UPPER = 8;
    private static final int COMMAND_LINE = 16;
    private static final int MODULES_COUNT = 20;
    private static final int MODULES = 24;
    private static final int MEMORY_MAP_LENGTH = 44;
    private static final int MEMORY_MAP = 48;
    private static final int LOADER_NAME = 64;

    private static final int MODULE_SIZE = 16;

    /** Of an entry of the memory map, its first field, the size of the others, not counted. */
    private static final int MEMORY_MAP_ENTRY_SIZE = 20;

    private static final int PAGE = 4096;
    private static final int KIBIBYTE = 1024;
    private static final long UPPER_MEMORY = 0x10_0000;

    /** A header that was found, at an offset in the file. */
    private record Header(int offset, int flags, ByteBuffer fields) {
        long address(int at) {
            return Integer.toUnsignedLong(fields.getInt(at));
        }
    }

    static boolean recognises(ImageFile kernel) throws MachineException {
        return find(kernel) != null;
    }

    /** Returns null if there is none. */
    private static Header find(ImageFile kernel) throws MachineException {
        int searched = (int) Math.min(kernel.size(), SEARCHED);
        ByteBuffer start = kernel.read("first 8 KiB", 0, searched);
        for (int at = 0; at <= searched - HEADER_SIZE; at += Integer.BYTES) {
            int flags = start.getInt(at + 4);
            if (start.getInt(at) == MAGIC && MAGIC + flags + start.getInt(at + 8) == 0) {
                ByteBuffer fields = start.slice(at, searched - at).order(ByteOrder.LITTLE_ENDIAN);
                return new Header(at, flags, fields);
            }
        }
        return null;
    }

    @Override
    public X86Entry load(ImageFile kernel, Boot boot) throws MachineException {
        Header header = find(kernel);
        if (header == null) {
            throw kernel.refused(
                    "it has no Multiboot header in its first 8 KiB; take another, or give its --format");
        }
        int unknown = header.flags & REQUIREMENTS & ~(PAGE_ALIGN | MEMORY_INFO);
        if (unknown != 0) {
            throw kernel.refused(
                    (unknown & VIDEO_MODE) != 0
                            ? "its Multiboot header requires a video mode, and there is no display; take another"
                            : "its Multiboot header requires what is unknown here (flags 0x%x); take another"
                                    .formatted(unknown));
        }
        long entry;
        if ((header.flags & ADDRESSES) != 0) {
            entry = loadByAddresses(kernel, header, boot.ram());
        } else {
            ElfFile elf = ElfFile.read(kernel);
            elf.load(boot.ram());
            entry = elf.entry();
        }
        if (entry >>> 32 != 0) {
            throw kernel.refused(
                    "its entry 0x%x is no address of 32 bits; take another".formatted(entry));
        }
        boot.ram().requireEntry(kernel, entry);
        long info = information(kernel, boot);
        return new X86Entry.ProtectedMode(
                (int) entry, LOADER_MAGIC, (int) info, 0, 0, new LowTables(boot.ram()).gdt(false));
    }

    /** Loads as the address fields say (section 3.1.3); returns the entry. */
    private static long loadByAddresses(ImageFile kernel, Header header, GuestRam ram)
            throws MachineException {
        if (header.fields.limit() < ADDRESSES_SIZE) {
            throw kernel.refused("its Multiboot header is cut off; take a whole copy");
        }
        long headerAddress = header.address(12);
        long load = header.address(16);
        long loadEnd = header.address(20);
        long bssEnd = header.address(24);
        long offset = header.offset - (headerAddress - load);
        long length = loadEnd == 0 ? kernel.size() - offset : loadEnd - load;
        if (headerAddress < load
                || offset < 0
                || length <= 0
                || bssEnd != 0 && bssEnd < load + length) {
            throw kernel.refused(
                    "its Multiboot addresses contradict each other (header 0x%x, load 0x%x to 0x%x, bss to 0x%x); take another"
                            .formatted(headerAddress, load, loadEnd, bssEnd));
        }
        ram.take(kernel, "kernel", load, bssEnd == 0 ? length : bssEnd - load);
        kernel.copy("kernel", offset, length, ram.host(load, length));
        return header.address(28);
    }

    private static long information(ImageFile kernel, Boot boot) throws MachineException {
        LowTables tables = new LowTables(boot.ram());
        ByteBuffer info = ByteBuffer.allocate(INFO_SIZE).order(ByteOrder.LITTLE_ENDIAN);
        int flags = HAS_MEMORY | HAS_COMMAND_LINE | HAS_MEMORY_MAP | HAS_LOADER_NAME;
        info.putInt(MEMORY_LOWER, (int) (boot.map().usableFrom(0) / KIBIBYTE));
        info.putInt(MEMORY_UPPER, (int) (boot.map().usableFrom(UPPER_MEMORY) / KIBIBYTE));
        // As other boot loaders do it, the kernel's name is the first word.
        String words = kernel.path().getFileName() + " " + boot.commandLine();
        info.putInt(COMMAND_LINE, text(tables, "command line", words));
        if (boot.initrd().isPresent()) {
            flags |= HAS_MODULES;
            info.putInt(MODULES_COUNT, 1).putInt(MODULES, module(boot, boot.initrd().get()));
        }
        byte[] map = memoryMap(boot.map());
        info.putInt(MEMORY_MAP_LENGTH, map.length)
                .putInt(MEMORY_MAP, (int) boot.ram().putLow("memory map", map, Long.BYTES))
                .putInt(LOADER_NAME, text(tables, "loader's name", "Backplane"))
                .putInt(0, flags);
        return boot.ram().putLow("Multiboot information", info.array(), Long.BYTES);
    }

    /** Loads the module and returns the list of it alone (section 3.3, "mods"). */
    private static int module(Boot boot, Path path) throws MachineException {
        try (ImageFile module = ImageFile.open("module", path)) {
            AddressRange at = boot.ram().putBehind(module, "module", PAGE);
            byte[] name = path.toString().getBytes(StandardCharsets.UTF_8);
            ByteBuffer list =
                    ByteBuffer.allocate(MODULE_SIZE)
                            .order(ByteOrder.LITTLE_ENDIAN)
                            .putInt((int) at.base())
                            .putInt((int) at.end())
                            .putInt((int) new LowTables(boot.ram()).text("module's name", name));
            return (int) boot.ram().putLow("module list", list.array(), Long.BYTES);
        }
    }

    private static int text(LowTables tables, String what, String text) throws MachineException {
        return (int) tables.text(what, text.getBytes(StandardCharsets.UTF_8));
    }

    private static byte[] memoryMap(MemoryMap map) {
        ByteBuffer bytes =
                ByteBuffer.allocate(map.entries().size() * (Integer.BYTES + MEMORY_MAP_ENTRY_SIZE))
                        .order(ByteOrder.LITTLE_ENDIAN);
        for (MemoryMap.Entry entry : map.entries()) {
            bytes.putInt(MEMORY_MAP_ENTRY_SIZE)
                    .putLong(entry.range().base())
                    .putLong(entry.range().size())
                    .putInt(entry.type());
        }
        return bytes.array();
    }
}
