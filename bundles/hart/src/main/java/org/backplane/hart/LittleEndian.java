package org.backplane.hart;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.BitSet;

/** Register arrays as the byte strings of a saved state. */
final class LittleEndian {
    private LittleEndian() {}

    private static ByteBuffer over(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    static byte[] bytes(long[] values) {
        ByteBuffer bytes = over(new byte[values.length * Long.BYTES]);
        bytes.asLongBuffer().put(values);
        return bytes.array();
    }

    static byte[] bytes(int[] values) {
        ByteBuffer bytes = over(new byte[values.length * Integer.BYTES]);
        bytes.asIntBuffer().put(values);
        return bytes.array();
    }

    /** Bits 0 to count - 1, the first the lowest of the first byte. */
    static byte[] bytes(BitSet bits, int count) {
        return Arrays.copyOf(bits.toByteArray(), bitBytes(count));
    }

    static int bitBytes(int count) {
        return (count + Byte.SIZE - 1) / Byte.SIZE;
    }
}
