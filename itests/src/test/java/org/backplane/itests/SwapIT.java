package org.backplane.itests;

import static org.backplane.itests.CardMachine.MEMORY;
import static org.backplane.itests.CardMachine.VERSION;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.io.InputStream;
import java.nio.file.Files;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.inject.Inject;
import org.backplane.bus.Space;
import org.backplane.itests.card.Behaviour;
import org.backplane.machine.MachineException;
import org.backplane.machine.SlotReport;
import org.backplane.machine.SlotState;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;

/** New code for a slot, beside the old and in its place; the guest must not notice. */
@RunWith(PaxExam.class)
public final class SwapIT {
    @Inject private BundleContext context;
    private CardMachine rig;

    @Configuration
    public Option[] framework() {
        return CardMachine.framework();
    }

    @Before
    public void build() throws Exception {
        rig = new CardMachine(context);
    }

    private Bundle plugged() throws Exception {
        Bundle bundle = rig.install(Behaviour.GOOD);
        rig.plug();
        rig.store(MEMORY, 5);
        return bundle;
    }

    /**
     * The collector takes what nothing holds; what is held stays, and the test runs out of time.
     */
    private void assertOldCodeIsCollected() {
        rig.waitUntil(
                () -> {
                    System.gc();
                    return rig.machine().stillLoaded().isEmpty();
                });
    }

    @Test
    public void besideKeepsPlacesStateAndInterrupt() throws Exception {
        plugged();
        long base = rig.base(Space.MMIO);
        assertEquals("2.0.0", rig.swap(Behaviour.GOOD, 2).version());
        assertEquals(base, rig.base(Space.MMIO));
        assertEquals(2, rig.load(VERSION));
        assertEquals(5, rig.load(MEMORY));
        assertEquals(1, rig.engine().high().size());
    }

    @Test
    public void besideRemovesTheOldBundleAndItsClasses() throws Exception {
        Bundle old = plugged();
        rig.swap(Behaviour.GOOD, 2);
        rig.waitUntil(() -> old.getState() == Bundle.UNINSTALLED);
        assertOldCodeIsCollected();
    }

    @Test
    public void codeThatSomethingHoldsIsReportedUntilItIsLetGo() throws Exception {
        Bundle old = rig.install(Behaviour.LEAVES_A_THREAD);
        rig.plug();
        rig.swap(Behaviour.GOOD, 2);
        rig.waitUntil(() -> old.getState() == Bundle.UNINSTALLED);
        for (int i = 0; i < 5; i++) {
            System.gc();
            assertEquals(1, rig.machine().stillLoaded().size());
        }
        Thread[] threads = new Thread[Thread.activeCount() + 16];
        Thread.enumerate(threads);
        for (Thread thread : threads) {
            if (thread != null && thread.getName().equals(Behaviour.LEFT_BEHIND)) {
                thread.interrupt();
            }
        }
        assertOldCodeIsCollected();
    }

    @Test
    public void sameVersionInAnotherBuildIsAnotherBundle() throws Exception {
        plugged();
        rig.swap(Behaviour.THROWS_AT_THE_END, 1);
        assertEquals(5, rig.load(MEMORY));
        MachineException refusal =
                assertThrows(
                        MachineException.class, () -> rig.swap(Behaviour.THROWS_AT_THE_END, 1));
        assertTrue(refusal.getMessage(), refusal.getMessage().contains("runs"));
    }

    @Test
    public void rollsBackWhenTheNewCodeTakesNoState() throws Exception {
        assertRolledBackFrom(Behaviour.REFUSES_STATE, "takes no state");
    }

    @Test
    public void rollsBackWhenTheNewCodeThrowsInCreate() throws Exception {
        assertRolledBackFrom(Behaviour.THROWS_IN_CREATE, "thrown in create");
    }

    @Test
    public void rollsBackWhenTheNewCodeThrowsInStart() throws Exception {
        assertRolledBackFrom(Behaviour.THROWS_IN_START, "thrown in start");
    }

    private void assertRolledBackFrom(Behaviour behaviour, String reason) throws Exception {
        Bundle old = plugged();
        MachineException refusal =
                assertThrows(MachineException.class, () -> rig.swap(behaviour, 2));
        assertTrue(refusal.getMessage(), refusal.getMessage().contains(reason));
        assertEquals(1, rig.load(VERSION));
        assertEquals(5, rig.load(MEMORY));
        assertEquals(1, rig.engine().high().size());
        assertEquals(SlotState.RUNNING, rig.card().state());
        assertEquals(Bundle.ACTIVE, old.getState());
        // The failed code goes again.
        rig.waitUntil(() -> rig.cards().equals(List.of(old)));
    }

    @Test
    public void refusesAJarOfAnotherKindWithASentence() throws Exception {
        plugged();
        MachineException refusal =
                assertThrows(
                        MachineException.class,
                        () ->
                                rig.machine()
                                        .swap(
                                                "card0",
                                                ProjectBundle.named("device").jar().toString(),
                                                false));
        assertTrue(refusal.getMessage(), refusal.getMessage().contains("offers no 'card'"));
        assertEquals(5, rig.load(MEMORY));
    }

    @Test
    public void inPlaceKeepsPlacesStateAndInterrupt() throws Exception {
        Bundle bundle = plugged();
        long base = rig.base(Space.MMIO);
        try (InputStream jar = Files.newInputStream(CardJar.path(Behaviour.GOOD, 2))) {
            bundle.update(jar);
        }
        assertEquals(2, rig.loadAt(base + VERSION));
        assertEquals(5, rig.loadAt(base + MEMORY));
        rig.waitUntil(() -> rig.card().state() == SlotState.RUNNING);
        assertEquals(base, rig.base(Space.MMIO));
        assertEquals(1, rig.engine().high().size());
        assertOldCodeIsCollected();
    }

    /** What parks at the gate during an update is answered by the new code, and nothing is lost. */
    @Test
    public void guestThatNeverStopsLosesNothing() throws Exception {
        plugged();
        long base = rig.base(Space.MMIO);
        rig.engine().store(base + MEMORY, 4, 0);
        AtomicBoolean done = new AtomicBoolean();
        CompletableFuture<Long> guest =
                CompletableFuture.supplyAsync(
                        () -> {
                            long count = 0;
                            while (!done.get()) {
                                assertEquals(count, rig.loadAt(base + MEMORY));
                                rig.engine().store(base + MEMORY, 4, ++count);
                            }
                            return count;
                        });
        for (int i = 0; i < 10; i++) {
            rig.swap(Behaviour.GOOD, 2 - i % 2);
            Bundle now = context.getBundle(rig.card().bundleId());
            long before = rig.loadAt(base + MEMORY);
            try (InputStream jar = Files.newInputStream(CardJar.path(Behaviour.GOOD, 1 + i % 2))) {
                now.update(jar);
            }
            rig.waitUntil(() -> rig.loadAt(base + MEMORY) > before);
        }
        done.set(true);
        assertEquals((long) MachineFixture.await(guest), rig.loadAt(base + MEMORY));
        assertOldCodeIsCollected();
    }

    @Test
    public void chipsetIsReplacedInPlaceLikeAnyOther() throws Exception {
        long scratch = 0x1000_0000L + 7;
        rig.engine().store(scratch, 1, 0x5a);
        Bundle chipset = rig.bundle("org.backplane.chipset");
        try (InputStream jar = Files.newInputStream(ProjectBundle.named("chipset").jar())) {
            chipset.update(jar);
        }
        assertEquals(0x5a, rig.engine().load(scratch, 1) & 0xff);
        rig.waitUntil(
                () ->
                        rig.machine().slots().stream()
                                .map(SlotReport::state)
                                .allMatch(SlotState.RUNNING::equals));
        assertOldCodeIsCollected();
    }
}
