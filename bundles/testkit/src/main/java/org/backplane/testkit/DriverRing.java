package org.backplane.testkit;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.backplane.memory.OffHeap;

/**
 * The driver's side of a split virtqueue (virtio 1.2, section 2.7), in guest memory.
 *
 * <p>A well-behaved driver uses {@link #add}, {@link #addIndirect}, {@link #publish} and {@link
 * #collect}; a hostile one the {@code poke} methods, which check nothing. One thread at a time; the
 * device may work on the same ring from others. The layout is written down here a second time, on
 * purpose: it does not come from the code under test.
 */
public final class DriverRing {
    /** Descriptor flag: {@code next} is valid. */
    public static final int NEXT = 1;

    /** Descriptor flag: the device writes. */
    public static final int WRITE = 2;

    /** Descriptor flag: the buffer holds a table of descriptors. */
    public static final int INDIRECT = 4;

    private static final int DESCRIPTOR = 16;
    private static final int NO_INTERRUPT = 1;
    private static final int NO_NOTIFY = 1;

    /** One buffer of a chain. */
    public record Buffer(long address, int length, boolean writable) {
        public static Buffer readable(long address, int length) {
            return new Buffer(address, length, false);
        }

        public static Buffer writable(long address, int length) {
            return new Buffer(address, length, true);
        }
    }

    /** What the device returned: the chain's head, and how many bytes it wrote. */
    public record Used(int head, int length) {}

    private final TestMemory memory;
    private final int size;
    private final boolean eventIndex;
    private final long descriptors;
    private final long available;
    private final long used;
    private final Deque<Integer> free = new ArrayDeque<>();
    private final List<List<Integer>> chains = new ArrayList<>();
    private final long[] indirectTables;
    private final int[] indirectCapacity;
    private int staged;
    private int published;
    private int collected;

    /**
     * Allocates a ring.
     *
     * @param size descriptors, a power of two
     * @param eventIndex whether VIRTIO_F_EVENT_IDX is negotiated
     */
    public DriverRing(TestMemory memory, int size, boolean eventIndex) {
        this(
                memory,
                size,
                eventIndex,
                memory.allocate((long) size * DESCRIPTOR, 16),
                memory.allocate(6 + 2L * size, 2),
                memory.allocate(6 + 8L * size, 4));
    }

    /** A ring in memory that is allocated already. */
    DriverRing(
            TestMemory memory,
            int size,
            boolean eventIndex,
            long descriptors,
            long available,
            long used) {
        this.memory = memory;
        this.size = size;
        this.eventIndex = eventIndex;
        this.descriptors = descriptors;
        this.available = available;
        this.used = used;
        this.indirectTables = new long[size];
        this.indirectCapacity = new int[size];
        for (int i = 0; i < size; i++) {
            chains.add(List.of());
        }
        reset();
    }

    /** As a driver does before it enables the queue again: everything zero, all free. */
    public void reset() {
        memory.write(descriptors, new byte[size * DESCRIPTOR]);
        memory.write(available, new byte[6 + 2 * size]);
        memory.write(used, new byte[6 + 8 * size]);
        free.clear();
        for (int i = 0; i < size; i++) {
            free.add(i);
            chains.set(i, List.of());
        }
        staged = 0;
        published = 0;
        collected = 0;
    }

    public int size() {
        return size;
    }

    /** Guest-physical address of the descriptor table. */
    public long descriptors() {
        return descriptors;
    }

    /** Guest-physical address of the available ring. */
    public long available() {
        return available;
    }

    /** Guest-physical address of the used ring. */
    public long used() {
        return used;
    }

    public int freeDescriptors() {
        return free.size();
    }

    /**
     * Puts a chain of direct descriptors into the available ring; the device sees it after {@link
     * #publish}.
     *
     * @return its head, or -1 if too few descriptors are free
     */
    public int add(Buffer... buffers) {
        if (buffers.length == 0 || buffers.length > free.size()) {
            return -1;
        }
        List<Integer> chain = new ArrayList<>();
        for (int i = 0; i < buffers.length; i++) {
            chain.add(free.remove());
        }
        for (int i = 0; i < buffers.length; i++) {
            boolean last = i == buffers.length - 1;
            pokeDescriptor(
                    chain.get(i),
                    buffers[i].address,
                    buffers[i].length,
                    flags(buffers[i], last),
                    last ? 0 : chain.get(i + 1));
        }
        return stage(chain);
    }

    /** As {@link #add}, through one descriptor and an indirect table (section 2.7.5.3). */
    public int addIndirect(Buffer... buffers) {
        if (buffers.length == 0 || free.isEmpty()) {
            return -1;
        }
        int head = free.remove();
        if (indirectCapacity[head] < buffers.length) {
            indirectTables[head] = memory.allocate((long) buffers.length * DESCRIPTOR, 16);
            indirectCapacity[head] = buffers.length;
        }
        for (int i = 0; i < buffers.length; i++) {
            boolean last = i == buffers.length - 1;
            writeDescriptor(
                    indirectTables[head] + (long) i * DESCRIPTOR,
                    buffers[i].address,
                    buffers[i].length,
                    flags(buffers[i], last),
                    last ? 0 : i + 1);
        }
        pokeDescriptor(head, indirectTables[head], buffers.length * DESCRIPTOR, INDIRECT, 0);
        return stage(List.of(head));
    }

    /**
     * Shows the device what was added (sections 2.7.13.3 and 2.7.13.4).
     *
     * @return whether it wants the doorbell rung
     */
    public boolean publish() {
        int before = published;
        published = staged;
        OffHeap.putShortRelease(memory.host(available + 2, 2), (short) published);
        // The device stores avail_event, or its flag, and then looks at the index; this side does
        // the reverse. One of the two must see the other's store.
        OffHeap.fullFence();
        if (eventIndex) {
            return crossed(availableEvent(), published, before);
        }
        return (usedFlags() & NO_NOTIFY) == 0;
    }

    /** Takes one chain that the device returned, and frees its descriptors; null if none. */
    public Used collect() {
        int index = OffHeap.getShortAcquire(memory.host(used + 2, 2)) & 0xffff;
        if (index == collected) {
            return null;
        }
        Used entry = usedEntry(collected % size);
        collected = (collected + 1) & 0xffff;
        if (entry.head >= 0 && entry.head < size) {
            free.addAll(chains.get(entry.head));
            chains.set(entry.head, List.of());
        }
        return entry;
    }

    /**
     * Wants an interrupt for the next used chain.
     *
     * @return whether chains came in between, so that the caller collects once more
     */
    public boolean enableInterrupts() {
        return enableInterruptsAfter(0);
    }

    /**
     * As {@link #enableInterrupts}, but only once that many more chains have come; counts with
     * VIRTIO_F_EVENT_IDX only.
     */
    public boolean enableInterruptsAfter(int chainsMore) {
        if (eventIndex) {
            OffHeap.putShortOpaque(
                    memory.host(usedEventAddress(), 2), (short) (collected + chainsMore));
        } else {
            OffHeap.putShortOpaque(memory.host(available, 2), (short) 0);
        }
        // The device stores the used index and then looks here; this side does the reverse.
        OffHeap.fullFence();
        int index = OffHeap.getShortAcquire(memory.host(used + 2, 2)) & 0xffff;
        return ((index - collected) & 0xffff) > chainsMore;
    }

    /** Wants no interrupts; the device may send some all the same. */
    public void disableInterrupts() {
        if (eventIndex) {
            OffHeap.putShortOpaque(memory.host(usedEventAddress(), 2), (short) (collected - 1));
        } else {
            OffHeap.putShortOpaque(memory.host(available, 2), (short) NO_INTERRUPT);
        }
    }

    /** The used ring's index, 16 bits. */
    public int usedIndex() {
        return OffHeap.getShortAcquire(memory.host(used + 2, 2)) & 0xffff;
    }

    public Used usedEntry(int place) {
        long entry = memory.host(used + 4 + 8L * place, 8);
        return new Used(OffHeap.getInt(entry), OffHeap.getInt(entry + 4));
    }

    /** The used ring's flags. */
    public int usedFlags() {
        return OffHeap.getShortOpaque(memory.host(used, 2)) & 0xffff;
    }

    /** The available index at which the device wants its doorbell rung. */
    public int availableEvent() {
        return OffHeap.getShortOpaque(memory.host(used + 4 + 8L * size, 2)) & 0xffff;
    }

    /** Writes any descriptor into the table. */
    public void pokeDescriptor(int index, long address, int length, int flags, int next) {
        writeDescriptor(descriptors + (long) index * DESCRIPTOR, address, length, flags, next);
    }

    /** Writes any descriptor anywhere: into an indirect table, for one. */
    public void writeDescriptor(long at, long address, int length, int flags, int next) {
        long host = memory.host(at, DESCRIPTOR);
        OffHeap.putLong(host, address);
        OffHeap.putInt(host + 8, length);
        OffHeap.putShort(host + 12, (short) flags);
        OffHeap.putShort(host + 14, (short) next);
    }

    /** Writes an entry of the available ring. */
    public void pokeAvailable(int place, int head) {
        memory.putShort(available + 4 + 2L * place, head);
    }

    /** Writes the available index, as a driver that published that much. */
    public void pokeAvailableIndex(int index) {
        OffHeap.putShortRelease(memory.host(available + 2, 2), (short) index);
    }

    /** Offers a chain that the caller has poked, at the next place, and publishes it. */
    public boolean offer(int head) {
        pokeAvailable(staged % size, head);
        staged = (staged + 1) & 0xffff;
        return publish();
    }

    private long usedEventAddress() {
        return available + 4 + 2L * size;
    }

    private int stage(List<Integer> chain) {
        int head = chain.get(0);
        chains.set(head, chain);
        pokeAvailable(staged % size, head);
        staged = (staged + 1) & 0xffff;
        return head;
    }

    private static int flags(Buffer buffer, boolean last) {
        return (buffer.writable ? WRITE : 0) | (last ? 0 : NEXT);
    }

    /** Whether an index moved over the event's place (section 2.7.10). */
    private static boolean crossed(int event, int now, int before) {
        return ((now - event - 1) & 0xffff) < ((now - before) & 0xffff);
    }
}
