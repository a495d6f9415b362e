package org.backplane.testkit.vfio;

import java.util.Arrays;
import org.backplane.linux.Mapping;
import org.backplane.memory.OffHeap;

/**
 * Bytes with a mask each of what can be written and what clears itself. They are on the heap or,
 * where others map them too, in shared memory.
 */
final class RegisterFile {
    private final byte[] heap;
    private final Mapping shared;
    private final byte[] first;
    private final byte[] writable;
    private final byte[] selfClearing;

    private RegisterFile(byte[] heap, Mapping shared, int masked) {
        this.heap = heap;
        this.shared = shared;
        first = new byte[masked];
        writable = new byte[masked];
        selfClearing = new byte[masked];
    }

    /** On the heap, fixed zeroes at first. */
    static RegisterFile onHeap(int bytes) {
        return new RegisterFile(new byte[bytes], null, bytes);
    }

    /**
     * In shared memory.
     *
     * @param masked how many bytes from the first on have masks; those behind are plain memory
     */
    static RegisterFile shared(Mapping memory, int masked) {
        return new RegisterFile(null, memory, masked);
    }

    /** Makes every byte plain memory. */
    RegisterFile plain() {
        Arrays.fill(writable, (byte) -1);
        return this;
    }

    /** Sets bytes as they are at first, and their masks. */
    void describe(int offset, int width, long value, long mask, long clearing) {
        for (int i = 0; i < width; i++) {
            first[offset + i] = (byte) (value >>> 8 * i);
            writable[offset + i] = (byte) (mask >>> 8 * i);
            selfClearing[offset + i] = (byte) (clearing >>> 8 * i);
            setByte(offset + i, first[offset + i]);
        }
    }

    /** Sets every byte that has a mask as it was at first. */
    void reset() {
        for (int i = 0; i < first.length; i++) {
            setByte(i, first[i]);
        }
    }

    private byte getByte(long offset) {
        return shared == null
                ? heap[(int) offset]
                : OffHeap.getByteOpaque(shared.address() + offset);
    }

    private void setByte(long offset, byte value) {
        if (shared == null) {
            heap[(int) offset] = value;
        } else {
            OffHeap.putByteOpaque(shared.address() + offset, value);
        }
    }

    long read(long offset, int width) {
        long value = 0;
        for (int i = width - 1; i >= 0; i--) {
            value = value << 8 | getByte(offset + i) & 0xff;
        }
        return value;
    }

    /** Writes as a client does, by the masks. */
    void write(long offset, int width, long value) {
        for (int i = 0; i < width; i++) {
            long at = offset + i;
            byte written = (byte) (value >>> 8 * i);
            if (at < writable.length) {
                int mask = writable[(int) at];
                int kept = mask & ~selfClearing[(int) at];
                setByte(at, (byte) (getByte(at) & ~mask | written & kept));
            } else {
                setByte(at, written);
            }
        }
    }

    /** Sets bytes as the device does, whatever the masks. */
    void set(long offset, int width, long value) {
        for (int i = 0; i < width; i++) {
            setByte(offset + i, (byte) (value >>> 8 * i));
        }
    }
}
