package org.backplane.kvm;

import org.backplane.hypervisor.HypervisorException;
import org.backplane.linux.LinuxException;
import org.backplane.linux.Mapping;
import org.backplane.memory.OffHeap;

/**
 * A structure that KVM reads or fills, outside of the heap and zeroed at first. Offsets are in
 * bytes and checked: an access behind the end is a mistake of this bundle. Not thread-safe.
 */
final class Struct implements AutoCloseable {
    private final Mapping mapping;
    private final int length;

    private Struct(Mapping mapping, int length) {
        this.mapping = mapping;
        this.length = length;
    }

    /**
     * @param length in bytes
     */
    static Struct of(int length) throws HypervisorException {
        try {
            return new Struct(Mapping.anonymous(length, Mapping.Protection.READ_WRITE), length);
        } catch (LinuxException e) {
            throw new HypervisorException(
                    "KVM needs %d bytes of memory to be asked something and there are none: %s; end other programs."
                            .formatted(length, e.getMessage()),
                    e);
        }
    }

    /** One with bytes in it. */
    static Struct of(byte[] content) throws HypervisorException {
        Struct struct = of(content.length);
        struct.put(0, content);
        return struct;
    }

    long address() {
        return mapping.address();
    }

    int length() {
        return length;
    }

    private long at(int offset, int size) {
        if (offset < 0 || size < 0 || offset > length - size) {
            throw new IndexOutOfBoundsException(
                    "%d bytes at %d of a structure of %d".formatted(size, offset, length));
        }
        return mapping.address() + offset;
    }

    byte u8(int offset) {
        return OffHeap.getByte(at(offset, Byte.BYTES));
    }

    int u32(int offset) {
        return OffHeap.getInt(at(offset, Integer.BYTES));
    }

    long u64(int offset) {
        return OffHeap.getLong(at(offset, Long.BYTES));
    }

    Struct u8(int offset, int value) {
        OffHeap.putByte(at(offset, Byte.BYTES), (byte) value);
        return this;
    }

    Struct u16(int offset, int value) {
        OffHeap.putShort(at(offset, Short.BYTES), (short) value);
        return this;
    }

    Struct u32(int offset, int value) {
        OffHeap.putInt(at(offset, Integer.BYTES), value);
        return this;
    }

    Struct u64(int offset, long value) {
        OffHeap.putLong(at(offset, Long.BYTES), value);
        return this;
    }

    Struct put(int offset, byte[] bytes) {
        OffHeap.copy(bytes, 0, at(offset, bytes.length), bytes.length);
        return this;
    }

    byte[] bytes(int offset, int count) {
        byte[] bytes = new byte[count];
        OffHeap.copy(at(offset, count), bytes, 0, count);
        return bytes;
    }

    byte[] bytes() {
        return bytes(0, length);
    }

    void clear() {
        OffHeap.fill(mapping.address(), length, (byte) 0);
    }

    @Override
    public void close() {
        mapping.close();
    }
}
