package org.backplane.virtio;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.backplane.testkit.DriverRing.Used;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Chains that a device takes before it knows how many it needs. */
class TakenChainsTest {
    private QueueRig rig;
    private final List<Integer> offered = new ArrayList<>();

    @BeforeEach
    void offerFour() throws Exception {
        rig = new QueueRig(8, true);
        for (int i = 0; i < 4; i++) {
            offered.add(rig.submit(rig.writable(10)));
        }
    }

    @AfterEach
    void close() {
        rig.close();
    }

    private DescriptorChain[] poll(int count) {
        var chains = new DescriptorChain[count];
        for (int i = 0; i < count; i++) {
            chains[i] = rig.queue.poll();
            assertNotNull(chains[i]);
        }
        return chains;
    }

    private List<Integer> rest() {
        List<Integer> heads = new ArrayList<>();
        for (DescriptorChain next = rig.queue.poll(); next != null; next = rig.queue.poll()) {
            heads.add(next.head());
        }
        return heads;
    }

    @Test
    void whatIsPutBackComesAgainInItsOrder() {
        DescriptorChain[] taken = poll(3);
        rig.queue.putBack(taken[2]);
        rig.queue.putBack(taken[1]);
        assertEquals(1, rig.queue.outstanding());
        assertEquals(offered.subList(1, 4), rest());
    }

    @Test
    void driverRingsForWhatItAddsBehindChainsThatWerePutBack() {
        DescriptorChain[] taken = poll(4);
        assertNull(rig.queue.poll());
        for (int i = 3; i >= 0; i--) {
            rig.queue.putBack(taken[i]);
        }
        rig.driver.add(rig.writable(10));
        assertTrue(rig.driver.publish());
    }

    @Test
    void onlyTheChainTakenLastGoesBack() {
        DescriptorChain[] taken = poll(2);
        assertThrows(IllegalArgumentException.class, () -> rig.queue.putBack(taken[0]));
        rig.queue.complete(taken[1], 0);
        // The driver has the second back: its place in the ring is not to be read again.
        assertThrows(IllegalArgumentException.class, () -> rig.queue.putBack(taken[0]));
        assertEquals(offered.subList(2, 4), rest());
    }

    @Test
    void chainThatWasPresentedAgainIsSoOnceMoreWhenItIsPutBack() {
        poll(2);
        rig.port.presentAgain();
        DescriptorChain[] again = poll(3);
        assertEquals(offered.subList(0, 3), List.of(heads(again)));
        for (int i = 2; i >= 0; i--) {
            rig.queue.putBack(again[i]);
        }
        assertEquals(2, rig.queue.outstanding());
        assertEquals(offered, rest());
    }

    private static Integer[] heads(DescriptorChain[] chains) {
        var heads = new Integer[chains.length];
        for (int i = 0; i < chains.length; i++) {
            heads[i] = chains[i].head();
        }
        return heads;
    }

    @Test
    void driverSeesChainsThatAreCompletedTogetherAllAtOnce() {
        DescriptorChain[] taken = poll(3);
        List<Integer> seen = new ArrayList<>();
        rig.queue.complete(taken, 2, new int[] {10, 3, 99});
        seen.add(rig.driver.usedIndex());
        assertEquals(List.of(2), seen);
        assertEquals(new Used(taken[0].head(), 10), rig.driver.collect());
        assertEquals(new Used(taken[1].head(), 3), rig.driver.collect());
        assertNull(rig.driver.collect());
        assertEquals(1, rig.queue.outstanding());
        assertEquals(new QueueTraffic(2, 0, 13), rig.queue.traffic());
    }

    @Test
    void noneIsCompletedIfOneClaimsTooMuch() {
        DescriptorChain[] taken = poll(2);
        assertThrows(
                IllegalArgumentException.class,
                () -> rig.queue.complete(taken, 2, new int[] {10, 11}));
        assertNull(rig.driver.collect());
        assertEquals(2, rig.queue.outstanding());
    }

    @Test
    void whatADriverTookAwayIsNeitherPutBackNorCompleted() {
        DescriptorChain[] taken = poll(2);
        rig.port.disable();
        rig.queue.putBack(taken[1]);
        rig.queue.complete(taken, 2, new int[] {1, 1});
        assertNull(rig.queue.poll());
        assertArrayEquals(new Used[] {null}, new Used[] {rig.driver.collect()});
        assertSame(RingState.DISABLED, rig.queue.save().state());
    }
}
