package org.backplane.virtio;

import java.util.Arrays;
import java.util.Objects;
import org.backplane.memory.OffHeap;

/**
 * One request: readable segments, then writable ones, each contiguous in host memory. Addresses are
 * checked and pinned until the chain is completed.
 *
 * <p>There is one object for each descriptor that can be a head; it is filled anew each time the
 * driver offers that head, so it must not be touched once completed. A chain belongs to whoever
 * polled it, until it is completed; handing it to another thread needs a happens-before edge, as
 * any queue between threads gives.
 *
 * <p>Section 2.7.4.2: how the driver divides the bytes into buffers means nothing; only their order
 * and direction do. {@link #read} and {@link #write} hide the division.
 */
public final class DescriptorChain {
    /** Most chains have a header, some data and a status: grown once where a driver uses more. */
    private static final int FIRST_SEGMENTS = 8;

    /** Neighbours in the ledger, by head; -1 at the ends. Of the queue, under its lock. */
    int older = -1;

    int newer = -1;

    /** Whether the driver waits for this chain. Of the queue, under its lock. */
    boolean taken;

    /**
     * Where it was taken from the available ring, free-running; -1 if it was presented again. Of
     * the queue, under its lock.
     */
    int place = -1;

    /** The pin on guest memory while taken. Of the queue, under its lock. */
    long ticket;

    private final SplitQueue queue;
    private final int head;
    private long[] addresses = new long[FIRST_SEGMENTS];
    private int[] lengths = new int[FIRST_SEGMENTS];
    private int segments;
    private int readableSegments;
    private long readableLength;
    private long writableLength;

    DescriptorChain(SplitQueue queue, int head) {
        this.queue = queue;
        this.head = head;
    }

    /** The index of its first descriptor: the request's name while it is out. */
    public int head() {
        return head;
    }

    /** How many runs of host memory the chain has; buffers of no length have none. */
    public int segments() {
        return segments;
    }

    /** How many of the segments, counted from the first, are device-readable. */
    public int readableSegments() {
        return readableSegments;
    }

    /** Host address of a segment. */
    public long address(int segment) {
        return addresses[Objects.checkIndex(segment, segments)];
    }

    /** Bytes in a segment, 1 to 2^30. */
    public int length(int segment) {
        return lengths[Objects.checkIndex(segment, segments)];
    }

    /** Bytes that the driver wrote for the device. */
    public long readableLength() {
        return readableLength;
    }

    /** Bytes that the device may write. */
    public long writableLength() {
        return writableLength;
    }

    /**
     * Copies out of the readable part, whatever its division into segments.
     *
     * @param position in bytes from the start of the readable part
     * @return how many bytes were copied: fewer than {@code length} where the part ends
     */
    public int read(long position, byte[] into, int offset, int length) {
        Objects.checkFromIndexSize(offset, length, into.length);
        int done = 0;
        long skip = checked(position);
        for (int i = 0; i < readableSegments && done < length; i++) {
            if (skip >= lengths[i]) {
                skip -= lengths[i];
                continue;
            }
            int piece = (int) Math.min(lengths[i] - skip, length - done);
            OffHeap.copy(addresses[i] + skip, into, offset + done, piece);
            done += piece;
            skip = 0;
        }
        return done;
    }

    /**
     * Copies into the writable part, whatever its division into segments.
     *
     * @param position in bytes from the start of the writable part
     * @return how many bytes were copied: fewer than {@code length} where the part ends
     */
    public int write(long position, byte[] from, int offset, int length) {
        Objects.checkFromIndexSize(offset, length, from.length);
        int done = 0;
        long skip = checked(position);
        for (int i = readableSegments; i < segments && done < length; i++) {
            if (skip >= lengths[i]) {
                skip -= lengths[i];
                continue;
            }
            int piece = (int) Math.min(lengths[i] - skip, length - done);
            OffHeap.copy(from, offset + done, addresses[i] + skip, piece);
            done += piece;
            skip = 0;
        }
        return done;
    }

    boolean isOf(SplitQueue other) {
        return queue == other;
    }

    /** The same segments as another's, which is of the same ring. */
    void copy(DescriptorChain other) {
        addresses = other.addresses.clone();
        lengths = other.lengths.clone();
        segments = other.segments;
        readableSegments = other.readableSegments;
        readableLength = other.readableLength;
        writableLength = other.writableLength;
    }

    void clear() {
        segments = 0;
        readableSegments = 0;
        readableLength = 0;
        writableLength = 0;
    }

    /** Adds a run of host memory; readable ones come first, which the reader has checked. */
    void append(long address, int length, boolean writable) {
        if (segments == addresses.length) {
            addresses = Arrays.copyOf(addresses, segments * 2);
            lengths = Arrays.copyOf(lengths, segments * 2);
        }
        addresses[segments] = address;
        lengths[segments] = length;
        segments++;
        if (writable) {
            writableLength += length;
        } else {
            readableSegments = segments;
            readableLength += length;
        }
    }

    private static long checked(long position) {
        if (position < 0) {
            throw new IndexOutOfBoundsException("position " + position);
        }
        return position;
    }
}
