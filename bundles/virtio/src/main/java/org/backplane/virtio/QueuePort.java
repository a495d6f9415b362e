package org.backplane.virtio;

import org.backplane.memory.MemoryView;

/**
 * A transport's hold on one queue: makes it, sets it up, stops it. The device gets {@link #queue}
 * and nothing more. Owned by the slot; the queue stays the same object over a swap, unless the
 * device was {@link #cutOff cut off}.
 *
 * <p>Thread-safe; its lock is outside of the queue's. {@link #disable} is for a device that is
 * drained: a chain that is still out is let go of, and its late completion is ignored, but a host
 * that still writes into its buffers writes into memory that the driver may be using again.
 */
public final class QueuePort {
    private final int maxSize;
    private final MemoryView memory;
    private volatile SplitQueue queue;

    /**
     * @param index of the queue, as the driver selects it
     * @param maxSize largest ring the driver may set up, in descriptors: a power of two up to
     *     32,768
     */
    public QueuePort(int index, int maxSize, MemoryView memory, QueueTransport transport) {
        if (maxSize < 1 || maxSize > RingLayout.MAX_SIZE || Integer.bitCount(maxSize) != 1) {
            throw new IllegalArgumentException(
                    "queue %d has a largest size of %d; a power of two from 1 to %d would be right"
                            .formatted(index, maxSize, RingLayout.MAX_SIZE));
        }
        this.maxSize = maxSize;
        this.memory = memory;
        this.queue = new SplitQueue(index, memory, transport);
    }

    public SplitQueue queue() {
        return queue;
    }

    public int maxSize() {
        return maxSize;
    }

    /**
     * Starts the queue at the beginning of a ring.
     *
     * @return null, or why the ring cannot be used; the queue is disabled then
     */
    public synchronized String enable(RingSetup setup) {
        long ticket = memory.pin();
        try {
            String problem = setup.problem(memory, maxSize);
            if (problem == null) {
                queue.enable(setup);
            } else {
                queue.disable();
            }
            return problem;
        } finally {
            memory.unpin(ticket);
        }
    }

    /** Gives out nothing new, while what is out completes: a reset is on its way. */
    public synchronized void halt() {
        queue.halt();
    }

    /** Forgets ring, positions and ledger. */
    public synchronized void disable() {
        queue.disable();
    }

    /** Gives the ledger's chains out once more, oldest first, before any new one. */
    public synchronized void presentAgain() {
        queue.presentAgain();
    }

    /**
     * Takes the queue from a device that may still hold on to it, with the ledger's chains given
     * out once more by the one in its place.
     */
    public synchronized void cutOff() {
        queue = queue.successor();
    }

    /**
     * Completions that were ignored because their chain was not out: of a device that completes
     * twice, or late, after a reset of its driver.
     */
    public long lateCompletions() {
        return queue.lateCompletions();
    }

    synchronized QueueState save() {
        return queue.save();
    }

    synchronized String restore(RingSetup setup, QueueState state) {
        String problem = enable(setup);
        return problem == null ? queue.restore(state) : problem;
    }
}
