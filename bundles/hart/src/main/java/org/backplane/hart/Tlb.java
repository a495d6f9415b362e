package org.backplane.hart;

import java.util.Arrays;

/**
 * A direct-mapped translation buffer of 4 KiB pages, for one kind of access in one context of
 * privilege. Belongs to the hart's thread.
 *
 * <p>A tag is the page's virtual address with an address space in bits 10:3. A lookup compares the
 * tag with the accessed address, its offset cleared but for the bits that have to be zero when it
 * is aligned, so that misaligned accesses miss, too. Bit 11 is never part of a lookup.
 */
final class Tlb {
    static final int PAGE_BITS = 12;
    static final long PAGE_MASK = (1L << PAGE_BITS) - 1;

    /** Address spaces have this many bits: satp.ASID beyond reads as zero. */
    static final int SPACE_BITS = 8;

    static final int SPACE_SHIFT = 3;
    private static final long SPACE_MASK = ((1L << SPACE_BITS) - 1) << SPACE_SHIFT;

    /** Matches no lookup. */
    static final long EMPTY = 1L << 11;

    final long[] tags;

    /** What to add to a virtual address in the page with the tag of the same index. */
    final long[] deltas;

    /**
     * @param entries a power of two
     */
    Tlb(int entries) {
        tags = new long[entries];
        deltas = new long[entries];
        Arrays.fill(tags, EMPTY);
    }

    private int index(long address) {
        return (int) (address >>> PAGE_BITS) & tags.length - 1;
    }

    /** The index of the page's entry, or -1. */
    int find(long address, long space) {
        int index = index(address);
        return tags[index] == (address & ~PAGE_MASK | space) ? index : -1;
    }

    void fill(long address, long space, long delta) {
        int index = index(address);
        tags[index] = address & ~PAGE_MASK | space;
        deltas[index] = delta;
    }

    void clear() {
        Arrays.fill(tags, EMPTY);
    }

    /**
     * Drops the pages of an aligned region.
     *
     * @param bits of addresses inside the region, {@link #PAGE_BITS} for one page
     * @param space shifted into place, or -1 for any
     */
    void drop(long address, int bits, long space) {
        if (bits == PAGE_BITS) {
            dropIf(index(address), address, bits, space);
            return;
        }
        for (int i = 0; i < tags.length; i++) {
            dropIf(i, address, bits, space);
        }
    }

    private void dropIf(int index, long address, int bits, long space) {
        long tag = tags[index];
        if (tag >>> bits == address >>> bits && (space < 0 || (tag & SPACE_MASK) == space)) {
            tags[index] = EMPTY;
        }
    }

    void dropSpace(long space) {
        for (int i = 0; i < tags.length; i++) {
            if ((tags[i] & SPACE_MASK) == space) {
                tags[i] = EMPTY;
            }
        }
    }
}
