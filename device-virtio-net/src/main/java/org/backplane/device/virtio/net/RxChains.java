package org.backplane.device.virtio.net;

import org.backplane.linux.IoVec;
import org.backplane.memory.OffHeap;
import org.backplane.virtio.DescriptorChain;
import org.backplane.virtio.SplitQueue;

/**
 * Chains that were taken from a receive queue for a frame that is not known yet, and the memory
 * behind them that takes what does not fit: one run of bytes, of which a position is counted from
 * the header's start. Not thread-safe.
 */
final class RxChains {
    /** Most bytes of a frame with its header. */
    static final int LONGEST = NetWire.HEADER_BYTES + NetWire.LONGEST_FRAME;

    /** More runs than one chain has: as long as its queue, each buffer in two pieces of memory. */
    private static final int RUNS_OF_A_CHAIN = 2 * VirtioNet.QUEUE_SIZE;

    private final long spill;
    private final DescriptorChain[] chains = new DescriptorChain[VirtioNet.QUEUE_SIZE];
    private final int[] written = new int[VirtioNet.QUEUE_SIZE];
    private int taken;
    private int runs;
    private long room;
    private int header = NetWire.HEADER_BYTES;

    /**
     * @param spill address of {@link #LONGEST} bytes; what lies there for a position is at that
     *     distance
     */
    RxChains(long spill) {
        this.spill = spill;
    }

    /** Sets the length of the header in front of a frame; there are no chains. */
    void header(int bytes) {
        header = bytes;
    }

    /** Length of the header in front of a frame. */
    int header() {
        return header;
    }

    /** Bytes that the chains have room for. */
    long room() {
        return room;
    }

    boolean isEmpty() {
        return taken == 0;
    }

    /** Whether one more chain can be added. */
    boolean hasPlace() {
        return taken < chains.length && runs + RUNS_OF_A_CHAIN < IoVec.MAXIMUM;
    }

    /** Whether a chain can hold a header, in no more pieces than there can be. */
    boolean usable(DescriptorChain chain) {
        return chain.writableLength() >= header && chain.segments() <= RUNS_OF_A_CHAIN;
    }

    void add(DescriptorChain chain) {
        chains[taken++] = chain;
        runs += chain.segments() - chain.readableSegments();
        room += chain.writableLength();
    }

    /** All of it as a place to read a frame to. */
    void prepare(IoVec vector) {
        vector.clear();
        for (int i = 0; i < taken; i++) {
            DescriptorChain chain = chains[i];
            for (int s = chain.readableSegments(); s < chain.segments(); s++) {
                vector.add(chain.address(s), chain.length(s));
            }
        }
        if (room < LONGEST) {
            vector.add(spill + room, LONGEST - room);
        }
    }

    /** Fills the header with zeroes, which the first chain has room for. */
    void clearHeader() {
        chains[0].write(0, new byte[header], 0, header);
    }

    /** Clears a byte of the header. */
    void clear(int position) {
        chains[0].write(position, new byte[1], 0, 1);
    }

    /** Copies out bytes of which some may not have fitted. */
    void read(long position, byte[] into, int length) {
        int done = 0;
        long skip = position;
        for (int i = 0; i < taken && done < length; i++) {
            DescriptorChain chain = chains[i];
            for (int s = chain.readableSegments(); s < chain.segments() && done < length; s++) {
                if (skip >= chain.length(s)) {
                    skip -= chain.length(s);
                    continue;
                }
                int piece = (int) Math.min(chain.length(s) - skip, length - done);
                OffHeap.copy(chain.address(s) + skip, into, done, piece);
                done += piece;
                skip = 0;
            }
        }
        if (done < length) {
            OffHeap.copy(spill + position + done, into, done, length - done);
        }
    }

    /** Copies what was read into chains to the memory behind them: all of a frame is there then. */
    void gather(long to) {
        move(0, to, false);
    }

    /** Copies what did not fit into chains that were added since. */
    void scatter(long from, long to) {
        move(from, to, true);
    }

    private void move(long from, long to, boolean intoChains) {
        long start = 0;
        for (int i = 0; i < taken && start < to; i++) {
            DescriptorChain chain = chains[i];
            for (int s = chain.readableSegments(); s < chain.segments() && start < to; s++) {
                long begin = Math.max(from, start);
                long end = Math.min(to, start + chain.length(s));
                if (begin < end) {
                    long host = chain.address(s) + begin - start;
                    long behind = spill + begin;
                    if (intoChains) {
                        OffHeap.copy(behind, host, end - begin);
                    } else {
                        OffHeap.copy(host, behind, end - begin);
                    }
                }
                start += chain.length(s);
            }
        }
    }

    /**
     * Gives the driver a frame, in as many chains as it takes; the others stay.
     *
     * @param length header included, no more than there is room for
     */
    void finish(SplitQueue queue, int length) {
        int count = 0;
        long left = length;
        while (left > 0) {
            written[count] = (int) Math.min(left, chains[count].writableLength());
            left -= written[count];
            count++;
        }
        if (header > NetWire.HEADER_NUM_BUFFERS) {
            byte[] buffers = {(byte) count, (byte) (count >>> 8)};
            chains[0].write(NetWire.HEADER_NUM_BUFFERS, buffers, 0, buffers.length);
        }
        for (int i = 0; i < count; i++) {
            runs -= chains[i].segments() - chains[i].readableSegments();
            room -= chains[i].writableLength();
        }
        queue.complete(chains, count, written);
        System.arraycopy(chains, count, chains, 0, taken - count);
        taken -= count;
    }

    /** Gives the chains back that no frame came for. */
    void putBack(SplitQueue queue) {
        while (taken > 0) {
            queue.putBack(chains[--taken]);
        }
        forget();
    }

    /** Their driver has taken them away. */
    void forget() {
        taken = 0;
        runs = 0;
        room = 0;
    }
}
