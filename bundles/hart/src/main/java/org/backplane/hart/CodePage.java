package org.backplane.hart;

import org.backplane.memory.OffHeap;

/**
 * What was fetched from one physical page, and its instructions as far as they were decoded. The
 * fetched bytes never change: an instruction cache's line, good until FENCE.I finds that memory
 * says otherwise. Shared by harts; {@link #ops} is filled by races that all write the same, each in
 * one store, as 64-bit JVMs do.
 */
final class CodePage {
    static final int SIZE = 4096;

    /** Halfwords of a page, and so where instructions can start. */
    static final int SLOTS = SIZE / 2;

    private static final int HALVES_PER_LONG = Long.BYTES / Short.BYTES;

    /** Decoded instructions by halfword. */
    final long[] ops = new long[SLOTS];

    private final long address;
    private final long[] fetched = new long[SIZE / Long.BYTES];
    private volatile int generation;

    /**
     * Fetches a page.
     *
     * @param address guest-physical
     * @param generation that was current before the call
     */
    CodePage(long address, long host, int generation) {
        this.address = address;
        this.generation = generation;
        for (int i = 0; i < fetched.length; i++) {
            fetched[i] = OffHeap.getLong(host + (long) i * Long.BYTES);
        }
    }

    /** Guest-physical. */
    long address() {
        return address;
    }

    /** The last generation for which the page is known to equal memory. */
    int generation() {
        return generation;
    }

    /**
     * Whether memory still holds what was fetched; if so, the page is good for a generation.
     *
     * @param current that was current before the call
     */
    boolean renew(long host, int current) {
        for (int i = 0; i < fetched.length; i++) {
            if (fetched[i] != OffHeap.getLong(host + (long) i * Long.BYTES)) {
                return false;
            }
        }
        generation = current;
        return true;
    }

    int half(int index) {
        return (int) (fetched[index / HALVES_PER_LONG] >>> (index % HALVES_PER_LONG << 4)) & 0xffff;
    }

    /** The instruction at a halfword, its second half left out where that is in the next page. */
    int instruction(int index) {
        int low = half(index);
        return Encoding.compressed(low) || index == SLOTS - 1 ? low : half(index + 1) << 16 | low;
    }

    /** Decodes the instruction at a halfword and keeps it. */
    long decode(int index) {
        int word = instruction(index);
        long decoded =
                Encoding.compressed(word)
                        ? CompressedDecoder.decode(word)
                        : index == SLOTS - 1
                                ? Op.pack(Op.CROSS, 0, 0, 0, 2, 0)
                                : Decoder.decode(word, index);
        ops[index] = decoded;
        return decoded;
    }
}
