package org.backplane.hart;

import java.util.Arrays;

/** Translates pages to their decoded instructions, tagged as a {@link Tlb}. */
final class CodeTlb {
    final long[] tags;
    final CodePage[] pages;
    private final Tlb shape;

    CodeTlb(int entries) {
        shape = new Tlb(entries);
        tags = shape.tags;
        pages = new CodePage[entries];
    }

    void fill(long address, long space, CodePage page) {
        shape.fill(address, space, 0);
        pages[shape.find(address, space)] = page;
    }

    /** The page, or null. */
    CodePage find(long address, long space) {
        int entry = shape.find(address, space);
        return entry < 0 ? null : pages[entry];
    }

    void clear() {
        shape.clear();
        Arrays.fill(pages, null);
    }

    void drop(long address, int bits, long space) {
        shape.drop(address, bits, space);
    }

    void dropSpace(long space) {
        shape.dropSpace(space);
    }
}
