package org.backplane.virtio;

import org.backplane.memory.Access;
import org.backplane.memory.MemoryView;
import org.backplane.memory.OffHeap;

/**
 * The three parts of a split virtqueue as they lie in guest memory, and every access to them
 * (virtio 1.2, section 2.7). The ordering stands in the methods' names; a load is done once, into a
 * local.
 *
 * <p>Used under the queue's lock, with guest memory pinned, after {@link #locate}: the host
 * addresses are good until the pin is given back, because a part may lie in memory that can go, a
 * BAR for one.
 */
final class RingMemory {
    private final MemoryView memory;
    private final RingSetup ring;
    private final int mask;

    // Host addresses, by locate().
    private long table;
    private long available;
    private long used;

    RingMemory(MemoryView memory, RingSetup ring) {
        this.memory = memory;
        this.ring = ring;
        this.mask = ring.size() - 1;
    }

    RingSetup setup() {
        return ring;
    }

    int size() {
        return ring.size();
    }

    boolean eventIndex() {
        return ring.eventIndex();
    }

    /** Finds the parts in host memory; false if one of them is no longer in guest memory. */
    boolean locate() {
        int size = ring.size();
        table =
                memory.translate(
                        ring.descriptors(), RingLayout.descriptorTableBytes(size), Access.READ);
        available = memory.translate(ring.available(), RingLayout.availBytes(size), Access.READ);
        used = memory.translate(ring.used(), RingLayout.usedBytes(size), Access.WRITE);
        return table != 0 && available != 0 && used != 0;
    }

    /** Host address of the descriptor table. */
    long table() {
        return table;
    }

    /**
     * The driver's index. Acquire: the entry, the descriptors and the buffers are read after the
     * index that published them (section 2.7.13.3).
     */
    int availableIndexAcquire() {
        return OffHeap.getShortAcquire(available + RingLayout.AVAIL_INDEX) & 0xffff;
    }

    /** The head that the driver put at a place of the available ring. */
    int availableHead(int index) {
        int offset = RingLayout.AVAIL_ENTRIES + RingLayout.AVAIL_ENTRY_BYTES * (index & mask);
        return OffHeap.getShortOpaque(available + offset) & 0xffff;
    }

    /**
     * Fills a place of the used ring, which the driver does not read before the index covers it.
     */
    void putUsedEntry(int index, int head, int written) {
        long entry = used + RingLayout.USED_ENTRIES + RingLayout.USED_ENTRY_BYTES * (index & mask);
        OffHeap.putInt(entry + RingLayout.USED_ENTRY_HEAD, head);
        OffHeap.putInt(entry + RingLayout.USED_ENTRY_LENGTH, written);
    }

    /**
     * Shows entries to the driver. Release: whoever sees the index sees the entries, and the data
     * in their buffers (section 2.7.8.2).
     */
    void putUsedIndexRelease(int index) {
        OffHeap.putShortRelease(used + RingLayout.USED_INDEX, (short) index);
    }

    /**
     * Says at which available index the driver is to ring the doorbell, and makes that visible
     * before anything that follows.
     *
     * <p>The driver stores its index, then looks at avail_event or at the flags. This side stores
     * one of those, then looks at the index. With a full fence on both sides at least one of the
     * two sees the other's store. Without it both may miss, and the chain lies there with nobody
     * coming (section 2.7.10).
     */
    void wantDoorbellThenFence(int atIndex) {
        if (ring.eventIndex()) {
            OffHeap.putShortOpaque(used + RingLayout.availEvent(ring.size()), (short) atIndex);
        } else {
            OffHeap.putShortOpaque(used + RingLayout.USED_FLAGS, (short) 0);
        }
        OffHeap.fullFence();
    }

    /**
     * Says that doorbells are of no use now. With VIRTIO_F_EVENT_IDX there is nothing to store:
     * once the driver's index has passed avail_event it does not ring until that is set again.
     */
    void wantNoDoorbell() {
        if (!ring.eventIndex()) {
            OffHeap.putShortOpaque(used + RingLayout.USED_FLAGS, (short) RingLayout.USED_NO_NOTIFY);
        }
    }

    /**
     * Whether the driver wants to be interrupted, now that the used index has been stored.
     *
     * <p>The mirror image of {@link #wantDoorbellThenFence}: the driver stores its wish, then looks
     * at the used index. Without the fence the index could still be on its way to memory when the
     * wish is loaded, and the interrupt would be lost.
     *
     * @param index the used index
     * @param before the used index when this was asked last; -1 if that is not known
     */
    boolean fenceThenInterruptWanted(int index, int before) {
        OffHeap.fullFence();
        if (!ring.eventIndex()) {
            int flags = OffHeap.getShortOpaque(available + RingLayout.AVAIL_FLAGS);
            return (flags & RingLayout.AVAIL_NO_INTERRUPT) == 0;
        }
        int event = OffHeap.getShortOpaque(available + RingLayout.usedEvent(ring.size())) & 0xffff;
        return before < 0 || RingLayout.crossed(event, index, before);
    }
}
