package org.backplane.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.backplane.linux.libc.Host;

class IoVecTest {
    @Property(tries = 200)
    void writesEveryByteOnceInWhateverPiecesItIsTaken(
            @ForAll @Size(max = 12) List<@IntRange(max = 9) Integer> lengths,
            @ForAll @Size(min = 1, max = 6) List<@IntRange(max = 7) Integer> steps)
            throws IOException {
        ByteBuffer memory = Host.buffer(256);
        IoVec vector = new IoVec(12);
        StringBuilder expected = new StringBuilder();
        int at = 0;
        for (int length : lengths) {
            for (int i = 0; i < length; i++) {
                memory.put(at + i, (byte) ('a' + (at + i) % 26));
                expected.append((char) ('a' + (at + i) % 26));
            }
            assertTrue(vector.add(Host.address(memory) + at, length));
            at += length + 3;
        }
        Path path = Files.createTempFile("iovec", null);
        try (Fd file = Fd.open(path, OpenFlag.WRITE)) {
            long done = 0;
            for (int step : steps) {
                // The whole rest is written and only part of it counted, as after a short write.
                assertEquals(expected.length() - done, vector.bytes());
                assertEquals(vector.bytes(), file.pwritev(vector, done));
                long count = Math.min(step, vector.bytes());
                vector.advance(count);
                done += count;
            }
            assertEquals(expected.toString(), Files.readString(path));
        } finally {
            Files.delete(path);
        }
    }

    @Example
    void saysWhenItIsFull() {
        IoVec vector = new IoVec(2);
        assertTrue(vector.add(1, 1));
        assertTrue(vector.add(2, 1));
        assertTrue(vector.isFull());
        assertFalse(vector.add(3, 1));
        assertEquals(2, vector.bytes());
        vector.clear();
        assertTrue(vector.add(3, 1));
    }

    @Example
    void refusesWhatNoVectorCanHold() {
        assertThrows(IllegalArgumentException.class, () -> new IoVec(0));
        assertThrows(IllegalArgumentException.class, () -> new IoVec(IoVec.MAXIMUM + 1));
        IoVec vector = new IoVec(1);
        assertThrows(IllegalArgumentException.class, () -> vector.add(0, -1));
        assertThrows(IllegalArgumentException.class, () -> vector.advance(1));
    }

    @Example
    void takesPartsOfDirectBuffersOnly() {
        IoVec vector = new IoVec(1);
        ByteBuffer direct = Host.buffer(8);
        assertThrows(IndexOutOfBoundsException.class, () -> vector.add(direct, 4, 5));
        assertThrows(IndexOutOfBoundsException.class, () -> vector.add(direct, -1, 1));
        assertThrows(
                IllegalArgumentException.class, () -> vector.add(ByteBuffer.allocate(8), 0, 1));
        assertTrue(vector.add(direct, 4, 4));
        assertEquals(Host.address(direct) + 4, vector.front());
    }
}
