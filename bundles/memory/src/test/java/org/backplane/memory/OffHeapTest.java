package org.backplane.memory;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Field;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import sun.misc.Unsafe;

@SuppressWarnings("sunapi")
class OffHeapTest {
    private static final int SIZE = 3 << 20;
    private Unsafe unsafe;
    private long block;

    @BeforeEach
    void allocate() throws ReflectiveOperationException {
        Field field = Unsafe.class.getDeclaredField("theUnsafe");
        field.setAccessible(true);
        unsafe = (Unsafe) field.get(null);
        block = unsafe.allocateMemory(SIZE);
        OffHeap.fill(block, SIZE, (byte) 0);
    }

    @AfterEach
    void free() {
        unsafe.freeMemory(block);
    }

    @Test
    void everyModeStoresExactlyItsWidth() {
        OffHeap.putLong(block, -1);
        OffHeap.putByte(block + 1, (byte) 0x12);
        assertEquals(0xffffffffffff12ffL, OffHeap.getLong(block));
        OffHeap.putByteOpaque(block + 1, (byte) 0x34);
        OffHeap.putByteRelease(block + 2, (byte) 0x56);
        OffHeap.putByteVolatile(block + 3, (byte) 0x78);
        assertEquals(0xffffffff785634ffL, OffHeap.getLongAcquire(block));
        OffHeap.putShort(block, (short) 0x1122);
        OffHeap.putShortOpaque(block + 2, (short) 0x3344);
        OffHeap.putShortRelease(block + 4, (short) 0x5566);
        OffHeap.putShortVolatile(block + 6, (short) 0x7788);
        assertEquals(0x7788556633441122L, OffHeap.getLongVolatile(block));
        OffHeap.putInt(block, 1);
        OffHeap.putIntRelease(block + 4, 2);
        assertEquals(0x0000000200000001L, OffHeap.getLongOpaque(block));
        OffHeap.putIntOpaque(block, 3);
        OffHeap.putIntVolatile(block + 4, 4);
        assertEquals(0x0000000400000003L, OffHeap.getLong(block));
        OffHeap.putLong(block, 5);
        OffHeap.putLongOpaque(block + 8, 6);
        OffHeap.putLongRelease(block + 16, 7);
        OffHeap.putLongVolatile(block + 24, 8);
        assertEquals(26, sumOfLongs(4));
    }

    @Test
    void everyModeLoadsWithSign() {
        OffHeap.putLong(block, 0x8000000080008080L);
        assertEquals(-128, OffHeap.getByte(block));
        assertEquals(-128, OffHeap.getByteOpaque(block));
        assertEquals(-128, OffHeap.getByteAcquire(block));
        assertEquals(-128, OffHeap.getByteVolatile(block));
        assertEquals((short) 0x8080, OffHeap.getShort(block));
        assertEquals((short) 0x8080, OffHeap.getShortOpaque(block));
        assertEquals((short) 0x8080, OffHeap.getShortAcquire(block));
        assertEquals((short) 0x8080, OffHeap.getShortVolatile(block));
        assertEquals(0x80008080, OffHeap.getInt(block));
        assertEquals(0x80008080, OffHeap.getIntOpaque(block));
        assertEquals(0x80008080, OffHeap.getIntAcquire(block));
        assertEquals(0x80008080, OffHeap.getIntVolatile(block));
    }

    @Test
    void atomicsReturnWhatWasThere() {
        OffHeap.putLong(block, 10);
        assertFalse(OffHeap.compareAndSetLong(block, 9, 1));
        assertTrue(OffHeap.compareAndSetLong(block, 10, Long.MIN_VALUE));
        assertEquals(Long.MIN_VALUE, OffHeap.getAndAddLong(block, 1));
        assertEquals(Long.MIN_VALUE + 1, OffHeap.getAndSetLong(block, -1));
        assertFalse(OffHeap.compareAndSetInt(block, 0, 1));
        assertTrue(OffHeap.compareAndSetInt(block, -1, 5));
        assertEquals(5, OffHeap.getAndAddInt(block, -6));
        assertEquals(-1, OffHeap.getAndSetInt(block, 0));
        assertEquals(0xffffffff00000000L, OffHeap.getLong(block));
    }

    @Test
    void copiesAndFillsRunsLongerThanOnePiece() {
        byte[] data = new byte[(1 << 20) + 12345];
        new Random(1).nextBytes(data);
        OffHeap.copy(data, 0, block + 7, data.length);
        OffHeap.copy(block + 7, block + 7 + data.length + 3, data.length);
        byte[] back = new byte[data.length + 2];
        OffHeap.copy(block + 7 + data.length + 3, back, 1, data.length);
        byte[] expected = new byte[data.length + 2];
        System.arraycopy(data, 0, expected, 1, data.length);
        assertArrayEquals(expected, back);
        OffHeap.fill(block + 7, data.length, (byte) 9);
        assertEquals(0, OffHeap.getByte(block + 6));
        assertEquals(9, OffHeap.getByte(block + 7));
        assertEquals(9, OffHeap.getByte(block + 7 + data.length - 1));
        assertEquals(0, OffHeap.getByte(block + 7 + data.length));
    }

    @Test
    void refusesToCopyOutsideOfAnArray() {
        byte[] array = new byte[8];
        assertThrows(
                IndexOutOfBoundsException.class, () -> OffHeap.copy(array, 1, block, array.length));
        assertThrows(IndexOutOfBoundsException.class, () -> OffHeap.copy(block, array, -1, 2));
    }

    private long sumOfLongs(int count) {
        long sum = 0;
        for (int i = 0; i < count; i++) {
            sum += OffHeap.getLong(block + 8L * i);
        }
        return sum;
    }
}
