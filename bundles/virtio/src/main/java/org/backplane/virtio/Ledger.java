package org.backplane.virtio;

import org.backplane.memory.MemoryView;

/**
 * The chains of a queue that were taken and not completed, in the order in which they were taken.
 *
 * <p>One chain object for each descriptor that can be a head, made with the ring and reused; the
 * order is a list through the chains, so that nothing is allocated for a request. Used under the
 * queue's lock.
 */
final class Ledger {
    static final int NONE = -1;

    private final MemoryView memory;
    private final DescriptorChain[] chains;
    private int oldest = NONE;
    private int newest = NONE;
    private int outstanding;

    /** The first chain that is to be given out once more. */
    private int presentNext = NONE;

    Ledger(SplitQueue queue, MemoryView memory, int size) {
        this.memory = memory;
        this.chains = new DescriptorChain[size];
        for (int head = 0; head < size; head++) {
            chains[head] = new DescriptorChain(queue, head);
        }
    }

    /** The chain of a head, taken or not. */
    DescriptorChain chain(int head) {
        return chains[head];
    }

    int size() {
        return chains.length;
    }

    int outstanding() {
        return outstanding;
    }

    /**
     * Puts a chain at the young end.
     *
     * @param ticket the pin on guest memory, which {@link #leave} gives back
     */
    void enter(DescriptorChain chain, long ticket) {
        chain.ticket = ticket;
        chain.taken = true;
        chain.place = NONE;
        chain.older = newest;
        chain.newer = NONE;
        if (newest == NONE) {
            oldest = chain.head();
        } else {
            chains[newest].newer = chain.head();
        }
        newest = chain.head();
        outstanding++;
    }

    /** Takes a chain out and lets go of guest memory. */
    void leave(DescriptorChain chain) {
        if (presentNext == chain.head()) {
            presentNext = chain.newer;
        }
        if (chain.older == NONE) {
            oldest = chain.newer;
        } else {
            chains[chain.older].newer = chain.newer;
        }
        if (chain.newer == NONE) {
            newest = chain.older;
        } else {
            chains[chain.newer].older = chain.older;
        }
        chain.taken = false;
        outstanding--;
        memory.unpin(chain.ticket);
    }

    /**
     * A ledger of the same requests for another queue, to be presented again; this one keeps the
     * objects and nothing of their being out, so that a late completion of one is ignored.
     */
    Ledger handOver(SplitQueue queue) {
        var next = new Ledger(queue, memory, chains.length);
        for (int head = oldest; head != NONE; head = chains[head].newer) {
            DescriptorChain chain = chains[head];
            next.chains[head].copy(chain);
            next.enter(next.chains[head], chain.ticket);
            chain.taken = false;
        }
        next.presentAgain();
        return next;
    }

    void clear() {
        while (oldest != NONE) {
            leave(chains[oldest]);
        }
    }

    /** All that are out are to be given out once more, or only those from a head on. */
    void presentAgain(int from) {
        presentNext = from;
    }

    void presentAgain() {
        presentNext = oldest;
    }

    boolean presents() {
        return presentNext != NONE;
    }

    /** The head that {@link #nextPresented} gives, or NONE. */
    int presentNext() {
        return presentNext;
    }

    DescriptorChain nextPresented() {
        DescriptorChain again = chains[presentNext];
        presentNext = again.newer;
        again.place = NONE;
        return again;
    }

    /** The heads that are out, oldest first. */
    int[] heads() {
        int[] heads = new int[outstanding];
        int place = 0;
        for (int head = oldest; head != NONE; head = chains[head].newer) {
            heads[place++] = head;
        }
        return heads;
    }
}
