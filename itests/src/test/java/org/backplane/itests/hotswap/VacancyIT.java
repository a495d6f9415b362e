package org.backplane.itests.hotswap;

import static org.backplane.itests.CardMachine.MEMORY;
import static org.backplane.itests.CardMachine.VERSION;
import static org.backplane.itests.hotswap.HotSwapRig.ALL_ONES;
import static org.backplane.itests.hotswap.HotSwapRig.CARD;
import static org.backplane.itests.hotswap.HotSwapRig.VIRTIO;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
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

/** A slot whose bundle went away: the guest's processor parks there, for a while, and obeys. */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public final class VacancyIT {
    @Inject private BundleContext context;

    @Configuration
    public Option[] framework() throws Exception {
        return HotSwapRig.framework();
    }

    /** A processor that parks at a card's gate. */
    private static final class Parked implements AutoCloseable {
        private final HotSwapRig rig;
        private final Bundle card;
        private final CompletableFuture<Long> load;

        Parked(BundleContext context, Map<String, Long> bounds) throws Exception {
            rig = new HotSwapRig(context, bounds);
            card = rig.plugCard(Behaviour.GOOD);
            rig.store(MEMORY, 5);
            long address = rig.register(MEMORY);
            card.stop();
            assertEquals(SlotState.VACANT, rig.slot(CARD).state());
            load = rig.guest().loadByGuest(address);
            rig.waitUntil(Parked::isThere);
        }

        /** Whether the processor's thread waits where a gate parks it. */
        private static boolean isThere() {
            return Thread.getAllStackTraces().entrySet().stream()
                    .filter(entry -> entry.getKey().getName().equals("itests/vcpu0"))
                    .flatMap(entry -> List.of(entry.getValue()).stream())
                    .anyMatch(
                            frame ->
                                    frame.getClassName().endsWith(".Gate")
                                            && frame.getMethodName().equals("park"));
        }

        @Override
        public void close() throws Exception {
            rig.close();
        }
    }

    @Test
    public void parkedProcessorGoesOnWithTheBundleThatComesBack() throws Exception {
        try (var parked = new Parked(context, Map.of())) {
            assertTrue(parked.rig.othersGoOn(CARD));
            assertFalse(parked.load.isDone());
            parked.card.start();
            assertEquals(5, (long) parked.load.get());
        }
    }

    @Test
    public void parkingEndsWithTheVacancy() throws Exception {
        try (var parked = new Parked(context, Map.of("bound.vacancy", 1_000L))) {
            assertEquals(ALL_ONES, (long) parked.load.get());
            parked.rig.waitUntil(() -> parked.rig.slot(CARD).state() == SlotState.WAITING);
            assertTrue(parked.rig.told(CARD, "removed"));
            assertTrue(parked.rig.guest().high().isEmpty());
        }
    }

    @Test
    public void parkedProcessorCountsAsPausedAndGoesOnAfterResume() throws Exception {
        try (var parked = new Parked(context, Map.of())) {
            parked.rig.machine().pause();
            assertEquals("paused", parked.rig.machine().report().state());
            parked.card.start();
            parked.rig.waitUntil(() -> parked.rig.slot(CARD).state() == SlotState.RUNNING);
            // The gate is open, but the machine is not.
            long instructions = parked.rig.machine().report().instructions();
            assertEquals(instructions, parked.rig.machine().report().instructions());
            assertFalse(parked.load.isDone());
            parked.rig.machine().resume();
            assertEquals(5, (long) parked.load.get());
        }
    }

    @Test
    public void parkedProcessorObeysReset() throws Exception {
        try (var parked = new Parked(context, Map.of())) {
            parked.rig.machine().reset();
            assertEquals(2, parked.rig.machine().report().boots());
            // RAM was cleared: the mailbox is empty, and the guest waits at it again.
            parked.load.get();
            assertTrue(parked.rig.othersGoOn(CARD));
            parked.card.start();
            parked.rig.waitUntil(() -> parked.rig.slot(CARD).state() == SlotState.RUNNING);
            assertEquals(1, parked.rig.load(VERSION));
        }
    }

    @Test
    public void parkedProcessorObeysStop() throws Exception {
        try (var parked = new Parked(context, Map.of())) {
            parked.rig.machine().stop();
            parked.rig.waitUntil(() -> parked.rig.machine().report().state().equals("stopped"));
            parked.rig.waitUntil(() -> !isAlive("itests/vcpu0"));
        }
    }

    private static boolean isAlive(String name) {
        return Thread.getAllStackTraces().keySet().stream()
                .anyMatch(thread -> thread.getName().equals(name));
    }

    @Test
    public void requestsThatComeToAVacantSlotAreServedByTheNext() throws Exception {
        try (var rig = new HotSwapRig(context, Map.of())) {
            VirtioCardDriver driver = rig.plugVirtio(Behaviour.GOOD);
            driver.request(1);
            driver.awaitAnswers();
            Bundle card = rig.cards().get(0);
            card.stop();
            driver.request(4);
            card.start();
            assertEquals(List.of(1, 1, 1, 1, 1), driver.awaitAnswers());
            assertEquals(SlotState.RUNNING, rig.slot(VIRTIO).state());
        }
    }
}
