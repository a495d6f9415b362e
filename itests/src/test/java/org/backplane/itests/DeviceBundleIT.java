package org.backplane.itests;

import static org.backplane.itests.CardMachine.MEMORY;
import static org.backplane.itests.CardMachine.VERSION;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.util.List;
import java.util.Set;
import javax.inject.Inject;
import org.backplane.bus.Space;
import org.backplane.itests.card.Behaviour;
import org.backplane.machine.AddressMap;
import org.backplane.machine.MachineException;
import org.backplane.machine.SlotState;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;

/**
 * A device bundle made on the fly gets memory-mapped and I/O space in a machine, and whatever it
 * does in the end, the machine gets all of it back.
 */
@RunWith(PaxExam.class)
public final class DeviceBundleIT {
    private static final long ALL_ONES = 0xffff_ffffL;

    @Inject private BundleContext context;
    private CardMachine rig;
    private AddressMap before;

    @Configuration
    public Option[] framework() {
        return CardMachine.framework();
    }

    @Before
    public void build() throws Exception {
        rig = new CardMachine(context);
        before = rig.machine().map();
    }

    /** Regions and holes; the counters of other devices' accesses may move on. */
    private static List<List<Object>> places(AddressMap map) {
        return map.windows().stream()
                .map(
                        window ->
                                List.<Object>of(
                                        window.name(),
                                        window.holes(),
                                        window.regions().stream()
                                                .map(r -> r.owner() + " " + r.range())
                                                .toList()))
                .toList();
    }

    private void assertAllGivenBack() {
        assertEquals(places(before), places(rig.machine().map()));
        assertEquals(Set.of(), rig.engine().high());
    }

    @Test
    public void getsSpaceAndAnInterrupt() throws Exception {
        rig.install(Behaviour.GOOD);
        assertEquals(SlotState.RUNNING, rig.plug().state());
        rig.store(MEMORY, 7);
        assertEquals(7, rig.load(MEMORY));
        assertEquals(1, rig.load(VERSION));
        assertEquals(7, rig.in((int) rig.base(Space.IO)));
        assertEquals(1, rig.engine().high().size());
        rig.store(MEMORY, 8);
        assertEquals(Set.of(), rig.engine().high());
    }

    @Test
    public void givesEverythingBackWhenUnplugged() throws Exception {
        rig.install(Behaviour.GOOD);
        rig.plug();
        long base = rig.base(Space.MMIO);
        long port = rig.base(Space.IO);
        rig.store(MEMORY, 1);
        rig.unplug();
        assertAllGivenBack();
        assertEquals(ALL_ONES, rig.loadAt(base));
        assertEquals(ALL_ONES, rig.in((int) port));
    }

    @Test
    public void getsTheSamePlacesAgain() throws Exception {
        rig.install(Behaviour.GOOD);
        rig.plug();
        AddressMap first = rig.machine().map();
        String line = rig.machine().inspect("card0").facts().get("interrupt lines");
        rig.unplug();
        rig.plug();
        assertEquals(places(first), places(rig.machine().map()));
        assertEquals(line, rig.machine().inspect("card0").facts().get("interrupt lines"));
    }

    @Test
    public void givesEverythingBackWhenItsBundleStops() throws Exception {
        Bundle bundle = rig.install(Behaviour.GOOD);
        rig.plug();
        long base = rig.base(Space.MMIO);
        rig.store(MEMORY, 1);
        bundle.stop();
        assertEquals(SlotState.VACANT, rig.card().state());
        assertEquals(Set.of(), rig.engine().high());
        // Parks until the vacancy's bound has passed.
        assertEquals(ALL_ONES, rig.loadAt(base));
        rig.waitUntil(() -> rig.card().state() == SlotState.WAITING);
        assertAllGivenBack();
    }

    @Test
    public void goesOnWhereItWasWhenItsBundleComesBackInTime() throws Exception {
        Bundle bundle = rig.install(Behaviour.GOOD);
        rig.plug();
        rig.store(MEMORY, 5);
        bundle.stop();
        bundle.start();
        assertEquals(5, rig.load(MEMORY));
        assertEquals(1, rig.engine().high().size());
    }

    @Test
    public void beginsAnewWhenItsBundleComesBackTooLate() throws Exception {
        Bundle bundle = rig.install(Behaviour.GOOD);
        rig.plug();
        rig.store(MEMORY, 5);
        long base = rig.base(Space.MMIO);
        bundle.stop();
        rig.loadAt(base);
        rig.waitUntil(() -> rig.card().state() == SlotState.WAITING);
        bundle.start();
        rig.waitUntil(() -> rig.card().state() == SlotState.RUNNING);
        assertEquals(0, rig.load(MEMORY));
    }

    @Test
    public void givesEverythingBackWhenCreateThrows() throws Exception {
        rig.install(Behaviour.THROWS_IN_CREATE);
        MachineException refusal = assertThrows(MachineException.class, rig::plug);
        assertTrue(refusal.getMessage(), refusal.getMessage().contains("thrown in create"));
        assertFalse(rig.plugged());
        assertAllGivenBack();
    }

    @Test
    public void givesEverythingBackWhenStartThrows() throws Exception {
        rig.install(Behaviour.THROWS_IN_START);
        assertThrows(MachineException.class, rig::plug);
        assertFalse(rig.plugged());
        assertAllGivenBack();
    }

    @Test
    public void failsAloneWhenItsRegisterThrows() throws Exception {
        rig.install(Behaviour.THROWS_IN_READ);
        rig.plug();
        assertEquals(ALL_ONES, rig.load(MEMORY));
        rig.waitUntil(() -> rig.card().state() == SlotState.FAILED);
        assertTrue(rig.card().detail(), rig.card().detail().contains("thrown in read"));
        assertTrue(
                rig.machine().slots().stream()
                        .filter(slot -> !slot.name().equals("card0"))
                        .allMatch(slot -> slot.state() == SlotState.RUNNING));
        rig.unplug();
        assertAllGivenBack();
    }

    @Test
    public void givesEverythingBackWhenItsEndThrows() throws Exception {
        Bundle bundle = rig.install(Behaviour.THROWS_AT_THE_END);
        rig.plug();
        rig.store(MEMORY, 1);
        bundle.stop();
        rig.unplug();
        assertAllGivenBack();
    }

    @Test
    public void slotOfAKindThatNobodyOffersWaitsForItsBundle() throws Exception {
        assertEquals(SlotState.WAITING, rig.plug().state());
        rig.install(Behaviour.GOOD);
        rig.waitUntil(() -> rig.card().state() == SlotState.RUNNING);
        assertEquals(1, rig.load(VERSION));
    }
}
