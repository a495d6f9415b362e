package org.backplane.linux;

import org.backplane.linux.libc.Host;

/**
 * Frames that wait, first in, first out, in one run of memory. A frame lies in one piece, behind
 * its length; one that does not fit before the memory's end begins anew at its start. Not
 * thread-safe.
 */
final class FrameQueue implements AutoCloseable {
    private static final int PREFIX = Integer.BYTES;
    private static final int REST_IS_EMPTY = -1;

    private final Mapping memory;
    private final long capacity;

    /** Bytes ever taken and ever put, empty rests included. */
    private long taken;

    private long put;

    /**
     * @param capacity in bytes, a multiple of the page
     */
    FrameQueue(long capacity) throws LinuxException {
        this.capacity = capacity;
        memory = Mapping.anonymous(capacity, Mapping.Protection.READ_WRITE);
    }

    /** Copies a frame to the end; false if there is no room. */
    boolean offer(long address, int length) {
        long needed = room(length);
        long rest = capacity - put % capacity;
        if (put - taken + needed + (rest < needed ? rest : 0) > capacity) {
            return false;
        }
        if (rest < needed) {
            Host.writeInt(at(put), REST_IS_EMPTY);
            put += rest;
        }
        Host.writeInt(at(put), length);
        Host.copy(address, at(put) + PREFIX, length);
        put += needed;
        return true;
    }

    /** Length of the first frame; -1 if there is none. */
    int next() {
        if (taken == put) {
            return -1;
        }
        int length = Host.readInt(at(taken));
        if (length == REST_IS_EMPTY) {
            taken += capacity - taken % capacity;
            length = Host.readInt(at(taken));
        }
        return length;
    }

    /** Where the first frame is, behind {@link #next}. */
    long address() {
        return at(taken) + PREFIX;
    }

    /** Drops the first frame, behind {@link #next}. */
    void drop() {
        taken += room(Host.readInt(at(taken)));
    }

    boolean isEmpty() {
        return taken == put;
    }

    boolean isHalfFull() {
        return put - taken > capacity / 2;
    }

    private long at(long position) {
        return memory.address() + position % capacity;
    }

    private static long room(int length) {
        return (PREFIX + length + PREFIX - 1) / PREFIX * PREFIX;
    }

    @Override
    public void close() {
        memory.close();
    }
}
