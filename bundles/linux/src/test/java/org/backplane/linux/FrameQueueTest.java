package org.backplane.linux;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.List;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.backplane.linux.libc.Host;

class FrameQueueTest {
    /** Negative numbers take that many frames, others put one of that length. */
    @Property(tries = 300)
    void givesBackWhatWasPutInItsOrder(
            @ForAll @Size(max = 120) List<@IntRange(min = -4, max = 3000) Integer> steps)
            throws IOException {
        int page = Mapping.pageSize();
        ArrayDeque<byte[]> model = new ArrayDeque<>();
        ByteBuffer memory = Host.buffer(3000);
        try (FrameQueue queue = new FrameQueue(2L * page)) {
            int count = 0;
            for (int step : steps) {
                for (int i = step; i < 0; i++) {
                    take(queue, model);
                }
                if (step >= 0) {
                    byte[] frame = new byte[step];
                    Arrays.fill(frame, (byte) ++count);
                    memory.put(0, frame);
                    if (queue.offer(Host.address(memory), step)) {
                        model.add(frame);
                    } else {
                        int held = model.stream().mapToInt(f -> f.length + 8).sum();
                        assertTrue(held + step + 8 > 2 * page - 3008, "room for " + step);
                    }
                }
                assertEquals(model.isEmpty(), queue.isEmpty());
            }
            while (!model.isEmpty()) {
                take(queue, model);
            }
            take(queue, model);
        }
    }

    private static void take(FrameQueue queue, ArrayDeque<byte[]> model) throws IOException {
        byte[] expected = model.poll();
        int length = queue.next();
        assertEquals(expected == null ? -1 : expected.length, length);
        if (expected != null) {
            ByteBuffer copy = Host.buffer(Math.max(1, length));
            Host.copy(queue.address(), Host.address(copy), length);
            byte[] frame = new byte[length];
            copy.get(0, frame);
            assertArrayEquals(expected, frame);
            queue.drop();
        }
    }

    @Example
    void saysWhenItIsHalfFull() throws IOException {
        int page = Mapping.pageSize();
        ByteBuffer memory = Host.buffer(page);
        try (FrameQueue queue = new FrameQueue(2L * page)) {
            queue.offer(Host.address(memory), page - 4);
            assertTrue(!queue.isHalfFull());
            queue.offer(Host.address(memory), 1);
            assertTrue(queue.isHalfFull());
        }
    }
}
