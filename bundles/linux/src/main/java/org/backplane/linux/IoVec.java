package org.backplane.linux;

import java.nio.ByteBuffer;
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
