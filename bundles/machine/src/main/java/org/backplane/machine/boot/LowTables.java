package org.backplane.machine.boot;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.backplane.hypervisor.X86Entry;
import org.backplane.machine.MachineException;

/** Small things in low memory that several boot protocols want. */
final class LowTables {
    private static final int PAGE = 4096;

    /** Flat segments of 4 GiB (Intel SDM, volume 3, section 3.4.5): code of 64 and of 32 bits. */
    private static final long CODE_64 = 0x00af_9b00_0000_ffffL;

    private static final long CODE_32 = 0x00cf_9b00_0000_ffffL;
    private static final long DATA = 0x00cf_9300_0000_ffffL;

    /** Present, writable; and a page of 2 MiB (Intel SDM, volume 3, table 4-18). */
    private static final long TABLE = 0x3;

    private static final long LARGE_PAGE = 0x83;
    private static final int GIBIBYTES = 4;
    private static final int ENTRIES = 512;
    private static final int LARGE_PAGE_BITS = 21;

    private final GuestRam ram;

    LowTables(GuestRam ram) {
        this.ram = ram;
    }

    /** A text that ends with a zero. */
    long text(String what, byte[] text) throws MachineException {
        return ram.putLow(what, Arrays.copyOf(text, text.length + 1), Long.BYTES);
    }

    /** Returns the end of a page. */
    long stack() throws MachineException {
        return ram.putLow("stack", new byte[PAGE], PAGE) + PAGE;
    }

    /** A descriptor table with the selectors of {@link X86Entry}. */
    X86Entry.Table gdt(boolean longMode) throws MachineException {
        byte[] table =
                ByteBuffer.allocate(X86Entry.DATA_SELECTOR + Long.BYTES)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(X86Entry.CODE_SELECTOR, longMode ? CODE_64 : CODE_32)
                        .putLong(X86Entry.DATA_SELECTOR, DATA)
                        .array();
        return new X86Entry.Table(ram.putLow("descriptor table", table, Long.BYTES), table.length);
    }

    /** Page tables that map the first 4 GiB where they are; returns the PML4. */
    long identityMap() throws MachineException {
        ByteBuffer directories =
                ByteBuffer.allocate(GIBIBYTES * PAGE).order(ByteOrder.LITTLE_ENDIAN);
        for (long page = 0; page < GIBIBYTES * ENTRIES; page++) {
            directories.putLong(page << LARGE_PAGE_BITS | LARGE_PAGE);
        }
        long first = ram.putLow("page directories", directories.array(), PAGE);
        ByteBuffer pointers = ByteBuffer.allocate(PAGE).order(ByteOrder.LITTLE_ENDIAN);
        for (int gibibyte = 0; gibibyte < GIBIBYTES; gibibyte++) {
            pointers.putLong(first + (long) gibibyte * PAGE | TABLE);
        }
        long table = ram.putLow("page directory pointers", pointers.array(), PAGE);
        ByteBuffer top = ByteBuffer.allocate(PAGE).order(ByteOrder.LITTLE_ENDIAN);
        return ram.putLow("page map", top.putLong(0, table | TABLE).array(), PAGE);
    }
}
