package org.backplane.itests.hotswap;

import static org.backplane.itests.CardMachine.MEMORY;
import static org.backplane.itests.CardMachine.VERSION;
import static org.backplane.itests.hotswap.HotSwapRig.ALL_ONES;
import static org.backplane.itests.hotswap.HotSwapRig.CARD;
import static org.backplane.itests.hotswap.HotSwapRig.VIRTIO;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.util.Arrays;
import java.util.Collections;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import javax.inject.Inject;
import org.backplane.itests.card.Behaviour;
import org.backplane.machine.MachineException;
import org.backplane.machine.SlotState;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.osgi.framework.BundleContext;

/**
 * A device whose code breaks, hangs or never ends fails alone: the machine and its other devices go
 * on, and a swap repairs the slot.
 */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public final class ContainmentIT {
    private static final String PROCESSOR = "itests/vcpu0";

    @Inject private BundleContext context;
    private HotSwapRig rig;

    @Configuration
    public Option[] framework() throws Exception {
        return HotSwapRig.framework();
    }

    @Before
    public void build() throws Exception {
        rig = new HotSwapRig(context, Map.of());
    }

    @After
    public void close() throws Exception {
        rig.close();
    }

    private void assertFailedAlone(String slot, String reason) {
        rig.waitUntil(() -> rig.slot(slot).state() == SlotState.FAILED);
        assertTrue(rig.slot(slot).detail(), rig.slot(slot).detail().contains(reason));
        assertTrue(rig.othersGoOn(slot));
    }

    private void assertRepairedBySwap() throws Exception {
        rig.swap(CARD, Behaviour.GOOD, false);
        assertEquals(2, rig.load(VERSION));
        rig.store(MEMORY, 7);
        assertEquals(7, rig.load(MEMORY));
        assertEquals(1, rig.guest().high().size());
    }

    @Test
    public void handlerThatThrows() throws Exception {
        rig.plugCard(Behaviour.THROWS_IN_READ);
        assertEquals(ALL_ONES, rig.load(MEMORY));
        assertFailedAlone(CARD, "thrown in read");
        assertEquals(ALL_ONES, rig.load(VERSION));
        assertRepairedBySwap();
    }

    @Test
    public void handlerThatDoesNotReturn() throws Exception {
        try (var log = new Log()) {
            rig.plugCard(Behaviour.HANGS_IN_READ);
            assertEquals(ALL_ONES, rig.load(MEMORY));
            assertFailedAlone(CARD, PROCESSOR);
            // The processor goes on, although the thread that hangs still does.
            assertEquals(ALL_ONES, rig.load(VERSION));
            assertEquals(1, threadsInCards());
            assertRepairedBySwap();
            assertTrue(
                    log.toString(),
                    log.tells(PROCESSOR, "'" + CARD + "'", "org.backplane.itests.card.Card.read"));
            rig.release();
            rig.waitUntil(() -> threadsInCards() == 0);
            assertEquals(2, rig.load(VERSION));
            assertEquals(SlotState.RUNNING, rig.slot(CARD).state());
        }
    }

    /** Threads with a frame of a card's code. */
    private static long threadsInCards() {
        return Thread.getAllStackTraces().values().stream()
                .filter(
                        stack ->
                                Arrays.stream(stack)
                                        .anyMatch(
                                                frame ->
                                                        frame.getClassName()
                                                                .startsWith(
                                                                        "org.backplane.itests.card.")))
                .count();
    }

    @Test
    public void factoryThatThrows() throws Exception {
        rig.machine().plug(CARD, "card", Map.of(), "the test");
        rig.install(Behaviour.THROWS_IN_CREATE);
        assertFailedAlone(CARD, "thrown in create");
        assertRepairedBySwap();
    }

    @Test
    public void activatorThatDoesNotReturn() throws Exception {
        rig.plugCard(Behaviour.GOOD);
        rig.store(MEMORY, 5);
        MachineException refusal =
                assertThrows(
                        MachineException.class,
                        () -> rig.swap(CARD, Behaviour.HANGS_IN_THE_ACTIVATOR, false));
        assertTrue(
                refusal.getMessage(),
                refusal.getMessage().contains("its activator did not return within"));
        rig.swap(CARD, Behaviour.THROWS_AT_THE_END, false);
        assertEquals(5, rig.load(MEMORY));
    }

    @Test
    public void factoryThatDoesNotReturn() throws Exception {
        rig.machine().plug(CARD, "card", Map.of(), "the test");
        rig.install(Behaviour.HANGS_IN_CREATE);
        assertFailedAlone(CARD, "create did not return");
        assertRepairedBySwap();
    }

    @Test
    public void threadThatABundleLeavesIsToldOfUntilItEnds() throws Exception {
        rig.plugCard(Behaviour.LEAVES_A_THREAD);
        rig.swap(CARD, Behaviour.GOOD, false);
        rig.machine().accept(CARD);
        rig.waitUntil(() -> rig.cards().size() == 1);
        for (int i = 0; i < 3; i++) {
            System.gc();
            assertEquals(1, rig.machine().stillLoaded().size());
        }
        assertEquals(2, rig.load(VERSION));
        Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals(Behaviour.LEFT_BEHIND))
                .forEach(Thread::interrupt);
        rig.waitUntil(
                () -> {
                    System.gc();
                    return rig.machine().stillLoaded().isEmpty();
                });
    }

    @Test
    public void deviceThatNeverComesToRest() throws Exception {
        assertStaysUntilForced(Behaviour.NEVER_RESTS);
    }

    @Test
    public void deviceThatDoesNotReturnFromQuiesce() throws Exception {
        assertStaysUntilForced(Behaviour.HANGS_IN_QUIESCE);
    }

    private void assertStaysUntilForced(Behaviour behaviour) throws Exception {
        rig.plugCard(behaviour);
        rig.store(MEMORY, 5);
        MachineException refusal =
                assertThrows(MachineException.class, () -> rig.swap(CARD, Behaviour.GOOD, false));
        assertTrue(refusal.getMessage(), refusal.getMessage().contains("--force"));
        assertEquals(5, rig.load(MEMORY));
        assertEquals(1, rig.load(VERSION));
        assertTrue(rig.told(CARD, "rolled back"));
        assertTrue(rig.othersGoOn(CARD));
        rig.swap(CARD, Behaviour.GOOD, true);
        assertEquals(5, rig.load(MEMORY));
        assertEquals(2, rig.load(VERSION));
        assertEquals(1, rig.guest().high().size());
    }

    @Test
    public void timerThatIsDueAgainAtOnce() throws Exception {
        rig.plugCard(Behaviour.FLOODS);
        rig.store(MEMORY, 5);
        assertTrue(rig.othersGoOn(CARD));
        rig.swap(CARD, Behaviour.GOOD, false);
        assertEquals(5, rig.load(MEMORY));
        assertEquals(2, rig.load(VERSION));
    }

    @Test
    public void queueThatIsTakenEmptyAndNeverAnswered() throws Exception {
        VirtioCardDriver driver = rig.plugVirtio(Behaviour.KEEPS_REQUESTS);
        driver.request(5);
        rig.waitUntil(() -> outstanding().equals("5"));
        assertThrows(MachineException.class, () -> rig.swap(VIRTIO, Behaviour.GOOD, false));
        assertTrue(driver.answered().isEmpty());
        assertTrue(rig.othersGoOn(VIRTIO));
        rig.swap(VIRTIO, Behaviour.GOOD, true);
        driver.request(1);
        assertEquals(Collections.nCopies(6, 2), driver.awaitAnswers());
    }

    private String outstanding() {
        try {
            return rig.machine().inspect(VIRTIO).facts().get("outstanding requests");
        } catch (MachineException gone) {
            throw new AssertionError(gone);
        }
    }

    @Test
    public void workThatThrows() throws Exception {
        assertServedAfterRepair(Behaviour.THROWS_IN_WORK, "thrown in work");
    }

    @Test
    public void workThatDoesNotReturn() throws Exception {
        assertServedAfterRepair(Behaviour.HANGS_IN_WORK, VIRTIO + "/queue0");
    }

    @Test
    public void workThatFloodsTheDriver() throws Exception {
        assertServedAfterRepair(Behaviour.FLOODS, VIRTIO + "/queue0");
    }

    private void assertServedAfterRepair(Behaviour behaviour, String reason) throws Exception {
        VirtioCardDriver driver = rig.plugVirtio(behaviour);
        driver.request(3);
        assertFailedAlone(VIRTIO, reason);
        assertTrue(driver.needsReset());
        assertTrue(driver.answered().isEmpty());
        rig.swap(VIRTIO, Behaviour.GOOD, false);
        driver.request(2);
        assertEquals(Collections.nCopies(5, 2), driver.awaitAnswers());
        // What comes back late completes nothing: what it took is another's.
        rig.release();
        rig.waitUntil(() -> threadsInCards() == 0);
        driver.request(1);
        assertEquals(Collections.nCopies(6, 2), driver.awaitAnswers());
    }

    /** What the machine logs. */
    private static final class Log extends Handler implements AutoCloseable {
        private final Logger logger = Logger.getLogger("org.backplane.machine.slot");
        private final Queue<String> messages = new ConcurrentLinkedQueue<>();

        Log() {
            logger.addHandler(this);
        }

        boolean tells(String... words) {
            return messages.stream()
                    .anyMatch(message -> Arrays.stream(words).allMatch(message::contains));
        }

        @Override
        public void publish(LogRecord entry) {
            messages.add(entry.getMessage());
        }

        @Override
        public void flush() {
            // It keeps nothing back.
        }

        @Override
        public void close() {
            logger.removeHandler(this);
        }

        @Override
        public String toString() {
            return String.join("\n", messages);
        }
    }
}
