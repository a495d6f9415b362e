package org.backplane.hart;

import java.util.Arrays;

/**
 * Remembers, with errors on the safe side, in which regions 4 KiB translations came from larger
 * pages: all of those have to go when a fence names any address in it. Belongs to the hart's
 * thread.
 */
final class SuperpageFilter {
    private static final int BITS = 4096;
    private static final int MEGAPAGE = Sv39.pageBits(1);
    private static final int GIGAPAGE = Sv39.pageBits(2);

    private final long[] megapages = new long[BITS / Long.SIZE];
    private final long[] gigapages = new long[BITS / Long.SIZE];

    /**
     * @param pageBits log2 of the page's size
     */
    void add(long address, int pageBits) {
        long[] set = pageBits == GIGAPAGE ? gigapages : megapages;
        int hash = hash(address, pageBits);
        set[hash / Long.SIZE] |= 1L << hash;
    }

    /** log2 of the size of the largest page that may hold the address. */
    int bits(long address) {
        if (contains(gigapages, hash(address, GIGAPAGE))) {
            return GIGAPAGE;
        }
        return contains(megapages, hash(address, MEGAPAGE)) ? MEGAPAGE : Tlb.PAGE_BITS;
    }

    private static boolean contains(long[] set, int hash) {
        return (set[hash / Long.SIZE] >>> hash & 1) != 0;
    }

    private static int hash(long address, int pageBits) {
        return (int) (address >>> pageBits) & BITS - 1;
    }

    void clear() {
        Arrays.fill(megapages, 0);
        Arrays.fill(gigapages, 0);
    }
}
