package org.backplane.itests.hotswap;

import static org.backplane.itests.CardMachine.MEMORY;
import static org.backplane.itests.CardMachine.VERSION;
import static org.backplane.itests.hotswap.HotSwapRig.CARD;
import static org.backplane.itests.hotswap.HotSwapRig.VIRTIO;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import java.util.Collections;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import javax.inject.Inject;
import org.backplane.itests.card.Behaviour;
import org.backplane.machine.SlotState;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;

/**
 * A version that fails, in whatever way and on whatever road it came: the code before goes on where
 * it was, and the guest has lost nothing.
 */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public final class RollBackIT {
    private static final long KEPT = 5;
    private static final Set<Road> EVERY = EnumSet.allOf(Road.class);

    /** Where the machine sees that it came: nobody is told of a bundle that does not start. */
    private static final Set<Road> TOLD = EnumSet.complementOf(EnumSet.of(Road.RESTART));

    @Inject private BundleContext context;

    @Configuration
    public Option[] framework() throws Exception {
        return HotSwapRig.framework();
    }

    /** A version that the guest never gets to see. */
    private void assertRefused(Behaviour broken, Set<Road> roads) throws Exception {
        for (Road road : roads) {
            try (var rig = new HotSwapRig(context, Map.of())) {
                Bundle old = rig.plugCard(Behaviour.GOOD);
                rig.store(MEMORY, KEPT);
                Set<Integer> line = rig.guest().high();
                road.take(rig, CARD, old, broken);
                rig.waitUntil(() -> wasTurnedAway(rig, CARD, road));
                assertGoesOn(rig, road, line);
            }
        }
    }

    private static boolean wasTurnedAway(HotSwapRig rig, String slot, Road road) {
        return road.beside()
                ? rig.told(slot, "rolled back") || rig.told(slot, "refused")
                : rig.told(slot, "vacant") && rig.slot(slot).state() == SlotState.RUNNING;
    }

    /** A version that the guest gets to see, and that fails at its first access. */
    private void assertUndone(Behaviour broken) throws Exception {
        for (Road road : EVERY) {
            try (var rig = new HotSwapRig(context, Map.of())) {
                Bundle old = rig.plugCard(Behaviour.GOOD);
                rig.store(MEMORY, KEPT);
                Set<Integer> line = rig.guest().high();
                road.take(rig, CARD, old, broken);
                rig.waitUntil(() -> rig.slot(CARD).version().equals("2.0.0"));
                assertEquals(road.name(), KEPT, rig.load(MEMORY));
                rig.waitUntil(() -> rig.slot(CARD).state() == SlotState.RUNNING);
                assertTrue(rig.describe(CARD), rig.told(CARD, "failed"));
                assertGoesOn(rig, road, line);
            }
        }
    }

    private static void assertGoesOn(HotSwapRig rig, Road road, Set<Integer> line)
            throws Exception {
        assertEquals(road.name(), KEPT, rig.load(MEMORY));
        assertEquals(road.name(), 1, rig.load(VERSION));
        assertEquals("1.0.0", rig.slot(CARD).version());
        assertEquals(SlotState.RUNNING, rig.slot(CARD).state());
        assertEquals(line, rig.guest().high());
        assertFalse(line.isEmpty());
        assertTrue(rig.othersGoOn(CARD));
        // The line follows the register still, so it is not only left over.
        rig.store(MEMORY, KEPT + 1);
        assertTrue(rig.guest().high().isEmpty());
        awaitOneCard(rig, CARD);
    }

    /** What failed is taken away, and what answers stays. */
    private static void awaitOneCard(HotSwapRig rig, String slot) {
        rig.waitUntil(
                () ->
                        rig.cards().size() == 1
                                && rig.cards().get(0).getState() == Bundle.ACTIVE
                                && rig.cards().get(0).getBundleId() == rig.slot(slot).bundleId());
    }

    @Test
    public void versionThatDoesNotResolve() throws Exception {
        assertRefused(Behaviour.DOES_NOT_RESOLVE, TOLD);
    }

    @Test
    public void versionThatDoesNotStart() throws Exception {
        assertRefused(Behaviour.DOES_NOT_START, TOLD);
    }

    @Test
    public void versionThatThrowsInCreate() throws Exception {
        assertRefused(Behaviour.THROWS_IN_CREATE, EVERY);
    }

    @Test
    public void versionThatHangsInCreate() throws Exception {
        assertRefused(Behaviour.HANGS_IN_CREATE, EVERY);
    }

    @Test
    public void versionOfAnotherShape() throws Exception {
        assertRefused(Behaviour.OTHER_SHAPE, EVERY);
    }

    @Test
    public void versionThatRefusesTheState() throws Exception {
        assertRefused(Behaviour.REFUSES_STATE, EVERY);
    }

    @Test
    public void versionThatThrowsInStart() throws Exception {
        assertRefused(Behaviour.THROWS_IN_START, EVERY);
    }

    @Test
    public void versionThatThrowsFromItsRegister() throws Exception {
        assertUndone(Behaviour.THROWS_IN_READ);
    }

    @Test
    public void versionThatDoesNotReturnFromItsRegister() throws Exception {
        assertUndone(Behaviour.HANGS_IN_READ);
    }

    /** A version that takes requests of a queue and fails: each is answered once all the same. */
    private void assertRequestsSurvive(Behaviour broken) throws Exception {
        for (Road road : EVERY) {
            try (var rig = new HotSwapRig(context, Map.of())) {
                VirtioCardDriver driver = rig.plugVirtio(Behaviour.GOOD);
                Bundle old = rig.cards().get(0);
                driver.request(2);
                driver.awaitAnswers();
                road.take(rig, VIRTIO, old, broken);
                rig.waitUntil(() -> rig.slot(VIRTIO).version().equals("2.0.0"));
                driver.request(3);
                assertEquals(road.name(), Collections.nCopies(5, 1), driver.awaitAnswers());
                rig.release();
                driver.request(4);
                assertEquals(road.name(), Collections.nCopies(9, 1), driver.awaitAnswers());
                assertFalse("the driver was told to reset", driver.needsReset());
                assertEquals(1, driver.configuration());
                assertTrue(rig.describe(VIRTIO), rig.told(VIRTIO, "failed"));
                assertTrue(rig.othersGoOn(VIRTIO));
                awaitOneCard(rig, VIRTIO);
            }
        }
    }

    @Test
    public void versionWhoseWorkThrows() throws Exception {
        assertRequestsSurvive(Behaviour.THROWS_IN_WORK);
    }

    @Test
    public void versionWhoseWorkDoesNotReturn() throws Exception {
        assertRequestsSurvive(Behaviour.HANGS_IN_WORK);
    }

    @Test
    public void virtioVersionOfAnotherShape() throws Exception {
        assertQueueGoesOn(Behaviour.OTHER_SHAPE);
    }

    @Test
    public void virtioVersionThatRefusesTheState() throws Exception {
        assertQueueGoesOn(Behaviour.REFUSES_STATE);
    }

    private void assertQueueGoesOn(Behaviour broken) throws Exception {
        for (Road road : EVERY) {
            try (var rig = new HotSwapRig(context, Map.of())) {
                VirtioCardDriver driver = rig.plugVirtio(Behaviour.GOOD);
                Bundle old = rig.cards().get(0);
                driver.request(2);
                road.take(rig, VIRTIO, old, broken);
                driver.request(3);
                rig.waitUntil(() -> wasTurnedAway(rig, VIRTIO, road));
                driver.request(4);
                assertEquals(road.name(), Collections.nCopies(9, 1), driver.awaitAnswers());
                assertFalse("the driver was told to reset", driver.needsReset());
                awaitOneCard(rig, VIRTIO);
            }
        }
    }

    /** The old code does not come to rest: in its place goes what comes, beside it stays. */
    @Test
    public void oldVersionThatHangsInQuiesce() throws Exception {
        for (Road road : EnumSet.of(Road.FOLDER, Road.UPDATE, Road.RESTART)) {
            try (var rig = new HotSwapRig(context, Map.of())) {
                Bundle old = rig.plugCard(Behaviour.HANGS_IN_QUIESCE);
                rig.store(MEMORY, KEPT);
                road.take(rig, CARD, old, Behaviour.GOOD);
                int version = road.beside() ? 1 : 2;
                rig.waitUntil(
                        () ->
                                road.beside()
                                        ? rig.told(CARD, "rolled back")
                                        : rig.slot(CARD).version().equals("2.0.0"));
                assertEquals(road.name(), KEPT, rig.load(MEMORY));
                assertEquals(road.name(), version, rig.load(VERSION));
                assertTrue(rig.othersGoOn(CARD));
            }
        }
    }
}
