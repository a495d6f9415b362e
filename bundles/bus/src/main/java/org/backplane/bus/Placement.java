package org.backplane.bus;

/** Where in a window a claim goes. */
public sealed interface Placement {
    /**
     * The lowest free base that is a multiple of the alignment.
     *
     * @param alignment in bytes, a power of two
     */
    record Lowest(long alignment) implements Placement {
        public Lowest {
            if (Long.bitCount(alignment) != 1 || alignment < 0) {
                throw new IllegalArgumentException("alignment is no power of two: " + alignment);
            }
        }
    }

    /**
     * The lowest free base in a part of the window that is a multiple of the alignment; the claim
     * lies wholly inside of that part.
     *
     * @param part of the window; what of it is outside of the window is never free
     * @param alignment in bytes, a power of two
     */
    record LowestIn(AddressRange part, long alignment) implements Placement {
        public LowestIn {
            new Lowest(alignment);
        }
    }

    /** This base or nowhere. */
    record Exact(long base) implements Placement {}

    /**
     * The lowest base aligned to the size rounded up to a power of two, as PCI wants it.
     *
     * @param size in bytes, 1 to 2^62
     */
    static Placement natural(long size) {
        return new Lowest(naturalAlignment(size));
    }

    /**
     * As {@link #natural(long)}, in a part of the window.
     *
     * @param size in bytes, 1 to 2^62
     */
    static Placement naturalIn(AddressRange part, long size) {
        return new LowestIn(part, naturalAlignment(size));
    }

    private static long naturalAlignment(long size) {
        if (size <= 0 || size > 1L << 62) {
            throw new IllegalArgumentException("no size that can be aligned naturally: " + size);
        }
        long power = Long.highestOneBit(size);
        return power == size ? power : power << 1;
    }
}
