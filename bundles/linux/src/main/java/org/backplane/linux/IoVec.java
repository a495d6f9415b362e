package org.backplane.linux;

import java.nio.ByteBuffer;
import java.util.Objects;
import org.backplane.linux.libc.Abi;
import org.backplane.linux.libc.Host;

/**
 * A list of memory runs for one scattered read or write, kept in the form that the kernel takes
 * ({@code struct iovec}) and filled again for each request: no allocation. It holds addresses, not
 * the memory behind them; the caller keeps that mapped. Not thread-safe.
 */
public final class IoVec {
    /** Most runs that one call takes, IOV_MAX. */
    public static final int MAXIMUM = Abi.IOV_MAX;

    private final ByteBuffer runs;
    private final long address;
    private final int capacity;
    private int first;
    private int end;
    private long bytes;

    /**
     * @param capacity most runs at a time, 1 to {@link #MAXIMUM}
     */
    public IoVec(int capacity) {
        if (capacity < 1 || capacity > MAXIMUM) {
            throw new IllegalArgumentException(
                    "a vector holds 1 to " + MAXIMUM + " runs, not " + capacity);
        }
        this.capacity = capacity;
        runs = Host.buffer(capacity * Abi.IOVEC_BYTES);
        address = Host.address(runs);
    }

    /** Forgets all runs. */
    public void clear() {
        first = 0;
        end = 0;
        bytes = 0;
    }

    /**
     * Appends a run.
     *
     * @param host its address in this process
     * @param length in bytes, not negative
     * @return false if the vector is full
     */
    public boolean add(long host, long length) {
        if (length < 0) {
            throw new IllegalArgumentException("a run of " + length + " bytes");
        }
        if (end == capacity) {
            return false;
        }
        runs.putLong(end * Abi.IOVEC_BYTES + Abi.IOV_BASE, host);
        runs.putLong(end * Abi.IOVEC_BYTES + Abi.IOV_LEN, length);
        end++;
        bytes = Math.addExact(bytes, length);
        return true;
    }

    /**
     * Appends part of a direct buffer, which the caller keeps reachable.
     *
     * @param offset in bytes from the buffer's beginning, whatever its position
     * @return false if the vector is full
     */
    public boolean add(ByteBuffer direct, int offset, int length) {
        if (!direct.isDirect()) {
            throw new IllegalArgumentException("a buffer on the heap has no address");
        }
        Objects.checkFromIndexSize(offset, length, direct.capacity());
        return add(Host.address(direct) + offset, length);
    }

    /** Drops bytes from the front, after a call that took fewer than all. */
    public void advance(long count) {
        if (count < 0 || count > bytes) {
            throw new IllegalArgumentException("advance by " + count + " of " + bytes + " bytes");
        }
        bytes -= count;
        long left = count;
        while (first < end) {
            int at = first * Abi.IOVEC_BYTES;
            long length = runs.getLong(at + Abi.IOV_LEN);
            if (left < length) {
                runs.putLong(at + Abi.IOV_BASE, runs.getLong(at + Abi.IOV_BASE) + left);
                runs.putLong(at + Abi.IOV_LEN, length - left);
                return;
            }
            left -= length;
            first++;
        }
    }

    /**
     * Appends another vector's runs, which stay with it too.
     *
     * @param most bytes at most, from its front
     * @return false if this vector is full before
     */
    boolean addAll(IoVec from, long most) {
        long left = Math.min(most, from.bytes);
        for (int i = from.first; left > 0; i++) {
            int at = i * Abi.IOVEC_BYTES;
            long length = Math.min(left, from.runs.getLong(at + Abi.IOV_LEN));
            if (!add(from.runs.getLong(at + Abi.IOV_BASE), length)) {
                return false;
            }
            left -= length;
        }
        return true;
    }

    /** Copies from an address into the runs, from their front; the vector stays as it is. */
    void fill(long from, long length) {
        copy(from, length, true);
    }

    /** Copies from the runs, from their front, to an address; the vector stays as it is. */
    void gather(long to, long length) {
        copy(to, length, false);
    }

    private void copy(long flat, long length, boolean into) {
        if (length > bytes) {
            throw new IllegalArgumentException("copy of %d of %d bytes".formatted(length, bytes));
        }
        long done = 0;
        for (int i = first; done < length; i++) {
            int at = i * Abi.IOVEC_BYTES;
            long run = runs.getLong(at + Abi.IOV_BASE);
            long piece = Math.min(length - done, runs.getLong(at + Abi.IOV_LEN));
            if (into) {
                Host.copy(flat + done, run, piece);
            } else {
                Host.copy(run, flat + done, piece);
            }
            done += piece;
        }
    }

    /** Where the first run begins. */
    long front() {
        return runs.getLong(first * Abi.IOVEC_BYTES + Abi.IOV_BASE);
    }

    /** Runs left. */
    public int count() {
        return end - first;
    }

    /** Bytes left, over all runs. */
    public long bytes() {
        return bytes;
    }

    public boolean isFull() {
        return end == capacity;
    }

    long address() {
        return address + (long) first * Abi.IOVEC_BYTES;
    }
}
