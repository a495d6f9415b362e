package org.backplane.hart;

/** Sv39 page tables (privileged architecture 1.12, section 4.4). */
final class Sv39 {
    static final long VALID = 1;
    static final long READ = 1 << 1;
    static final long WRITE = 1 << 2;
    static final long EXECUTE = 1 << 3;
    static final long USER = 1 << 4;
    static final long GLOBAL = 1 << 5;
    static final long ACCESSED = 1 << 6;
    static final long DIRTY = 1 << 7;

    static final int LEVELS = 3;
    static final int ENTRY_BYTES = 8;

    /** satp.MODE, bits 63:60. */
    static final int MODE_BARE = 0;

    static final int MODE_SV39 = 8;

    private static final int PPN_SHIFT = 10;
    private static final int PPN_BITS = 44;
    private static final int INDEX_BITS = 9;
    private static final int ADDRESS_BITS = 39;

    private Sv39() {}

    static int mode(long satp) {
        return (int) (satp >>> 60);
    }

    static int asid(long satp) {
        return (int) (satp >>> PPN_BITS) & 0xffff;
    }

    /** Physical address of the root page table. */
    static long root(long satp) {
        return (satp & (1L << PPN_BITS) - 1) << Tlb.PAGE_BITS;
    }

    /** Whether bits 63:39 of a virtual address equal bit 38. */
    static boolean canonical(long address) {
        int shift = Long.SIZE - ADDRESS_BITS;
        return address << shift >> shift == address;
    }

    /** Offset in bytes of the entry for an address in a table; level 2 is the root's. */
    static long offset(long address, int level) {
        return (address >>> pageBits(level) & (1 << INDEX_BITS) - 1) * ENTRY_BYTES;
    }

    /** log2 of the size of a page whose leaf is in a level's table. */
    static int pageBits(int level) {
        return Tlb.PAGE_BITS + INDEX_BITS * level;
    }

    static boolean leaf(long entry) {
        return (entry & (READ | EXECUTE)) != 0;
    }

    /**
     * Whether an entry is valid and no reserved combination: writable is readable, pointers have
     * neither U, A nor D, and bits 63:54 (Svnapot, Svpbmt, reserved) are zero.
     */
    static boolean wellFormed(long entry) {
        if ((entry & VALID) == 0 || entry >>> PPN_SHIFT + PPN_BITS != 0) {
            return false;
        }
        if ((entry & (READ | WRITE)) == WRITE) {
            return false;
        }
        return leaf(entry) || (entry & (USER | ACCESSED | DIRTY)) == 0;
    }

    /** Physical address that an entry points to. */
    static long target(long entry) {
        return (entry >>> PPN_SHIFT & (1L << PPN_BITS) - 1) << Tlb.PAGE_BITS;
    }
}
