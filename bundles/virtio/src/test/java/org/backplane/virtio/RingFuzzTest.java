package org.backplane.virtio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.backplane.memory.MemoryRange;
import org.backplane.testkit.DriverRing;
import org.backplane.testkit.TestMemory;

/** Random bytes over rings, descriptors and indirect tables: a queue breaks, and nothing else. */
class RingFuzzTest {
    private static final int STEPS = 150;
    private static final int TABLE_BYTES = 256;

    @Property(tries = 1500)
    void neverThrowsAndNeverLeavesMemory(
            @ForAll long seed,
            @ForAll boolean eventIndex,
            @ForAll @IntRange(min = 0, max = 5) int sizePower)
            throws Exception {
        Random random = new Random(seed);
        try (QueueRig rig = new QueueRig(1 << sizePower, eventIndex)) {
            long table = rig.memory.allocate(TABLE_BYTES, 16);
            List<DescriptorChain> out = new ArrayList<>();
            for (int step = 0; step < STEPS; step++) {
                switch (random.nextInt(12)) {
                    case 0 -> scribble(rig, random, rig.driver.descriptors(), 16 << sizePower);
                    case 1 -> scribble(rig, random, rig.driver.available(), 6 + (2 << sizePower));
                    case 2 -> scribble(rig, random, rig.driver.used(), 6 + (8 << sizePower));
                    case 3 -> scribble(rig, random, table, TABLE_BYTES);
                    case 4, 5, 6 -> plausible(rig, random, table);
                    case 7 -> rig.queue.interrupt();
                    case 8 -> {
                        if (random.nextBoolean()) {
                            rig.queue.disableNotifications();
                        } else {
                            rig.queue.enableNotifications();
                        }
                    }
                    case 9 -> {
                        if (!out.isEmpty()) {
                            DescriptorChain chain = out.remove(random.nextInt(out.size()));
                            rig.queue.complete(chain, (int) Math.min(1, chain.writableLength()));
                        }
                    }
                    default -> {
                        DescriptorChain chain = rig.queue.poll();
                        if (chain != null) {
                            check(rig, chain);
                            out.add(chain);
                        }
                    }
                }
                assertTrue(rig.reasons.size() <= 1, "broken once at most");
                assertEquals(out.size(), rig.queue.outstanding());
                if (!rig.reasons.isEmpty() && random.nextInt(4) == 0) {
                    rig.port.disable();
                    out.clear();
                    rig.reasons.clear();
                    rig.driver.reset();
                    rig.port.enable(QueueRig.setup(rig.driver, eventIndex, true));
                }
            }
            rig.port.disable();
            assertTrue(rig.memory.guestMemory().pinned().isEmpty(), "pins given back");
        }
    }

    private static void scribble(QueueRig rig, Random random, long at, int length) {
        byte[] bytes = new byte[1 + random.nextInt(Math.min(8, length))];
        random.nextBytes(bytes);
        rig.memory.write(at + random.nextInt(length - bytes.length + 1), bytes);
    }

    /** A chain that is nearly right, so that the walk gets far. */
    private static void plausible(QueueRig rig, Random random, long table) {
        int size = rig.driver.size();
        int head = random.nextInt(size);
        int index = head;
        int links = 1 + random.nextInt(3);
        for (int i = 0; i < links; i++) {
            int next = random.nextInt(size);
            boolean more = i < links - 1;
            if (random.nextInt(4) == 0) {
                for (int entry = 0; entry < 3; entry++) {
                    rig.driver.writeDescriptor(
                            table + 16 * entry,
                            address(random),
                            random.nextInt(5000),
                            (entry < 2 ? DriverRing.NEXT : 0) | (entry > 0 ? DriverRing.WRITE : 0),
                            entry + 1);
                }
                rig.driver.pokeDescriptor(index, table, 48, DriverRing.INDIRECT, 0);
                break;
            }
            int write = random.nextInt(3) == 0 || i > 0 ? DriverRing.WRITE : 0;
            rig.driver.pokeDescriptor(
                    index,
                    address(random),
                    random.nextInt(5000),
                    write | (more ? DriverRing.NEXT : 0),
                    next);
            index = next;
        }
        rig.driver.offer(head);
    }

    private static long address(Random random) {
        return switch (random.nextInt(20)) {
            case 0 -> random.nextLong();
            case 1 -> -random.nextInt(10_000);
            case 2 -> Long.MAX_VALUE - random.nextInt(10_000);
            case 3 -> TestMemory.BASE + TestMemory.SIZE - random.nextInt(5000);
            case 4, 5, 6 -> TestMemory.BOUNDARY - random.nextInt(5000);
            default -> TestMemory.BASE + random.nextInt((int) TestMemory.SIZE - 5000);
        };
    }

    private static void check(QueueRig rig, DescriptorChain chain) {
        long total = 0;
        for (int i = 0; i < chain.segments(); i++) {
            long start = chain.address(i);
            long end = start + chain.length(i);
            boolean inside = false;
            for (MemoryRange range : rig.memory.guestMemory().layout().ranges()) {
                inside |=
                        start >= range.hostAddress()
                                && end <= range.hostAddress() + range.length()
                                && chain.length(i) > 0;
            }
            assertTrue(inside, "segment " + i + " is inside of one range");
            total += chain.length(i);
        }
        assertEquals(chain.readableLength() + chain.writableLength(), total);
        assertTrue(chain.readableSegments() <= chain.segments());
    }
}
