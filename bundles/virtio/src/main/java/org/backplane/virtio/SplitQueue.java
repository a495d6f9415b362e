package org.backplane.virtio;

import org.backplane.memory.Access;
import org.backplane.memory.MemoryView;
import org.backplane.memory.OffHeap;

/**
 * The device's side of a split virtqueue (virtio 1.2, section 2.7), owned by the slot. Used by one
 * worker at a time; {@link #complete} may come from another thread, in any order.
 *
 * <p>The queue keeps a ledger of the chains that were taken and not completed, in the order in
 * which they were taken. It stays with the slot when the device behind it is replaced.
 *
 * <p>Threads: the ring positions and the ledger are under the queue's own lock, which is held for
 * one chain's walk at most and never while something outside of the queue is called. The other side
 * of the ring is the guest, which knows no lock: where an access must stay on one side of another,
 * the method's name says so, and the two places where a store must be visible before a load have a
 * full fence.
 *
 * <p>A queue whose driver breaks the rules stops: {@link #poll} gives nothing more, completions
 * store nothing, the device needs reset. A queue that is disabled, or whose device the driver is
 * resetting, gives nothing either; no method throws for what a guest did.
 */
public final class SplitQueue {
    private static final int NONE = -1;

    enum State {
        /** Not set up, or reset: nothing is taken and nothing is stored. */
        DISABLED,
        RUNNING,
        /** The driver asked for a reset: nothing new, but what is out completes. */
        HALTED,
        /** The driver broke the ring: nothing new, and nothing is stored any more. */
        BROKEN
    }

    private final int index;
    private final MemoryView memory;
    private final QueueTransport transport;
    private final Object lock = new Object();
    private final ChainReader reader;

    // All below under the lock.
    private DescriptorChain[] chains = {};
    private RingSetup ring;
    private State state = State.DISABLED;

    /** The next entry of the available ring to take; free-running, 16 bits. */
    private int nextAvailable;

    /** The used index as the driver sees it; ours, never read back. Free-running, 16 bits. */
    private int usedIndex;

    /** The used index when the driver was last interrupted, or could have been. */
    private int signalledUsed;

    /** Whether that is known: not after a restore, nor once the index went round since. */
    private boolean signalledKnown;

    private boolean wantsNotifications = true;

    /** Whether avail_event holds nextAvailable, so that the next chain rings the doorbell. */
    private boolean armed;

    /** The ledger, by head: a list through the chains. */
    private int oldest = NONE;

    private int newest = NONE;
    private int outstanding;

    /** The first chain of the ledger that is to be given out once more. */
    private int presentNext = NONE;

    SplitQueue(int index, MemoryView memory, QueueTransport transport) {
        this.index = index;
        this.memory = memory;
        this.transport = transport;
        this.reader = new ChainReader(memory);
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
            if (state != State.RUNNING) {
                return null;
            }
            if (presentNext != NONE) {
                DescriptorChain again = chains[presentNext];
                presentNext = again.newer;
                return again;
            }
            long ticket = memory.pin();
            DescriptorChain taken = null;
            try {
                int head = nextHead();
                if (head >= 0) {
                    taken = chains[head];
                    problem = fill(taken);
                } else {
                    problem = head == NONE ? null : ringProblem;
                }
                if (problem != null) {
                    state = State.BROKEN;
                    taken = null;
                } else if (taken != null) {
                    nextAvailable = (nextAvailable + 1) & 0xffff;
                    armed = false;
                    enter(taken, ticket);
                }
            } finally {
                if (taken == null) {
                    memory.unpin(ticket);
                }
            }
            if (problem == null) {
                return taken;
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
        String problem = null;
        synchronized (lock) {
            if (!chain.taken) {
                return;
            }
            if (written < 0 || written > chain.writableLength()) {
                throw new IllegalArgumentException(
                        "%d bytes written to chain %d, which has room for %d"
                                .formatted(written, chain.head(), chain.writableLength()));
            }
            if (state == State.RUNNING || state == State.HALTED) {
                if (!putUsed(chain.head(), written)) {
                    problem = "the used ring is no longer in memory";
                    state = State.BROKEN;
                }
            }
            leave(chain);
        }
        if (problem != null) {
            transport.broken(index, problem);
        }
    }

    /** Interrupts the driver if it asked for that since the last time. */
    public void interrupt() {
        synchronized (lock) {
            if ((state != State.RUNNING && state != State.HALTED)
                    || (signalledKnown && signalledUsed == usedIndex)
                    || !driverWantsInterrupt()) {
                return;
            }
        }
        transport.usedBuffers(index);
    }

    /** Suppresses doorbells while the worker is busy; a hint that the driver may overlook. */
    public void disableNotifications() {
        synchronized (lock) {
            wantsNotifications = false;
            storeNotificationFlag();
            // With VIRTIO_F_EVENT_IDX nothing is stored: once the index has passed avail_event,
            // the driver does not ring until it is set again.
        }
    }

    /**
     * Wants doorbells again; true if chains came in between, so that the caller polls once more.
     */
    public boolean enableNotifications() {
        synchronized (lock) {
            wantsNotifications = true;
            if (state != State.RUNNING) {
                return false;
            }
            storeNotificationFlag();
            long ticket = memory.pin();
            try {
                long available = available();
                return presentNext != NONE || (available != 0 && arm(available));
            } finally {
                memory.unpin(ticket);
            }
        }
    }

    /** The driver broke the protocol: DEVICE_NEEDS_RESET, this device only. */
    public void broken(String reason) {
        synchronized (lock) {
            if (state != State.RUNNING && state != State.HALTED) {
                return;
            }
            state = State.BROKEN;
        }
        transport.broken(index, reason);
    }

    /** Chains taken and not completed. */
    public int outstanding() {
        synchronized (lock) {
            return outstanding;
        }
    }

    /**
     * A chain of the ledger: for a device that takes over from another, or from a saved state, and
     * finds there which requests are out.
     *
     * @return the chain, or null if that head is not out
     */
    public DescriptorChain taken(int head) {
        synchronized (lock) {
            return head >= 0 && head < chains.length && chains[head].taken ? chains[head] : null;
        }
    }

    // ---- The transport's side, through QueuePort ----

    /** Starts at the beginning of a ring that was checked. */
    void enable(RingSetup setup) {
        synchronized (lock) {
            clear();
            ring = setup;
            if (chains.length != setup.size()) {
                chains = new DescriptorChain[setup.size()];
                for (int head = 0; head < chains.length; head++) {
                    chains[head] = new DescriptorChain(this, head);
                }
            }
            state = State.RUNNING;
        }
    }

    void halt() {
        synchronized (lock) {
            if (state == State.RUNNING) {
                state = State.HALTED;
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
            presentNext = oldest;
        }
    }

    State state() {
        synchronized (lock) {
            return state;
        }
    }

    QueueState save() {
        synchronized (lock) {
            int[] ledger = new int[outstanding];
            int place = 0;
            for (int head = oldest; head != NONE; head = chains[head].newer) {
                ledger[place++] = head;
            }
            return new QueueState(
                    state, nextAvailable, usedIndex, wantsNotifications, presentNext, ledger);
        }
    }

    /**
     * Takes positions and ledger from a saved state, after {@link #enable}. The chains of the
     * ledger are read again: their descriptors are the driver's until completed, and a driver that
     * changed them broke the ring.
     *
     * @return null, or what is broken
     */
    String restore(QueueState saved) {
        synchronized (lock) {
            nextAvailable = saved.nextAvailable();
            usedIndex = saved.usedIndex();
            signalledKnown = false;
            wantsNotifications = saved.wantsNotifications();
            String problem = null;
            for (int head : saved.ledger()) {
                long ticket = memory.pin();
                problem = fill(chains[head]);
                if (problem != null) {
                    memory.unpin(ticket);
                    break;
                }
                enter(chains[head], ticket);
            }
            boolean known = saved.presentNext() != NONE && chains[saved.presentNext()].taken;
            presentNext = known ? saved.presentNext() : NONE;
            state = problem == null ? saved.state() : State.BROKEN;
            return problem;
        }
    }

    // ---- Under the lock ----

    /** Why nextHead() gave BAD. */
    private String ringProblem;

    private static final int BAD = -2;

    /** The head that the driver offers next, NONE, or BAD with the reason in ringProblem. */
    private int nextHead() {
        long available = available();
        if (available == 0) {
            return bad("the available ring is no longer in memory");
        }
        // Acquire: the entry, the descriptors and the buffers are read after the index that
        // published them (section 2.7.13.3).
        int published = OffHeap.getShortAcquire(available + RingLayout.AVAIL_INDEX) & 0xffff;
        if (published == nextAvailable) {
            if (!wantsNotifications || !arm(available)) {
                return NONE;
            }
            published = OffHeap.getShortAcquire(available + RingLayout.AVAIL_INDEX) & 0xffff;
        }
        int ahead = (published - nextAvailable) & 0xffff;
        if (ahead > ring.size()) {
            return bad(
                    "the available index went from %d to %d in a queue of %d"
                            .formatted(nextAvailable, published, ring.size()));
        }
        int place = nextAvailable & (ring.size() - 1);
        int head =
                OffHeap.getShortOpaque(
                                available
                                        + RingLayout.AVAIL_ENTRIES
                                        + (long) RingLayout.AVAIL_ENTRY_BYTES * place)
                        & 0xffff;
        if (head >= ring.size()) {
            return bad("head %d in a queue of %d".formatted(head, ring.size()));
        }
        if (chains[head].taken) {
            return bad("head %d offered again before it was used".formatted(head));
        }
        return head;
    }

    private int bad(String reason) {
        ringProblem = reason;
        return BAD;
    }

    private String fill(DescriptorChain chain) {
        long table =
                memory.translate(
                        ring.descriptors(),
                        RingLayout.descriptorTableBytes(ring.size()),
                        Access.READ);
        if (table == 0) {
            return "the descriptor table is no longer in memory";
        }
        return reader.read(chain, ring, table);
    }

    /**
     * Asks for a doorbell at the next chain; true if chains came in between.
     *
     * @param available host address of the available ring
     */
    private boolean arm(long available) {
        if (!armed) {
            if (ring.eventIndex()) {
                long used = used();
                if (used == 0) {
                    return false;
                }
                OffHeap.putShortOpaque(
                        used + RingLayout.availEvent(ring.size()), (short) nextAvailable);
            }
            // The driver stores its index, then looks at avail_event or the flags; this side has
            // stored one of those and now looks at the index. With a full fence on both sides one
            // of the two sees the other's store; without, both may miss, and the chain would lie
            // there with nobody coming (section 2.7.10).
            OffHeap.fullFence();
            armed = true;
        }
        int published = OffHeap.getShortAcquire(available + RingLayout.AVAIL_INDEX) & 0xffff;
        return published != nextAvailable;
    }

    /** Without VIRTIO_F_EVENT_IDX: tells the driver whether doorbells are of use. */
    private void storeNotificationFlag() {
        if (state != State.RUNNING || ring.eventIndex()) {
            return;
        }
        long ticket = memory.pin();
        try {
            long used = used();
            if (used != 0) {
                int flags = wantsNotifications ? 0 : RingLayout.USED_NO_NOTIFY;
                OffHeap.putShortOpaque(used + RingLayout.USED_FLAGS, (short) flags);
                armed = false;
            }
        } finally {
            memory.unpin(ticket);
        }
    }

    private boolean putUsed(int head, int written) {
        long used = used();
        if (used == 0) {
            return false;
        }
        int place = usedIndex & (ring.size() - 1);
        long entry = used + RingLayout.USED_ENTRIES + (long) RingLayout.USED_ENTRY_BYTES * place;
        OffHeap.putInt(entry + RingLayout.USED_ENTRY_HEAD, head);
        OffHeap.putInt(entry + RingLayout.USED_ENTRY_LENGTH, written);
        usedIndex = (usedIndex + 1) & 0xffff;
        // Release: whoever sees the index sees the entry, and the data in the buffers
        // (section 2.7.8.2).
        OffHeap.putShortRelease(used + RingLayout.USED_INDEX, (short) usedIndex);
        if (usedIndex == signalledUsed) {
            // 65,536 chains without an interrupt: the distance can no longer be told from 0.
            signalledKnown = false;
        }
        return true;
    }

    private boolean driverWantsInterrupt() {
        long ticket = memory.pin();
        try {
            long available = available();
            if (available == 0) {
                return false;
            }
            // The mirror image of arm(): the used index was stored, now the driver's wish is read.
            // The driver stores its wish and then looks at the index. Without the fence the store
            // may still be on its way when the load is done, and the interrupt is lost.
            OffHeap.fullFence();
            boolean wanted;
            if (ring.eventIndex()) {
                int event =
                        OffHeap.getShortOpaque(available + RingLayout.usedEvent(ring.size()))
                                & 0xffff;
                wanted = !signalledKnown || RingLayout.crossed(event, usedIndex, signalledUsed);
            } else {
                int flags = OffHeap.getShortOpaque(available + RingLayout.AVAIL_FLAGS);
                wanted = (flags & RingLayout.AVAIL_NO_INTERRUPT) == 0;
            }
            signalledUsed = usedIndex;
            signalledKnown = true;
            return wanted;
        } finally {
            memory.unpin(ticket);
        }
    }

    private long available() {
        return memory.translate(ring.available(), RingLayout.availBytes(ring.size()), Access.READ);
    }

    private long used() {
        return memory.translate(ring.used(), RingLayout.usedBytes(ring.size()), Access.WRITE);
    }

    /** Puts a chain at the ledger's young end. */
    private void enter(DescriptorChain chain, long ticket) {
        chain.ticket = ticket;
        chain.taken = true;
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

    /** Takes a chain out of the ledger and lets go of guest memory. */
    private void leave(DescriptorChain chain) {
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

    private void clear() {
        while (oldest != NONE) {
            leave(chains[oldest]);
        }
        state = State.DISABLED;
        ring = null;
        nextAvailable = 0;
        usedIndex = 0;
        signalledUsed = 0;
        // As if interrupted at 0: the first chain crosses a used_event of 0.
        signalledKnown = true;
        wantsNotifications = true;
        armed = false;
        presentNext = NONE;
    }
}
