package org.backplane.itests;

import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
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

/** A machine with the slot {@code card0} in it, whose guest does what the test says. */
public final class CardMachine implements AutoCloseable {
    public static final int MEMORY = 0;
    public static final int VERSION = 4;
    public static final String SLOT = "card0";
    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final long ALL_ONES = 0xffff_ffffL;

    private final BundleContext context;
    private final DrivenEngine engine;
    private final MachineFixture fixture;

    CardMachine(BundleContext context) throws BundleException, IOException {
        // Without a probation to speak of: the code before goes at once.
        this(context, Map.of("bound.probation", 1L));
    }

    /** Without a guest: the test plays the processor. */
    CardMachine(BundleContext context, Map<String, Object> plan)
            throws BundleException, IOException {
        this(context, new PlayedEngine(), plan);
    }

    public CardMachine(BundleContext context, DrivenEngine engine, Map<String, Object> plan)
            throws BundleException, IOException {
        this.context = context;
        this.engine = engine;
        fixture = MachineFixture.on(context, engine, plan);
    }

    /** A framework with everything but an engine and a card. */
    public static Option[] framework() {
        CardJar.make();
        return CoreOptions.options(
                Framework.base(),
                Framework.onClassPath(ConfigurationManager.class),
                Framework.project(
                        Stream.concat(Framework.BOARD.stream(), Stream.of("machine", "chipset"))
                                .toList()));
    }

    /** Ends the machine and takes every card out of the framework. */
    @Override
    public void close() throws BundleException {
        fixture.stop();
        for (Bundle card : cards()) {
            try {
                card.uninstall();
            } catch (IllegalStateException gone) {
                // The machine was about to, and came first.
                continue;
            }
        }
    }

    /** The bundles of cards that are installed. */
    public List<Bundle> cards() {
        return Arrays.stream(context.getBundles())
                .filter(bundle -> CardJar.SYMBOLIC_NAME.equals(bundle.getSymbolicName()))
                .toList();
    }

    public Machine machine() {
        return fixture.machine();
    }

    public DrivenEngine engine() {
        return engine;
    }

    public Bundle bundle(String symbolicName) {
        return fixture.bundle(symbolicName);
    }

    /** Installs and starts the first version of a card. */
    public Bundle install(Behaviour behaviour) throws BundleException {
        Bundle bundle = context.installBundle(CardJar.path(behaviour, 1).toUri().toString());
        bundle.start();
        return bundle;
    }

    public SlotReport plug() throws MachineException {
        return machine().plug(SLOT, "card", Map.of(), "the test");
    }

    public void unplug() throws MachineException {
        machine().unplug(SLOT, true);
    }

    /** Swaps the card, beside road, for the code of a jar. */
    public SlotReport swap(Behaviour behaviour, int version) throws MachineException {
        return machine().swap(SLOT, CardJar.path(behaviour, version).toString(), false).slot();
    }

    public boolean plugged() {
        return machine().slots().stream().anyMatch(slot -> slot.name().equals(SLOT));
    }

    public SlotReport card() {
        return machine().slots().stream()
                .filter(slot -> slot.name().equals(SLOT))
                .findFirst()
                .orElseThrow(() -> new AssertionError("there is no slot " + SLOT));
    }

    public long base(Space space) {
        return machine().map().windows().stream()
                .filter(window -> window.space() == space)
                .flatMap(window -> window.regions().stream())
                .filter(region -> region.owner().equals(SLOT))
                .mapToLong(region -> region.range().base())
                .findFirst()
                .orElseThrow(() -> new AssertionError(SLOT + " has no region in " + space));
    }

    /** A register as the guest reads it; the address is looked up, as a driver has it. */
    public long load(int register) {
        return loadAt(base(Space.MMIO) + register);
    }

    public long loadAt(long address) {
        return engine.load(address, 4) & ALL_ONES;
    }

    public void store(int register, long value) {
        engine.store(base(Space.MMIO) + register, 4, value);
    }

    public long in(int port) {
        return engine.in(port, 4) & ALL_ONES;
    }

    /** For what the machine does on its own threads; the bound only ends a test that hangs. */
    public void waitUntil(BooleanSupplier reached) {
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
