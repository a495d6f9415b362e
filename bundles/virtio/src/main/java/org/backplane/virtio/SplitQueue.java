package org.backplane.virtio;

import org.backplane.memory.MemoryView;

/**
 * The device's side of a split virtqueue (virtio 1.2, section 2.7), owned by the slot. Used by one
 * worker at a time; {@link #complete} may come from another thread, in any order.
 *
 * <p>The queue keeps a ledger of the chains that were taken and not completed. It stays with the
 * slot when the device behind it is replaced.
 *
 * <p>Threads: the ring positions and the ledger are under the queue's own lock, which is held for
 * one chain's walk at most and never while something outside of the queue is called. The other side
 * of the ring is the guest, which knows no lock: {@link RingMemory} has the ordering.
 *
 * <p>A queue whose driver breaks the rules stops: {@link #poll} gives nothing more, completions
 * store nothing, the device needs reset. A queue that is disabled, or whose device the driver is
 * resetting, gives nothing either. No method throws for what a guest did.
 */
public final class SplitQueue {
    private static final String LEFT_MEMORY = "the ring is no longer in memory";

    private final int index;
    private final MemoryView memory;
    private final QueueTransport transport;
    private final ChainReader reader;
    private final Object lock = new Object();

    // All below under the lock.
    private RingState state = RingState.DISABLED;

    /** Null while disabled. */
    private RingMemory ring;

    private Ledger ledger;

    /** The next entry of the available ring to take; free-running, 16 bits. */
    private int nextAvailable;

    /** The used index as the driver sees it; ours, never read back. Free-running, 16 bits. */
    private int usedIndex;

    /** The used index when the driver was last interrupted, or could have been. */
    private int signalledUsed;

    /** Whether that is known: not after a restore, nor once the index went round since. */
    private boolean signalledKnown;

    private boolean wantsDoorbell;

    /** Completions of chains that were not out. */
    private long lateCompletions;

    /** Whether the driver was told to ring the doorbell for the chain at nextAvailable. */
    private boolean armed;

    // Totals of what was completed.
    private long requests;
    private long bytesRead;
    private long bytesWritten;

    SplitQueue(int index, MemoryView memory, QueueTransport transport) {
        this.index = index;
        this.memory = memory;
        this.transport = transport;
        this.reader = new ChainReader(memory);
        this.ledger = new Ledger(this, memory, 0);
    }

    public int index() {
        return index;
    }

    /** Descriptors in the ring; 0 while it is disabled. */
    public int size() {
        synchronized (lock) {
            return ring == null ? 0 : ring.size();
        }
    }

    /**
     * Takes the next available chain into the ledger; null if there is none, or if the ring is
     * broken and the device now needs reset. The chain object is reused after its completion.
     *
     * <p>After null the driver rings the doorbell for the next chain, unless notifications are
     * disabled: no chain is left lying without a signal.
     */
    public DescriptorChain poll() {
        String problem;
        synchronized (lock) {
            if (state != RingState.RUNNING) {
                return null;
            }
            if (ledger.presents()) {
                return ledger.nextPresented();
            }
            long ticket = memory.pin();
            DescriptorChain taken = null;
            try {
                if (!ring.locate()) {
                    problem = LEFT_MEMORY;
                } else {
                    int published = published();
                    if (published == nextAvailable) {
                        return null;
                    }
                    int head = ring.availableHead(nextAvailable);
                    problem = headProblem(head, published);
                    if (problem == null) {
                        problem = reader.read(ledger.chain(head), ring.setup(), ring.table());
                    }
                    if (problem == null) {
                        taken = ledger.chain(head);
                        ledger.enter(taken, ticket);
                        taken.place = nextAvailable;
                        nextAvailable = (nextAvailable + 1) & 0xffff;
                        armed = false;
                        return taken;
                    }
                }
                state = RingState.BROKEN;
            } finally {
                if (taken == null) {
                    memory.unpin(ticket);
                }
            }
        }
        transport.broken(index, problem);
        return null;
    }

    /**
     * Returns a chain to the driver. One that is no longer out, because the driver reset the device
     * meanwhile, is ignored.
     *
     * @param written bytes stored into its writable part, from its start
     * @throws IllegalArgumentException if the device claims more than the chain has room for, or
     *     the chain is another queue's
     */
    public void complete(DescriptorChain chain, int written) {
        if (!chain.isOf(this)) {
            throw new IllegalArgumentException("the chain is not of queue " + index);
        }
        synchronized (lock) {
            if (!chain.taken) {
                lateCompletions++;
                return;
            }
            checkRoom(chain, written);
            // The chain's own pin still holds while the used ring is written.
            boolean stored = !storing() || putUsed(chain, written);
            ledger.leave(chain);
            if (stored) {
                return;
            }
            state = RingState.BROKEN;
        }
        transport.broken(index, LEFT_MEMORY);
    }

    /**
     * Returns several chains at once: the driver sees all of them or none (virtio 1.2, section
     * 5.1.6.4, wants that of a network device's merged buffers). Chains that are no longer out are
     * ignored, all of them.
     *
     * @param chains in the order in which the driver sees them
     * @param count how many of the array are meant
     * @param written for each, as in {@link #complete(DescriptorChain, int)}
     * @throws IllegalArgumentException as there
     */
    public void complete(DescriptorChain[] chains, int count, int[] written) {
        for (int i = 0; i < count; i++) {
            if (!chains[i].isOf(this)) {
                throw new IllegalArgumentException("a chain is not of queue " + index);
            }
        }
        synchronized (lock) {
            for (int i = 0; i < count; i++) {
                if (!chains[i].taken) {
                    return;
                }
                checkRoom(chains[i], written[i]);
            }
            // The chains' own pins still hold while the used ring is written.
            boolean stored = !storing() || putUsed(chains, count, written);
            for (int i = 0; i < count; i++) {
                ledger.leave(chains[i]);
            }
            if (stored) {
                return;
            }
            state = RingState.BROKEN;
        }
        transport.broken(index, LEFT_MEMORY);
    }

    /**
     * Gives a chain back as if it had not been taken: the next {@link #poll} gives it again. Of
     * several, the one that was taken last goes back first. One that is no longer out is ignored.
     *
     * <p>Of the thread that polls. The device has stored nothing there that counts.
     *
     * @throws IllegalArgumentException if a chain that was taken later is out still, or completed
     */
    public void putBack(DescriptorChain chain) {
        if (!chain.isOf(this)) {
            throw new IllegalArgumentException("the chain is not of queue " + index);
        }
        synchronized (lock) {
            if (!chain.taken) {
                return;
            }
            if (chain.place == Ledger.NONE) {
                ledger.presentAgain(chain.head());
                return;
            }
            if (chain.place != ((nextAvailable - 1) & 0xffff)) {
                throw new IllegalArgumentException(
                        "chain %d was not taken last".formatted(chain.head()));
            }
            ledger.leave(chain);
            nextAvailable = chain.place;
            armed = false;
        }
    }

    /** Interrupts the driver if it asked for that since the last time. */
    public void interrupt() {
        synchronized (lock) {
            if (!storing() || (signalledKnown && signalledUsed == usedIndex)) {
                return;
            }
            long ticket = memory.pin();
            boolean wanted;
            try {
                int before = signalledKnown ? signalledUsed : -1;
                wanted = ring.locate() && ring.fenceThenInterruptWanted(usedIndex, before);
            } finally {
                memory.unpin(ticket);
            }
            signalledUsed = usedIndex;
            signalledKnown = true;
            if (!wanted) {
                return;
            }
        }
        transport.usedBuffers(index);
    }

    /** Suppresses doorbells while the worker is busy; a hint that the driver may overlook. */
    public void disableNotifications() {
        synchronized (lock) {
            wantsDoorbell = false;
            if (state != RingState.RUNNING || ring.eventIndex()) {
                return;
            }
            long ticket = memory.pin();
            try {
                if (ring.locate()) {
                    ring.wantNoDoorbell();
                    armed = false;
                }
            } finally {
                memory.unpin(ticket);
            }
        }
    }

    /**
     * Wants doorbells again; true if chains came in between, so that the caller polls once more.
     */
    public boolean enableNotifications() {
        synchronized (lock) {
            wantsDoorbell = true;
            if (state != RingState.RUNNING) {
                return false;
            }
            long ticket = memory.pin();
            try {
                return ledger.presents()
                        || (ring.locate() && publishedAfterArming() != nextAvailable);
            } finally {
                memory.unpin(ticket);
            }
        }
    }

    /** The driver broke the protocol: DEVICE_NEEDS_RESET, this device only. */
    public void broken(String reason) {
        synchronized (lock) {
            if (!storing()) {
                return;
            }
            state = RingState.BROKEN;
        }
        transport.broken(index, reason);
    }

    /** Chains taken and not completed. */
    public int outstanding() {
        synchronized (lock) {
            return ledger.outstanding();
        }
    }

    // The transport's side, through QueuePort.

    long lateCompletions() {
        synchronized (lock) {
            return lateCompletions;
        }
    }

    QueueTraffic traffic() {
        synchronized (lock) {
            return new QueueTraffic(requests, bytesRead, bytesWritten);
        }
    }

    /** Starts at the beginning of a ring that was checked. */
    void enable(RingSetup setup) {
        synchronized (lock) {
            clear();
            ring = new RingMemory(memory, setup);
            if (ledger.size() != setup.size()) {
                ledger = new Ledger(this, memory, setup.size());
            }
            state = RingState.RUNNING;
        }
    }

    void halt() {
        synchronized (lock) {
            if (state == RingState.RUNNING) {
                state = RingState.HALTED;
            }
        }
    }

    void disable() {
        synchronized (lock) {
            clear();
        }
    }

    void presentAgain() {
        synchronized (lock) {
            ledger.presentAgain();
        }
    }

    /**
     * Hands ring, positions and ledger to a queue of its own, which presents every request of the
     * ledger again. This one gives, stores and tells nothing any more: its device was cut off, and
     * a thread of it may come back late and go on with chains that are another's now.
     */
    SplitQueue successor() {
        var next = new SplitQueue(index, memory, transport);
        synchronized (lock) {
            next.adopt(this);
            ledger = new Ledger(this, memory, 0);
            state = RingState.DISABLED;
            ring = null;
        }
        return next;
    }

    /** Under the lock of the one before; nobody knows this one yet. */
    private void adopt(SplitQueue before) {
        synchronized (lock) {
            state = before.state;
            ring = before.ring;
            ledger = before.ledger.handOver(this);
            nextAvailable = before.nextAvailable;
            usedIndex = before.usedIndex;
            signalledUsed = before.signalledUsed;
            signalledKnown = before.signalledKnown;
            wantsDoorbell = before.wantsDoorbell;
            armed = before.armed;
            requests = before.requests;
            bytesRead = before.bytesRead;
            bytesWritten = before.bytesWritten;
        }
    }

    QueueState save() {
        synchronized (lock) {
            return new QueueState(
                    state,
                    nextAvailable,
                    usedIndex,
                    wantsDoorbell,
                    ledger.presentNext(),
                    ledger.heads());
        }
    }

    /**
     * Takes positions and ledger from a saved state that was checked, after {@link #enable}. The
     * chains of the ledger are read again: a driver that changed their descriptors meanwhile, or
     * put them where memory no longer is, broke the ring.
     *
     * @return null, or what is broken
     */
    String restore(QueueState saved) {
        synchronized (lock) {
            nextAvailable = saved.nextAvailable();
            usedIndex = saved.usedIndex();
            signalledKnown = false;
            wantsDoorbell = saved.wantsDoorbell();
            state = saved.state();
            for (int head : saved.ledger()) {
                long ticket = memory.pin();
                DescriptorChain chain = ledger.chain(head);
                String problem =
                        ring.locate()
                                ? reader.read(chain, ring.setup(), ring.table())
                                : LEFT_MEMORY;
                if (problem != null) {
                    memory.unpin(ticket);
                    state = RingState.BROKEN;
                    return problem;
                }
                ledger.enter(chain, ticket);
            }
            ledger.presentAgain(saved.presentNext());
            return null;
        }
    }

    // Under the lock.

    /** Whether completions reach the driver. */
    private boolean storing() {
        return state == RingState.RUNNING || state == RingState.HALTED;
    }

    /**
     * The driver's index. If it shows nothing new, and unless notifications are disabled, the
     * driver has been told to ring for the next chain.
     */
    private int published() {
        int published = ring.availableIndexAcquire();
        return published == nextAvailable && wantsDoorbell ? publishedAfterArming() : published;
    }

    private int publishedAfterArming() {
        if (!armed) {
            ring.wantDoorbellThenFence(nextAvailable);
            armed = true;
        }
        return ring.availableIndexAcquire();
    }

    private String headProblem(int head, int published) {
        if (((published - nextAvailable) & 0xffff) > ring.size()) {
            return "the available index went from %d to %d in a queue of %d"
                    .formatted(nextAvailable, published, ring.size());
        }
        if (head >= ring.size()) {
            return "head %d in a queue of %d".formatted(head, ring.size());
        }
        if (ledger.chain(head).taken) {
            return "head %d offered again before it was used".formatted(head);
        }
        return null;
    }

    private static void checkRoom(DescriptorChain chain, int written) {
        if (written < 0 || written > chain.writableLength()) {
            throw new IllegalArgumentException(
                    "%d bytes written to chain %d, which has room for %d"
                            .formatted(written, chain.head(), chain.writableLength()));
        }
    }

    private boolean putUsed(DescriptorChain chain, int written) {
        if (!ring.locate()) {
            return false;
        }
        putEntry(chain, written);
        ring.putUsedIndexRelease(usedIndex);
        return true;
    }

    private boolean putUsed(DescriptorChain[] chains, int count, int[] written) {
        if (!ring.locate()) {
            return false;
        }
        for (int i = 0; i < count; i++) {
            putEntry(chains[i], written[i]);
        }
        ring.putUsedIndexRelease(usedIndex);
        return true;
    }

    /** The driver sees it with the index. */
    private void putEntry(DescriptorChain chain, int written) {
        ring.putUsedEntry(usedIndex, chain.head(), written);
        usedIndex = (usedIndex + 1) & 0xffff;
        requests++;
        bytesRead += chain.readableLength();
        bytesWritten += written;
        if (usedIndex == signalledUsed) {
            // 65,536 chains without an interrupt: that distance looks like none.
            signalledKnown = false;
        }
    }

    private void clear() {
        boolean someOut = ledger.outstanding() > 0;
        ledger.clear();
        ledger.presentAgain(Ledger.NONE);
        if (someOut) {
            // Whoever still holds one of these chains may complete it late, when its head is out
            // again under the next driver: that one gets other objects.
            ledger = new Ledger(this, memory, 0);
        }
        state = RingState.DISABLED;
        ring = null;
        nextAvailable = 0;
        usedIndex = 0;
        // As if interrupted at 0: the first chain crosses a used_event of 0.
        signalledUsed = 0;
        signalledKnown = true;
        wantsDoorbell = true;
        armed = false;
    }
}
