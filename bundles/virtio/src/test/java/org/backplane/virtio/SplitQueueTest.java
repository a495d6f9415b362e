package org.backplane.virtio;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.backplane.testkit.DriverRing.Buffer;
import org.backplane.testkit.DriverRing.Used;
import org.backplane.testkit.TestMemory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SplitQueueTest {
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void carriesAChainToTheDeviceAndBack(boolean indirect) throws Exception {
        try (QueueRig rig = new QueueRig(8, true)) {
            Buffer header = rig.readable(new byte[] {1, 2, 3});
            Buffer more = rig.readable(new byte[] {4, 5});
            Buffer answer = rig.writable(6);
            int head =
                    indirect
                            ? rig.driver.addIndirect(header, more, answer)
                            : rig.driver.add(header, more, answer);
            assertTrue(rig.driver.publish());

            DescriptorChain chain = rig.queue.poll();
            assertEquals(head, chain.head());
            assertEquals(3, chain.segments());
            assertEquals(2, chain.readableSegments());
            assertEquals(5, chain.readableLength());
            assertEquals(6, chain.writableLength());
            byte[] request = new byte[8];
            assertEquals(4, chain.read(1, request, 2, 6));
            assertArrayEquals(new byte[] {0, 0, 2, 3, 4, 5, 0, 0}, request);
            assertEquals(5, chain.write(1, new byte[] {9, 8, 7, 6, 5, 4}, 0, 6));
            assertNull(rig.queue.poll());

            rig.queue.complete(chain, 6);
            rig.queue.interrupt();
            assertEquals(1, rig.interrupts);
            assertEquals(new Used(head, 6), rig.driver.collect());
            assertNull(rig.driver.collect());
            assertArrayEquals(new byte[] {0, 9, 8, 7, 6, 5}, rig.memory.read(answer.address(), 6));
            assertTrue(rig.reasons.isEmpty());
        }
    }

    @Test
    void countsWhatWasCompletedAndKeepsItOverADisableAndACutOff() throws Exception {
        try (QueueRig rig = new QueueRig(8, true)) {
            rig.submit(rig.readable((byte) 1, (byte) 2), rig.writable(5));
            DescriptorChain chain = rig.queue.poll();
            assertEquals(QueueTraffic.NONE, rig.queue.traffic());
            rig.queue.complete(chain, 4);
            // Ignored: it is not out any more.
            rig.queue.complete(chain, 4);
            assertEquals(new QueueTraffic(1, 2, 4), rig.queue.traffic());
            rig.port.cutOff();
            assertEquals(new QueueTraffic(1, 2, 4), rig.port.queue().traffic());
            rig.port.disable();
            assertEquals(new QueueTraffic(1, 2, 4), rig.port.queue().traffic());
        }
    }

    @Test
    void followsDirectDescriptorsThatEndInAnIndirectOne() throws Exception {
        try (QueueRig rig = new QueueRig(8, false)) {
            long table = rig.memory.allocate(32, 16);
            rig.driver.writeDescriptor(table, rig.memory.allocate(2, 16), 2, 1, 1);
            rig.driver.writeDescriptor(table + 16, rig.memory.allocate(3, 16), 3, 2, 0);
            rig.driver.pokeDescriptor(0, rig.memory.allocate(1, 16), 1, 1, 5);
            // WRITE on the descriptor of the table means nothing.
            rig.driver.pokeDescriptor(5, table, 32, 4 | 2, 0);
            rig.driver.offer(0);
            DescriptorChain chain = rig.queue.poll();
            assertEquals(3, chain.segments());
            assertEquals(3, chain.readableLength());
            assertEquals(3, chain.writableLength());
        }
    }

    @Test
    void readsAnIndirectTableThatIsNotAligned() throws Exception {
        try (QueueRig rig = new QueueRig(8, false)) {
            long table = rig.memory.allocate(64, 16) + 3;
            long buffer = rig.memory.allocate(64, 16);
            rig.driver.writeDescriptor(table, buffer, 7, 1, 1);
            rig.driver.writeDescriptor(table + 16, buffer + 7, 9, 2, 0);
            rig.driver.pokeDescriptor(0, table, 32, 4, 0);
            rig.driver.offer(0);
            DescriptorChain chain = rig.queue.poll();
            assertEquals(7, chain.readableLength());
            assertEquals(9, chain.writableLength());
            assertEquals(rig.memory.host(buffer + 7, 9), chain.address(1));
        }
    }

    @Test
    void acceptsAChainAsLongAsTheQueueButNoLonger() throws Exception {
        try (QueueRig rig = new QueueRig(4, false)) {
            Buffer one = rig.readable(new byte[1]);
            rig.driver.addIndirect(one, one, one, one);
            rig.driver.publish();
            DescriptorChain chain = rig.queue.poll();
            assertEquals(4, chain.segments());
            rig.queue.complete(chain, 0);
            rig.driver.collect();

            rig.driver.addIndirect(one, one, one, one, one);
            rig.driver.publish();
            assertNull(rig.queue.poll());
            assertTrue(rig.reasons.get(0).contains("longer than its queue"), rig.reasons::toString);
        }
    }

    @Test
    void splitsABufferThatLiesOverTwoRangesOfMemory() throws Exception {
        try (QueueRig rig = new QueueRig(8, false)) {
            rig.submit(
                    Buffer.readable(TestMemory.BOUNDARY - 100, 300),
                    Buffer.writable(TestMemory.BOUNDARY - 4096, 8192));
            DescriptorChain chain = rig.queue.poll();
            assertEquals(4, chain.segments());
            assertEquals(2, chain.readableSegments());
            assertEquals(100, chain.length(0));
            assertEquals(200, chain.length(1));
            assertEquals(4096, chain.length(2));
            assertEquals(4096, chain.length(3));
            assertEquals(rig.memory.host(TestMemory.BOUNDARY, 200), chain.address(1));
            assertEquals(300, chain.readableLength());
            assertEquals(8192, chain.writableLength());
        }
    }

    @Test
    void givesBuffersOfNoLengthNoSegmentAndDoesNotLookAtTheirAddress() throws Exception {
        try (QueueRig rig = new QueueRig(8, false)) {
            rig.submit(
                    Buffer.readable(-1, 0),
                    rig.readable(new byte[] {5}),
                    Buffer.writable(0, 0),
                    rig.writable(1));
            DescriptorChain chain = rig.queue.poll();
            assertEquals(2, chain.segments());
            assertEquals(1, chain.readableSegments());
            rig.queue.complete(chain, 1);
            rig.submit(Buffer.writable(7, 0));
            DescriptorChain empty = rig.queue.poll();
            assertEquals(0, empty.segments());
            rig.queue.complete(empty, 0);
            assertEquals(2, rig.driver.usedIndex());
        }
    }

    @Test
    void completesOutOfOrderAndKeepsTheLedgerInOrder() throws Exception {
        try (QueueRig rig = new QueueRig(8, false)) {
            List<DescriptorChain> chains = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                rig.submit(rig.writable(4));
                chains.add(rig.queue.poll());
            }
            assertEquals(4, rig.queue.outstanding());
            rig.queue.complete(chains.get(2), 3);
            rig.queue.complete(chains.get(0), 1);
            assertArrayEquals(
                    new int[] {chains.get(1).head(), chains.get(3).head()},
                    rig.port.save().ledger());
            rig.queue.complete(chains.get(3), 4);
            rig.queue.complete(chains.get(1), 2);
            assertEquals(0, rig.queue.outstanding());
            assertEquals(new Used(chains.get(2).head(), 3), rig.driver.collect());
            assertEquals(new Used(chains.get(0).head(), 1), rig.driver.collect());
            assertEquals(new Used(chains.get(3).head(), 4), rig.driver.collect());
            assertEquals(new Used(chains.get(1).head(), 2), rig.driver.collect());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void runsItsIndicesRoundSixteenBits(boolean eventIndex) throws Exception {
        try (QueueRig rig = new QueueRig(4, eventIndex)) {
            Buffer buffer = rig.writable(4);
            for (int i = 0; i < 70_000; i++) {
                rig.driver.enableInterrupts();
                rig.driver.add(buffer);
                assertTrue(rig.driver.publish(), "doorbell of chain " + i);
                DescriptorChain chain = rig.queue.poll();
                rig.queue.complete(chain, 4);
                assertNull(rig.queue.poll());
                rig.queue.interrupt();
                assertEquals(i + 1, rig.interrupts);
                assertNotNull(rig.driver.collect());
            }
        }
    }

    @Test
    void interruptsAfterAsManyChainsAsWentRoundTheIndex() throws Exception {
        try (QueueRig rig = new QueueRig(4, true)) {
            Buffer buffer = rig.writable(4);
            for (int i = 0; i < 0x1_0000; i++) {
                rig.submit(buffer);
                rig.queue.complete(rig.queue.poll(), 0);
                rig.driver.collect();
            }
            rig.driver.enableInterrupts();
            rig.queue.interrupt();
            assertEquals(1, rig.interrupts);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void interruptsOnlyWhoWantsItAndOnlyOnceForWhatWasUsed(boolean eventIndex) throws Exception {
        try (QueueRig rig = new QueueRig(8, eventIndex)) {
            rig.queue.interrupt();
            assertEquals(0, rig.interrupts);
            rig.driver.disableInterrupts();
            rig.submit(rig.writable(1));
            rig.queue.complete(rig.queue.poll(), 0);
            rig.queue.interrupt();
            assertEquals(0, rig.interrupts);

            assertTrue(rig.driver.enableInterrupts());
            rig.driver.collect();
            assertFalse(rig.driver.enableInterrupts());
            rig.submit(rig.writable(1));
            rig.queue.complete(rig.queue.poll(), 0);
            rig.queue.interrupt();
            rig.queue.interrupt();
            assertEquals(1, rig.interrupts);
        }
    }

    @Test
    void coalescesInterruptsUntilTheEventTheDriverNamed() throws Exception {
        try (QueueRig rig = new QueueRig(8, true)) {
            rig.driver.enableInterruptsAfter(2);
            for (int i = 0; i < 3; i++) {
                rig.submit(rig.writable(1));
                rig.queue.complete(rig.queue.poll(), 0);
                rig.queue.interrupt();
                assertEquals(i == 2 ? 1 : 0, rig.interrupts);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void suppressesDoorbellsWhileDisabledAndSaysWhatCameMeanwhile(boolean eventIndex)
            throws Exception {
        try (QueueRig rig = new QueueRig(8, eventIndex)) {
            rig.submit(rig.writable(1));
            rig.queue.disableNotifications();
            assertNotNull(rig.queue.poll());
            assertNull(rig.queue.poll());
            rig.driver.add(rig.writable(1));
            assertFalse(rig.driver.publish());
            assertTrue(rig.queue.enableNotifications());
            assertNotNull(rig.queue.poll());
            assertFalse(rig.queue.enableNotifications());
            rig.driver.add(rig.writable(1));
            assertTrue(rig.driver.publish());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void wantsADoorbellAfterEveryPollThatFoundNothing(boolean eventIndex) throws Exception {
        try (QueueRig rig = new QueueRig(8, eventIndex)) {
            for (int i = 0; i < 5; i++) {
                assertNull(rig.queue.poll());
                rig.driver.add(rig.writable(1));
                assertTrue(rig.driver.publish());
                rig.queue.complete(rig.queue.poll(), 0);
                rig.driver.collect();
            }
        }
    }

    @Test
    void givesNothingNewWhileAResetIsUnderWayButCompletesWhatIsOut() throws Exception {
        try (QueueRig rig = new QueueRig(8, false)) {
            rig.submit(rig.writable(1));
            rig.submit(rig.writable(1));
            DescriptorChain out = rig.queue.poll();
            rig.port.halt();
            assertNull(rig.queue.poll());
            rig.queue.complete(out, 1);
            assertEquals(1, rig.driver.usedIndex());
        }
    }

    @Test
    void ignoresACompletionThatComesAfterTheReset() throws Exception {
        try (QueueRig rig = new QueueRig(8, false)) {
            rig.submit(rig.writable(1));
            DescriptorChain late = rig.queue.poll();
            rig.port.disable();
            assertEquals(0, rig.queue.outstanding());
            rig.queue.complete(late, 1);
            rig.queue.interrupt();
            assertEquals(0, rig.driver.usedIndex());
            assertEquals(0, rig.interrupts);
            assertNull(rig.queue.poll());
            assertEquals(0, rig.queue.size());
        }
    }

    @Test
    void ignoresALateCompletionWhenTheSameHeadIsOutAgain() throws Exception {
        try (QueueRig rig = new QueueRig(8, false)) {
            rig.submit(rig.writable(1));
            DescriptorChain late = rig.queue.poll();
            rig.port.disable();
            rig.driver.reset();
            assertNull(rig.port.enable(QueueRig.setup(rig.driver, false, true)));
            rig.submit(rig.writable(1));
            DescriptorChain current = rig.queue.poll();
            assertEquals(late.head(), current.head());
            rig.queue.complete(late, 1);
            assertEquals(0, rig.driver.usedIndex());
            assertEquals(1, rig.queue.outstanding());
            rig.queue.complete(current, 1);
            assertEquals(1, rig.driver.usedIndex());
        }
    }

    @Test
    void startsAtTheBeginningAfterAReset() throws Exception {
        try (QueueRig rig = new QueueRig(8, true)) {
            for (int i = 0; i < 5; i++) {
                rig.submit(rig.writable(1));
                rig.queue.complete(rig.queue.poll(), 0);
            }
            rig.port.disable();
            rig.driver.reset();
            assertNull(rig.port.enable(QueueRig.setup(rig.driver, true, true)));
            rig.submit(rig.writable(1));
            rig.queue.complete(rig.queue.poll(), 0);
            rig.queue.interrupt();
            assertEquals(1, rig.interrupts);
            assertEquals(1, rig.driver.usedIndex());
        }
    }

    @Test
    void presentsTheLedgerAgainBeforeAnythingNew() throws Exception {
        try (QueueRig rig = new QueueRig(8, true)) {
            int[] heads = new int[4];
            for (int i = 0; i < 4; i++) {
                heads[i] = rig.submit(rig.writable(1));
            }
            rig.queue.poll();
            DescriptorChain done = rig.queue.poll();
            rig.queue.poll();
            rig.queue.complete(done, 0);
            rig.port.presentAgain();
            assertTrue(rig.queue.enableNotifications());
            assertEquals(heads[0], rig.queue.poll().head());
            DescriptorChain third = rig.queue.poll();
            assertEquals(heads[2], third.head());
            assertEquals(heads[3], rig.queue.poll().head());
            assertNull(rig.queue.poll());
            assertEquals(3, rig.queue.outstanding());
            rig.queue.complete(third, 0);
            assertEquals(new Used(heads[1], 0), rig.driver.collect());
            assertEquals(new Used(heads[2], 0), rig.driver.collect());
        }
    }

    @Test
    void deviceThatWasCutOffReachesTheRingNoMore() throws Exception {
        try (QueueRig rig = new QueueRig(8, true)) {
            rig.submit(rig.writable(4));
            int done = rig.submit(rig.writable(4));
            rig.submit(rig.writable(4));
            DescriptorChain first = rig.queue.poll();
            rig.queue.complete(rig.queue.poll(), 1);
            assertEquals(new Used(done, 1), rig.driver.collect());

            rig.port.cutOff();
            SplitQueue next = rig.port.queue();
            assertNull(rig.queue.poll());
            rig.queue.complete(first, 4);
            rig.queue.interrupt();
            rig.queue.broken("late");
            assertNull(rig.driver.collect());
            assertEquals(0, rig.interrupts);
            assertTrue(rig.reasons.isEmpty());

            assertEquals(1, next.outstanding());
            DescriptorChain again = next.poll();
            assertEquals(first.head(), again.head());
            assertEquals(first.address(0), again.address(0));
            assertEquals(4, again.writableLength());
            assertThrows(IllegalArgumentException.class, () -> next.complete(first, 4));
            next.complete(again, 4);
            next.complete(next.poll(), 4);
            next.interrupt();
            assertEquals(new Used(first.head(), 4), rig.driver.collect());
            assertEquals(4, rig.driver.collect().length());
            assertEquals(1, rig.interrupts);
            assertEquals(0, next.outstanding());
        }
    }

    @Test
    void goesOnWithAnotherQueueObjectFromItsState() throws Exception {
        try (QueueRig rig = new QueueRig(8, true)) {
            for (int i = 0; i < 11; i++) {
                rig.submit(rig.writable(1));
                rig.queue.complete(rig.queue.poll(), 0);
                rig.driver.collect();
            }
            int first = rig.submit(rig.writable(5), rig.writable(7));
            int second = rig.submit(rig.writable(9));
            rig.queue.poll();
            rig.queue.poll();
            int waiting = rig.submit(rig.writable(1));
            QueueState state = rig.port.save();

            QueuePort other = new QueuePort(0, 8, rig.view, rig);
            assertNull(other.restore(QueueRig.setup(rig.driver, true, true), state));
            assertEquals(2, other.queue().outstanding());
            other.presentAgain();
            DescriptorChain again = other.queue().poll();
            assertEquals(first, again.head());
            assertEquals(12, again.writableLength());
            DescriptorChain behind = other.queue().poll();
            assertEquals(second, behind.head());
            assertEquals(waiting, other.queue().poll().head());
            other.queue().complete(behind, 9);
            other.queue().complete(again, 12);
            assertEquals(new Used(second, 9), rig.driver.collect());
            assertEquals(new Used(first, 12), rig.driver.collect());
        }
    }

    @Test
    void breaksWhenALedgerCannotBeReadAgain() throws Exception {
        try (QueueRig rig = new QueueRig(8, true)) {
            int head = rig.submit(rig.writable(5));
            rig.queue.poll();
            QueueState state = rig.port.save();
            rig.driver.pokeDescriptor(head, 0x10, 5, 2, 0);
            QueuePort other = new QueuePort(0, 8, rig.view, rig);
            assertNotNull(other.restore(QueueRig.setup(rig.driver, true, true), state));
            assertEquals(RingState.BROKEN, other.save().state());
            assertEquals(0, other.queue().outstanding());
        }
    }

    @Test
    void refusesWhatADeviceCannotHaveWritten() throws Exception {
        try (QueueRig rig = new QueueRig(8, true);
                QueueRig stranger = new QueueRig(8, true)) {
            rig.submit(rig.writable(5));
            DescriptorChain chain = rig.queue.poll();
            assertThrows(IllegalArgumentException.class, () -> rig.queue.complete(chain, 6));
            assertThrows(IllegalArgumentException.class, () -> rig.queue.complete(chain, -1));
            assertThrows(IllegalArgumentException.class, () -> stranger.queue.complete(chain, 0));
            rig.queue.complete(chain, 5);
            assertEquals(1, rig.driver.usedIndex());
        }
    }

    @Test
    void stopsQuietlyWhenItsMemoryIsRevoked() throws Exception {
        try (QueueRig rig = new QueueRig(8, true)) {
            rig.submit(rig.writable(5));
            rig.submit(rig.writable(5));
            DescriptorChain chain = rig.queue.poll();
            rig.view.revoke();
            assertNull(rig.queue.poll());
            rig.queue.complete(chain, 5);
            rig.queue.interrupt();
            assertEquals(0, rig.driver.usedIndex());
            assertEquals(1, rig.reasons.size());
        }
    }
}
