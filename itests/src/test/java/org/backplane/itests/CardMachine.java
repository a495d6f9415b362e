package org.backplane.itests;

import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.apache.felix.cm.impl.ConfigurationManager;
import org.backplane.bus.Space;
import org.backplane.itests.card.Behaviour;
import org.backplane.machine.Machine;
import org.backplane.machine.MachineException;
import org.backplane.machine.SlotReport;
import org.ops4j.pax.exam.CoreOptions;
import org.ops4j.pax.exam.Option;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;

/** A machine without a guest, the slot {@code card0} in it, and the test as its processor. */
final class CardMachine {
    static final int MEMORY = 0;
    static final int VERSION = 4;
    private static final String SLOT = "card0";
    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final long ALL_ONES = 0xffff_ffffL;

    private final BundleContext context;
    private final PlayedEngine engine = new PlayedEngine();
    private final MachineFixture fixture;

    CardMachine(BundleContext context) throws BundleException, IOException {
        // Without a probation to speak of: the code before goes at once.
        this(context, Map.of("bound.probation", 1L));
    }

    CardMachine(BundleContext context, Map<String, Object> plan)
            throws BundleException, IOException {
        this.context = context;
        fixture = MachineFixture.withoutGuest(context, engine, plan);
    }

    /** A framework with everything but an engine and a card; every card's jar is made. */
    static Option[] framework() {
        for (Behaviour behaviour : Behaviour.values()) {
            CardJar.make(behaviour, 1);
            CardJar.make(behaviour, 2);
        }
        return CoreOptions.options(
                Framework.base(),
                Framework.onClassPath(ConfigurationManager.class),
                Framework.project(
                        Stream.concat(Framework.BOARD.stream(), Stream.of("machine", "chipset"))
                                .toList()));
    }

    Machine machine() {
        return fixture.machine();
    }

    PlayedEngine engine() {
        return engine;
    }

    Bundle bundle(String symbolicName) {
        return fixture.bundle(symbolicName);
    }

    /** Installs and starts the first version of a card. */
    Bundle install(Behaviour behaviour) throws BundleException {
        Bundle bundle = context.installBundle(CardJar.path(behaviour, 1).toUri().toString());
        bundle.start();
        return bundle;
    }

    SlotReport plug() throws MachineException {
        return machine().plug(SLOT, "card", Map.of(), "the test");
    }

    void unplug() throws MachineException {
        machine().unplug(SLOT, true);
    }

    /** Swaps the card, beside road, for the code of a jar. */
    SlotReport swap(Behaviour behaviour, int version) throws MachineException {
        return machine().swap(SLOT, CardJar.path(behaviour, version).toString(), false).slot();
    }

    boolean plugged() {
        return machine().slots().stream().anyMatch(slot -> slot.name().equals(SLOT));
    }

    SlotReport card() {
        return machine().slots().stream()
                .filter(slot -> slot.name().equals(SLOT))
                .findFirst()
                .orElseThrow(() -> new AssertionError("there is no slot " + SLOT));
    }

    long base(Space space) {
        return machine().map().windows().stream()
                .filter(window -> window.space() == space)
                .flatMap(window -> window.regions().stream())
                .filter(region -> region.owner().equals(SLOT))
                .mapToLong(region -> region.range().base())
                .findFirst()
                .orElseThrow(() -> new AssertionError(SLOT + " has no region in " + space));
    }

    /** A register as the guest reads it; the address is looked up, as a driver has it. */
    long load(int register) {
        return loadAt(base(Space.MMIO) + register);
    }

    long loadAt(long address) {
        return engine.load(address, 4) & ALL_ONES;
    }

    void store(int register, long value) {
        engine.store(base(Space.MMIO) + register, 4, value);
    }

    long in(int port) {
        return engine.in(port, 4) & ALL_ONES;
    }

    /** For what the machine does on its own threads; the bound only ends a test that hangs. */
    void waitUntil(BooleanSupplier reached) {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!reached.getAsBoolean()) {
            if (System.nanoTime() > end) {
                throw new AssertionError(
                        "never came; slots %s, bundles %s"
                                .formatted(
                                        machine().slots(), Arrays.toString(context.getBundles())));
            }
            Thread.onSpinWait();
        }
    }
}
