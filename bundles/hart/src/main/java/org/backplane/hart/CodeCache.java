package org.backplane.hart;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * The decoded pages of a VM, by physical page: direct-mapped, which bounds what they take to
 * {@value #PAGES} times 20 KiB. Thread-safe.
 *
 * <p>Each FENCE.I of a hart makes a new generation. Pages of an older one are compared with memory
 * when a hart next enters them, and fetched anew if they differ; harts that did not execute a
 * FENCE.I may stay in the old page.
 */
final class CodeCache {
    private static final int PAGES = 4096;

    private final AtomicReferenceArray<CodePage> pages = new AtomicReferenceArray<>(PAGES);
    private final AtomicInteger generation = new AtomicInteger();

    /** Orders this thread's earlier stores before the fetches of whoever enters a page after. */
    void newGeneration() {
        generation.incrementAndGet();
    }

    /**
     * The page, equal to what memory held at the last generation or later.
     *
     * @param address guest-physical, of the page
     * @param host where that is
     */
    CodePage page(long address, long host) {
        // Read before memory is: what a later FENCE.I orders, a comparison from here on may miss.
        int current = generation.get();
        int slot = slot(address);
        CodePage page = pages.get(slot);
        if (page != null && page.address() == address) {
            if (page.generation() == current || page.renew(host, current)) {
                return page;
            }
        }
        page = new CodePage(address, host, current);
        pages.set(slot, page);
        return page;
    }

    private static int slot(long address) {
        long number = address >>> Tlb.PAGE_BITS;
        return (int) (number ^ number >>> 12) & PAGES - 1;
    }

    /** Forgets every page: memory was replaced under them. */
    void clear() {
        for (int i = 0; i < PAGES; i++) {
            pages.set(i, null);
        }
        newGeneration();
    }
}
