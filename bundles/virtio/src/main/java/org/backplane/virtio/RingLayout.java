package org.backplane.virtio;

/**
 * Offsets, sizes, alignments and flags of a split virtqueue (virtio 1.2, section 2.7). All fields
 * are little-endian; all sizes and offsets are in bytes.
 */
final class RingLayout {
    /** Section 2.7: at most 32,768 descriptors, a power of two. */
    static final int MAX_SIZE = 1 << 15;

    // Section 2.7.5: struct virtq_desc.
    static final int DESCRIPTOR_BYTES = 16;
    static final int DESCRIPTOR_ADDRESS = 0;
    static final int DESCRIPTOR_LENGTH = 8;
    static final int DESCRIPTOR_FLAGS = 12;
    static final int DESCRIPTOR_NEXT = 14;
    static final int FLAG_NEXT = 1;
    static final int FLAG_WRITE = 2;
    static final int FLAG_INDIRECT = 4;

    /** Section 2.7.5.1: a chain describes at most 2^32 bytes. */
    static final long MAX_CHAIN_BYTES = 1L << 32;

    // Section 2.7.6: struct virtq_avail; used_event follows the entries.
    static final int AVAIL_FLAGS = 0;
    static final int AVAIL_INDEX = 2;
    static final int AVAIL_ENTRIES = 4;
    static final int AVAIL_ENTRY_BYTES = 2;
    static final int AVAIL_NO_INTERRUPT = 1;

    // Section 2.7.8: struct virtq_used; avail_event follows the entries.
    static final int USED_FLAGS = 0;
    static final int USED_INDEX = 2;
    static final int USED_ENTRIES = 4;
    static final int USED_ENTRY_BYTES = 8;
    static final int USED_ENTRY_HEAD = 0;
    static final int USED_ENTRY_LENGTH = 4;
    static final int USED_NO_NOTIFY = 1;

    /** Both event fields are 16 bits. */
    static final int EVENT_BYTES = 2;

    // Section 2.7: alignment of the three parts.
    static final int DESCRIPTOR_ALIGNMENT = 16;
    static final int AVAIL_ALIGNMENT = 2;
    static final int USED_ALIGNMENT = 4;

    private RingLayout() {}

    static long descriptorTableBytes(int size) {
        return (long) DESCRIPTOR_BYTES * size;
    }

    static int usedEvent(int size) {
        return AVAIL_ENTRIES + AVAIL_ENTRY_BYTES * size;
    }

    static int availBytes(int size) {
        return usedEvent(size) + EVENT_BYTES;
    }

    static int availEvent(int size) {
        return USED_ENTRIES + USED_ENTRY_BYTES * size;
    }

    static int usedBytes(int size) {
        return availEvent(size) + EVENT_BYTES;
    }

    /**
     * Whether an index that moved from {@code before} to {@code now} went over {@code event}:
     * vring_need_event of section 2.7.10. All three are free-running 16-bit indices.
     */
    static boolean crossed(int event, int now, int before) {
        return ((now - event - 1) & 0xffff) < ((now - before) & 0xffff);
    }
}
