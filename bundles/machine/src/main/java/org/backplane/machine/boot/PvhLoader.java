package org.backplane.machine.boot;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.OptionalLong;
import org.backplane.bus.AddressRange;
import org.backplane.hypervisor.X86Entry;
import org.backplane.machine.MachineException;

/**
 * An ELF kernel through the entry that its note XEN_ELFNOTE_PHYS32_ENTRY names (Xen,
 * docs/misc/pvh.pandoc, "x86/HVM direct boot ABI", and public/arch-x86/hvm/start_info.h, version
 * 1).
 */
final class PvhLoader implements Loader {
    private static final String NOTE_NAME = "Xen";
    private static final int PHYS32_ENTRY = 18;
    private static final int MAGIC = 0x336ec578;
    private static final int VERSION = 1;
    private static final int START_INFO_SIZE = 56;
    private static final int MODULE_SIZE = 32;
    private static final int MEMORY_MAP_ENTRY_SIZE = 24;

    static boolean recognises(ImageFile kernel) throws MachineException {
        return ElfFile.recognises(kernel)
                && ElfFile.read(kernel).note(NOTE_NAME, PHYS32_ENTRY).isPresent();
    }

    @Override
    public X86Entry load(ImageFile kernel, Boot boot) throws MachineException {
        ElfFile elf = ElfFile.read(kernel);
        OptionalLong entry = elf.note(NOTE_NAME, PHYS32_ENTRY);
        if (entry.isEmpty()) {
            throw kernel.refused(
                    "it has no note with a PVH entry; take a Linux with CONFIG_PVH, or its bzImage");
        }
        if (entry.getAsLong() >>> 32 != 0) {
            throw kernel.refused(
                    "its PVH entry 0x%x is no address of 32 bits; take another"
                            .formatted(entry.getAsLong()));
        }
        GuestRam ram = boot.ram();
        elf.load(ram);
        ram.requireEntry(kernel, entry.getAsLong());
        LowTables tables = new LowTables(ram);
        ByteBuffer info =
                ByteBuffer.allocate(START_INFO_SIZE)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putInt(MAGIC)
                        .putInt(VERSION)
                        .putInt(0);
        long modules = modules(boot);
        info.putInt(modules == 0 ? 0 : 1)
                .putLong(modules)
                .putLong(
                        tables.text(
                                "command line",
                                boot.commandLine().getBytes(StandardCharsets.UTF_8)))
                .putLong(boot.rsdp())
                .putLong(memoryMap(boot))
                .putInt(boot.map().entries().size());
        long at = ram.putLow("start info", info.array(), Long.BYTES);
        return new X86Entry.ProtectedMode(
                (int) entry.getAsLong(), 0, (int) at, 0, 0, tables.gdt(false));
    }

    /** The list of one module, or 0. */
    private static long modules(Boot boot) throws MachineException {
        if (boot.initrd().isEmpty()) {
            return 0;
        }
        try (ImageFile initrd = ImageFile.open("initrd", boot.initrd().get())) {
            AddressRange at = boot.ram().putHighest(initrd, "initrd", boot.ram().high().end());
            ByteBuffer module =
                    ByteBuffer.allocate(MODULE_SIZE)
                            .order(ByteOrder.LITTLE_ENDIAN)
                            .putLong(at.base())
                            .putLong(at.size());
            return boot.ram().putLow("module list", module.array(), Long.BYTES);
        }
    }

    private static long memoryMap(Boot boot) throws MachineException {
        ByteBuffer map =
                ByteBuffer.allocate(boot.map().entries().size() * MEMORY_MAP_ENTRY_SIZE)
                        .order(ByteOrder.LITTLE_ENDIAN);
        for (MemoryMap.Entry entry : boot.map().entries()) {
            map.putLong(entry.range().base())
                    .putLong(entry.range().size())
                    .putInt(entry.type())
                    .putInt(0);
        }
        return boot.ram().putLow("memory map", map.array(), Long.BYTES);
    }
}
