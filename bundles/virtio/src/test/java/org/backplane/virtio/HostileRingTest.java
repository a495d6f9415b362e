package org.backplane.virtio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.function.Consumer;
import org.backplane.linux.Memfd;
import org.backplane.testkit.DriverRing;
import org.backplane.testkit.DriverRing.Buffer;
import org.backplane.testkit.TestMemory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a driver may do to its rings, and what must come of it: this queue stops, nothing else. */
class HostileRingTest {
    private static final int SIZE = 8;
    private static final int NEXT = DriverRing.NEXT;
    private static final int WRITE = DriverRing.WRITE;
    private static final int INDIRECT = DriverRing.INDIRECT;

    /** The queue has a good chain out, then the driver misbehaves. */
    private static void breaks(String reason, Consumer<QueueRig> misbehaviour) throws Exception {
        try (QueueRig rig = new QueueRig(SIZE, true)) {
            rig.submit(rig.writable(4));
            DescriptorChain out = rig.queue.poll();
            assertNotNull(out);
            misbehaviour.accept(rig);
            assertNull(rig.queue.poll());
            assertEquals(1, rig.reasons.size(), "reported once");
            assertTrue(rig.reasons.get(0).contains(reason), rig.reasons.get(0));

            // It stays broken, says so once, and lets go of what was out.
            rig.submit(rig.writable(4));
            assertNull(rig.queue.poll());
            rig.queue.complete(out, 4);
            rig.queue.interrupt();
            rig.queue.broken("again");
            assertEquals(1, rig.reasons.size());
            assertEquals(0, rig.driver.usedIndex());
            assertEquals(0, rig.interrupts);
            assertEquals(0, rig.queue.outstanding());
            assertTrue(rig.memory.guestMemory().pinned().isEmpty());
        }
    }

    @Test
    void headOutsideOfTheTable() throws Exception {
        breaks("head 8 in a queue of 8", rig -> rig.driver.offer(SIZE));
        breaks("head 65535", rig -> rig.driver.offer(0xffff));
    }

    @Test
    void headThatIsAlreadyOut() throws Exception {
        breaks("offered again", rig -> rig.driver.offer(0));
    }

    @Test
    void indexThatJumpsByMoreThanTheQueue() throws Exception {
        breaks("available index", rig -> rig.driver.pokeAvailableIndex(1 + SIZE + 1));
        breaks("available index", rig -> rig.driver.pokeAvailableIndex(0));
    }

    @Test
    void nextOutsideOfTheTable() throws Exception {
        breaks(
                "descriptor 8 is outside",
                rig -> {
                    rig.driver.pokeDescriptor(2, TestMemory.BASE, 4, NEXT, SIZE);
                    rig.driver.offer(2);
                });
    }

    @Test
    void descriptorsInALoop() throws Exception {
        breaks(
                "longer than its queue",
                rig -> {
                    rig.driver.pokeDescriptor(2, TestMemory.BASE, 4, NEXT, 3);
                    rig.driver.pokeDescriptor(3, TestMemory.BASE, 4, NEXT, 2);
                    rig.driver.offer(2);
                });
        // Of no length at all, which takes no segment.
        breaks(
                "longer than its queue",
                rig -> {
                    rig.driver.pokeDescriptor(2, 0, 0, NEXT, 2);
                    rig.driver.offer(2);
                });
    }

    @Test
    void loopInsideAnIndirectTable() throws Exception {
        breaks(
                "longer than its queue",
                rig -> {
                    long table = rig.memory.allocate(32, 16);
                    rig.driver.writeDescriptor(table, TestMemory.BASE, 4, NEXT, 1);
                    rig.driver.writeDescriptor(table + 16, TestMemory.BASE, 4, NEXT, 0);
                    rig.driver.pokeDescriptor(2, table, 32, INDIRECT, 0);
                    rig.driver.offer(2);
                });
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 15, 17, 24, -1})
    void indirectTableOfOddLength(int length) throws Exception {
        breaks(
                "an indirect table of",
                rig -> {
                    rig.driver.pokeDescriptor(2, TestMemory.BASE, length, INDIRECT, 0);
                    rig.driver.offer(2);
                });
    }

    @Test
    void indirectInsideIndirect() throws Exception {
        breaks(
                "inside an indirect table",
                rig -> {
                    long table = rig.memory.allocate(16, 16);
                    rig.driver.writeDescriptor(table, table, 16, INDIRECT, 0);
                    rig.driver.pokeDescriptor(2, table, 16, INDIRECT, 0);
                    rig.driver.offer(2);
                });
    }

    @Test
    void indirectWithANextOne() throws Exception {
        breaks(
                "has a next one",
                rig -> {
                    rig.driver.pokeDescriptor(2, TestMemory.BASE, 16, INDIRECT | NEXT, 3);
                    rig.driver.offer(2);
                });
    }

    @Test
    void indirectTableOutsideOfMemory() throws Exception {
        for (long address : new long[] {0, -16, Long.MAX_VALUE - 15, TestMemory.BASE - 16}) {
            breaks(
                    "is not in memory",
                    rig -> {
                        rig.driver.pokeDescriptor(2, address, 16, INDIRECT, 0);
                        rig.driver.offer(2);
                    });
        }
    }

    @Test
    void nextOutsideOfAnIndirectTable() throws Exception {
        breaks(
                "descriptor 1 is outside",
                rig -> {
                    long table = rig.memory.allocate(32, 16);
                    rig.driver.writeDescriptor(table, TestMemory.BASE, 4, NEXT, 1);
                    rig.driver.pokeDescriptor(2, table, 16, INDIRECT, 0);
                    rig.driver.offer(2);
                });
    }

    @Test
    void indirectThatWasNotNegotiated() throws Exception {
        try (QueueRig rig = new QueueRig(SIZE, false, false)) {
            rig.driver.addIndirect(rig.writable(4));
            rig.driver.publish();
            assertNull(rig.queue.poll());
            assertTrue(rig.reasons.get(0).contains("VIRTIO_F_INDIRECT_DESC"));
        }
    }

    @Test
    void readableBehindWritable() throws Exception {
        breaks(
                "behind a writable",
                rig -> {
                    rig.driver.pokeDescriptor(2, TestMemory.BASE, 4, NEXT | WRITE, 3);
                    rig.driver.pokeDescriptor(3, TestMemory.BASE, 4, 0, 0);
                    rig.driver.offer(2);
                });
    }

    @ParameterizedTest
    @CsvSource({
        "0, 1",
        "0x7fffffff, 2",
        "0x803fffff, 2",
        "0x80400000, 1",
        "0x7fffffffffffffff, 1",
        "0x7fffffffffffffff, 0xffffffff",
        "0xffffffffffffffff, 1",
        "0xffffffffffffffff, 2",
        "0xffffffff80000000, 0xffffffff",
        "0x80000000, 0xffffffff"
    })
    void bufferOutsideOfMemory(String address, String length) throws Exception {
        long at = Long.parseUnsignedLong(address.replace("0x", ""), 16);
        int bytes = Integer.parseUnsignedInt(length.replace("0x", ""), 16);
        for (int flags : new int[] {0, WRITE}) {
            breaks(
                    "not in memory",
                    rig -> {
                        rig.driver.pokeDescriptor(2, at, bytes, flags, 0);
                        rig.driver.offer(2);
                    });
        }
    }

    @Test
    void moreThanFourGibibytesInOneChain() throws Exception {
        // Each buffer for itself would be in memory of that size; the sum may not be.
        try (QueueRig rig = new QueueRig(SIZE, true)) {
            for (int i = 0; i < SIZE; i++) {
                rig.driver.pokeDescriptor(i, TestMemory.BASE, -1, i < SIZE - 1 ? NEXT : 0, i + 1);
            }
            rig.driver.offer(0);
            assertNull(rig.queue.poll());
            assertEquals(1, rig.reasons.size());
        }
    }

    @Test
    void writesIntoMemoryThatMayOnlyBeRead() throws Exception {
        try (TestMemory memory = new TestMemory();
                var content = Memfd.create("rom", 4096);
                var rom = memory.guestMemory().map(0x1000_0000, content, 0, 4096, false)) {
            DriverRing driver = new DriverRing(memory, SIZE, false);
            LastReason broken = new LastReason();
            QueuePort port = new QueuePort(0, SIZE, memory.guestMemory().view("device"), broken);
            assertNull(port.enable(QueueRig.setup(driver, false, false)));
            driver.add(Buffer.readable(0x1000_0000, 4096));
            driver.add(Buffer.writable(0x1000_0000, 1));
            driver.publish();
            assertEquals(4096, port.queue().poll().readableLength());
            assertNull(port.queue().poll());
            assertTrue(broken.reason.contains("not in memory"));
        }
    }

    @Test
    void ringsThatCannotBeUsedAreRefused() throws Exception {
        try (QueueRig rig = new QueueRig(SIZE, true);
                var content = Memfd.create("rom", 4096);
                var rom = rig.memory.guestMemory().map(0x1000_0000, content, 0, 4096, false)) {
            long table = rig.driver.descriptors();
            long available = rig.driver.available();
            long used = rig.driver.used();
            refused(rig, "no power of two", new RingSetup(0, table, available, used, true, true));
            refused(rig, "no power of two", new RingSetup(3, table, available, used, true, true));
            refused(rig, "no power of two", new RingSetup(16, table, available, used, true, true));
            refused(rig, "aligned to 16", new RingSetup(8, table + 8, available, used, true, true));
            refused(rig, "aligned to 2", new RingSetup(8, table, available + 1, used, true, true));
            refused(rig, "aligned to 4", new RingSetup(8, table, available, used + 2, true, true));
            for (long outside :
                    new long[] {
                        0,
                        -16,
                        Long.MIN_VALUE,
                        Long.MAX_VALUE - 15,
                        TestMemory.BASE + TestMemory.SIZE - 16,
                        // In two ranges: legal for a buffer, but no ring is made like that.
                        TestMemory.BOUNDARY - 16
                    }) {
                refused(rig, "not in mem", new RingSetup(8, outside, available, used, true, true));
                refused(rig, "not in mem", new RingSetup(8, table, outside, used, true, true));
                refused(rig, "not in mem", new RingSetup(8, table, available, outside, true, true));
            }
            assertNull(
                    rig.port.enable(new RingSetup(8, 0x1000_0000, 0x1000_0800, used, true, true)));
            refused(rig, "not in mem", new RingSetup(8, table, available, 0x1000_0000, true, true));
        }
    }

    private static void refused(QueueRig rig, String reason, RingSetup setup) {
        String problem = rig.port.enable(setup);
        assertNotNull(problem, setup::toString);
        assertTrue(problem.contains(reason), problem);
    }

    @Test
    void ringInMemoryThatGoesAway() throws Exception {
        try (QueueRig rig = new QueueRig(SIZE, true);
                var content = Memfd.create("bar", 4096)) {
            var bar = rig.memory.guestMemory().map(0x1000_0000, content, 0, 4096, true);
            RingSetup setup =
                    new RingSetup(
                            SIZE,
                            0x1000_0000,
                            rig.driver.available(),
                            rig.driver.used(),
                            true,
                            true);
            assertNull(rig.port.enable(setup));
            assertNull(rig.queue.poll());
            bar.close();
            rig.driver.offer(0);
            assertNull(rig.queue.poll());
            assertTrue(rig.reasons.get(0).contains("no longer in memory"));
        }
    }

    @Test
    void bufferInMemoryThatGoesAwayStaysUntilTheRequestIsCompleted() throws Exception {
        try (QueueRig rig = new QueueRig(SIZE, true);
                var content = Memfd.create("bar", 4096)) {
            var bar = rig.memory.guestMemory().map(0x1000_0000, content, 0, 4096, true);
            rig.submit(Buffer.writable(0x1000_0000, 4096));
            DescriptorChain chain = rig.queue.poll();
            bar.close();
            assertTrue(rig.memory.guestMemory().pinned().contains("device"));
            // Would end this process if the mapping were gone.
            chain.write(0, new byte[4096], 0, 4096);
            rig.queue.complete(chain, 4096);
            assertTrue(rig.memory.guestMemory().pinned().isEmpty());
        }
    }

    /** Keeps the last reason. */
    private static final class LastReason implements QueueTransport {
        private String reason;

        @Override
        public void usedBuffers(int queue) {}

        @Override
        public void broken(int queue, String why) {
            reason = why;
        }
    }
}
