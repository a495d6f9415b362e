package org.backplane.hart;

/**
 * What a hart is to forget, on another's request.
 *
 * @param kind what
 * @param start virtual address of the first page
 * @param pages number of pages
 * @param asid address space, or {@link #ANY_SPACE}
 */
record Fence(Kind kind, long start, int pages, int asid) {
    static final int ANY_SPACE = -1;

    /** More pages than this are not worth being dropped one by one. */
    private static final long MANY_PAGES = 64;

    /** Every translation, code included. */
    static final Fence ALL = new Fence(Kind.ALL, 0, 0, ANY_SPACE);

    static final Fence CODE = new Fence(Kind.CODE, 0, 0, ANY_SPACE);

    enum Kind {
        ALL,
        /** FENCE.I; who asks for it has made a new generation before. */
        CODE,
        SPACE,
        PAGES
    }

    /**
     * A remote SFENCE.VMA; size 0 with start 0, or all ones, is the whole address space (SBI 2.0,
     * section 8).
     */
    static Fence translations(long start, long size, int asid) {
        long first = start >>> Tlb.PAGE_BITS;
        long count = (start + size - 1 >>> Tlb.PAGE_BITS) - first + 1;
        if (start == 0 && size == 0 || size == -1 || size < 0 || count > MANY_PAGES) {
            return asid == ANY_SPACE ? ALL : new Fence(Kind.SPACE, 0, 0, asid);
        }
        return new Fence(Kind.PAGES, start & ~Tlb.PAGE_MASK, size == 0 ? 0 : (int) count, asid);
    }

    /** Has the hart whose MMU this is forget; on its thread. */
    void apply(Mmu mmu) {
        switch (kind) {
            case ALL:
                mmu.clear();
                break;
            case CODE:
                mmu.clearCode();
                break;
            case SPACE:
                mmu.dropSpace(asid);
                break;
            case PAGES:
                for (int i = 0; i < pages; i++) {
                    mmu.drop(start + ((long) i << Tlb.PAGE_BITS), asid);
                }
                break;
            default:
                throw new AssertionError(kind);
        }
    }
}
