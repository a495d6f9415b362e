package org.backplane.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.backplane.testkit.DriverRing.Buffer;
import org.backplane.testkit.DriverRing.Used;
import org.junit.jupiter.api.Test;

class DriverRingTest {
    @Test
    void laysAChainDownAsTheSpecificationSays() throws Exception {
        try (TestMemory memory = new TestMemory()) {
            DriverRing ring = new DriverRing(memory, 4, false);
            int head = ring.add(Buffer.readable(0x1111, 0x22), Buffer.writable(0x3333, 0x44));
            assertEquals(0, memory.getShort(ring.available() + 2));
            assertTrue(ring.publish());
            assertEquals(1, memory.getShort(ring.available() + 2));
            assertEquals(head, memory.getShort(ring.available() + 4));
            long first = ring.descriptors() + 16L * head;
            assertEquals(0x1111, memory.getLong(first));
            assertEquals(0x22, memory.getInt(first + 8));
            assertEquals(DriverRing.NEXT, memory.getShort(first + 12));
            long second = ring.descriptors() + 16L * memory.getShort(first + 14);
            assertEquals(0x3333, memory.getLong(second));
            assertEquals(DriverRing.WRITE, memory.getShort(second + 12));
        }
    }

    @Test
    void freesWhatTheDeviceReturns() throws Exception {
        try (TestMemory memory = new TestMemory()) {
            DriverRing ring = new DriverRing(memory, 2, false);
            int head = ring.add(Buffer.readable(0, 1), Buffer.readable(0, 1));
            assertEquals(-1, ring.add(Buffer.readable(0, 1)));
            assertNull(ring.collect());
            memory.putInt(ring.used() + 4, head);
            memory.putInt(ring.used() + 8, 7);
            memory.putShort(ring.used() + 2, 1);
            assertEquals(new Used(head, 7), ring.collect());
            assertEquals(2, ring.freeDescriptors());
        }
    }

    @Test
    void ringsTheDoorbellOnlyWhenTheIndexPassesTheEvent() throws Exception {
        try (TestMemory memory = new TestMemory()) {
            DriverRing ring = new DriverRing(memory, 8, true);
            memory.putShort(ring.used() + 4 + 8 * 8, 1);
            ring.add(Buffer.readable(0, 1));
            assertFalse(ring.publish());
            ring.add(Buffer.readable(0, 1));
            assertTrue(ring.publish());
            ring.add(Buffer.readable(0, 1));
            assertFalse(ring.publish());
        }
    }

    @Test
    void memoryIsContiguousOverTheBordersOfItsBanks() throws Exception {
        try (TestMemory memory = new TestMemory()) {
            byte[] content = {1, 2, 3, 4, 5};
            memory.write(TestMemory.BOUNDARY - 2, content);
            assertArrayEquals(content, memory.read(TestMemory.BOUNDARY - 2, 5));
            assertEquals(3, memory.getByte(TestMemory.BOUNDARY));
        }
    }
}
