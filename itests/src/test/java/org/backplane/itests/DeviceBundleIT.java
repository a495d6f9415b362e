package org.backplane.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;
import javax.inject.Inject;
import org.apache.felix.cm.impl.ConfigurationManager;
import org.backplane.bus.Space;
import org.backplane.itests.card.Behaviour;
import org.backplane.machine.AddressMap;
import org.backplane.machine.Machine;
import org.backplane.machine.MachineException;
import org.backplane.machine.SlotReport;
import org.backplane.machine.SlotState;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.CoreOptions;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;

/**
 * A device bundle made on the fly gets memory-mapped and I/O space in a machine, and whatever it
 * does in the end, the machine gets all of it back.
 */
@RunWith(PaxExam.class)
public final class DeviceBundleIT {
    private static final int MEMORY = 0;
    private static final int VERSION = 4;

    @Inject private BundleContext context;
    private final PlayedEngine engine = new PlayedEngine();
    private Machine machine;
    private AddressMap before;

    @Configuration
    public Option[] framework() {
        for (Behaviour behaviour : Behaviour.values()) {
            CardJar.make(behaviour, 1);
        }
        return CoreOptions.options(
                Framework.base(),
                Framework.onClassPath(ConfigurationManager.class),
                Framework.project(
                        List.of(
                                "bus",
                                "linux",
                                "memory",
                                "hypervisor",
                                "device",
                                "pci",
                                "virtio",
                                "machine",
                                "chipset")));
    }

    @Before
    public void build() throws Exception {
        machine = MachineFixture.withoutGuest(context, engine).machine();
        before = machine.map();
    }

    private Bundle install(Behaviour behaviour) throws BundleException {
        Bundle bundle = context.installBundle(CardJar.path(behaviour, 1).toUri().toString());
        bundle.start();
        return bundle;
    }

    private SlotReport plug() throws MachineException {
        return machine.plug("card0", "card", Map.of(), "the test");
    }

    private long base(Space space) {
        return machine.map().windows().stream()
                .filter(window -> window.space() == space)
                .flatMap(window -> window.regions().stream())
                .filter(region -> region.owner().equals("card0"))
                .mapToLong(region -> region.range().base())
                .findFirst()
                .orElseThrow(() -> new AssertionError("card0 has no region in " + space));
    }

    private SlotReport card() {
        return machine.slots().stream()
                .filter(slot -> slot.name().equals("card0"))
                .findFirst()
                .orElseThrow(() -> new AssertionError("there is no slot card0"));
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
        assertEquals(places(before), places(machine.map()));
        assertEquals(Set.of(), engine.high());
    }

    @Test
    public void getsSpaceAndAnInterrupt() throws Exception {
        install(Behaviour.GOOD);
        assertEquals(SlotState.RUNNING, plug().state());
        long base = base(Space.MMIO);
        engine.store(base + MEMORY, 4, 7);
        assertEquals(7, engine.load(base + MEMORY, 4));
        assertEquals(1, engine.load(base + VERSION, 4));
        assertEquals(7, engine.in((int) base(Space.IO), 4));
        assertEquals(1, engine.high().size());
        engine.store(base + MEMORY, 4, 8);
        assertEquals(Set.of(), engine.high());
    }

    @Test
    public void givesEverythingBackWhenUnplugged() throws Exception {
        install(Behaviour.GOOD);
        plug();
        long base = base(Space.MMIO);
        long port = base(Space.IO);
        engine.store(base + MEMORY, 4, 1);
        machine.unplug("card0", true);
        assertAllGivenBack();
        assertEquals(0xffff_ffffL, engine.load(base, 4) & 0xffff_ffffL);
        assertEquals(0xffff_ffffL, engine.in((int) port, 4) & 0xffff_ffffL);
    }

    @Test
    public void getsTheSamePlacesAgain() throws Exception {
        install(Behaviour.GOOD);
        plug();
        AddressMap first = machine.map();
        Map<String, String> facts = machine.inspect("card0").facts();
        machine.unplug("card0", true);
        plug();
        assertEquals(places(first), places(machine.map()));
        assertEquals(
                facts.get("interrupt lines"),
                machine.inspect("card0").facts().get("interrupt lines"));
    }

    @Test
    public void givesEverythingBackWhenItsBundleStops() throws Exception {
        Bundle bundle = install(Behaviour.GOOD);
        plug();
        long base = base(Space.MMIO);
        engine.store(base + MEMORY, 4, 1);
        bundle.stop();
        assertEquals(SlotState.VACANT, card().state());
        assertEquals(Set.of(), engine.high());
        // Parks until the vacancy's bound has passed.
        assertEquals(0xffff_ffffL, engine.load(base, 4) & 0xffff_ffffL);
        waitUntil(() -> card().state() == SlotState.WAITING);
        assertAllGivenBack();
    }

    @Test
    public void goesOnWhereItWasWhenItsBundleComesBackInTime() throws Exception {
        Bundle bundle = install(Behaviour.GOOD);
        plug();
        long base = base(Space.MMIO);
        engine.store(base + MEMORY, 4, 5);
        bundle.stop();
        bundle.start();
        assertEquals(5, engine.load(base + MEMORY, 4));
        assertEquals(1, engine.high().size());
    }

    @Test
    public void takesPlaceAgainWhenItsBundleComesBackTooLate() throws Exception {
        Bundle bundle = install(Behaviour.GOOD);
        plug();
        long base = base(Space.MMIO);
        engine.store(base + MEMORY, 4, 5);
        bundle.stop();
        engine.load(base, 4);
        waitUntil(() -> card().state() == SlotState.WAITING);
        bundle.start();
        waitUntil(() -> card().state() == SlotState.RUNNING);
        assertEquals(0, engine.load(base(Space.MMIO) + MEMORY, 4));
    }

    @Test
    public void givesEverythingBackWhenCreateThrows() throws Exception {
        install(Behaviour.THROWS_IN_CREATE);
        MachineException refusal = assertThrows(MachineException.class, this::plug);
        assertTrue(refusal.getMessage(), refusal.getMessage().contains("thrown in create"));
        assertTrue(machine.slots().stream().noneMatch(slot -> slot.name().equals("card0")));
        assertAllGivenBack();
    }

    @Test
    public void givesEverythingBackWhenStartThrows() throws Exception {
        install(Behaviour.THROWS_IN_START);
        assertThrows(MachineException.class, this::plug);
        assertAllGivenBack();
    }

    @Test
    public void failsAloneWhenItsRegisterThrows() throws Exception {
        install(Behaviour.THROWS_IN_READ);
        plug();
        assertEquals(0xffff_ffffL, engine.load(base(Space.MMIO), 4) & 0xffff_ffffL);
        waitUntil(() -> card().state() == SlotState.FAILED);
        assertTrue(card().detail(), card().detail().contains("thrown in read"));
        assertTrue(
                machine.slots().stream()
                        .filter(slot -> !slot.name().equals("card0"))
                        .allMatch(slot -> slot.state() == SlotState.RUNNING));
        machine.unplug("card0", true);
        assertAllGivenBack();
    }

    @Test
    public void givesEverythingBackWhenItsEndThrows() throws Exception {
        Bundle bundle = install(Behaviour.THROWS_AT_THE_END);
        plug();
        engine.store(base(Space.MMIO) + MEMORY, 4, 1);
        bundle.stop();
        machine.unplug("card0", true);
        assertAllGivenBack();
    }

    @Test
    public void slotOfAKindThatNobodyOffersWaitsForItsBundle() throws Exception {
        assertEquals(SlotState.WAITING, plug().state());
        install(Behaviour.GOOD);
        waitUntil(() -> card().state() == SlotState.RUNNING);
        assertEquals(1, engine.load(base(Space.MMIO) + VERSION, 4));
    }

    /** For what the machine does on its own threads; the test's time-out is the bound. */
    private static void waitUntil(BooleanSupplier reached) {
        while (!reached.getAsBoolean()) {
            Thread.onSpinWait();
        }
    }
}
