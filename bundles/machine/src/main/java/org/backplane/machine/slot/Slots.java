package org.backplane.machine.slot;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.IntConsumer;
import java.util.function.UnaryOperator;
import org.backplane.device.DeviceException;
import org.backplane.device.context.DeviceContext;
import org.backplane.device.state.SavedState;
import org.backplane.machine.HistoryEntry;
import org.backplane.machine.MachineException;
import org.backplane.machine.SlotInspection;
import org.backplane.machine.SlotReport;
import org.backplane.machine.SlotState;
import org.backplane.machine.board.Board;
import org.backplane.machine.board.PlatformDevice;
import org.backplane.machine.console.Consoles;
import org.backplane.machine.processor.MachineThread;
import org.backplane.machine.slot.Factories.Offer;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleEvent;
import org.osgi.framework.BundleListener;

/** The slots of a machine, and the offers of bundles that fill them. Thread-safe. */
public final class Slots implements Factories.Listener, AutoCloseable {
    private static final Logger LOG = System.getLogger(Slots.class.getName());

    private static final Duration LOOK = Duration.ofMillis(500);

    /** How long the framework may take from updating a bundle to starting it. */
    private static final Duration UPDATE_BOUND = Duration.ofSeconds(1);

    private final Board board;
    private final MachineServices services;
    private final Factories factories;
    private final Map<String, Slot> slots = new LinkedHashMap<>();

    /** Those whose gates {@link #letIn} opens; guarded by the slots. */
    private final List<Slot> restored = new ArrayList<>();

    private final BundleContext context;
    private final BundleListener updates = this::bundleChanged;

    private volatile boolean guestStarted;

    /** Its tasks only post: one thread is enough for every slot. At the end nothing is due. */
    private final ScheduledExecutorService later =
            new ScheduledThreadPoolExecutor(
                    1,
                    work -> new MachineThread("later", work),
                    new ThreadPoolExecutor.DiscardPolicy());

    private final ExecutorService deviceThreads =
            Executors.newCachedThreadPool(work -> new MachineThread("device call", work));

    /**
     * @param machine its name
     * @param copies begins to copy a bundle's code
     */
    public Slots(
            String machine,
            Board board,
            Consoles consoles,
            Consumer<DeviceContext.PowerRequest> power,
            IntConsumer exit,
            Bounds bounds,
            MachineServices.CodeKeeper code,
            Function<Bundle, Future<Path>> copies,
            BundleContext context) {
        this.board = board;
        this.context = context;
        services =
                new MachineServices(
                        machine,
                        consoles,
                        new SharedResources(),
                        power,
                        exit,
                        () -> guestStarted,
                        bounds,
                        deviceThreads,
                        later,
                        code);
        var watchdog = new Watchdog((int) (bounds.handler().toMillis() / LOOK.toMillis()));
        later.scheduleWithFixedDelay(
                watchdog::look, LOOK.toMillis(), LOOK.toMillis(), TimeUnit.MILLISECONDS);
        context.addBundleListener(updates);
        factories = new Factories(context, this, copies);
        factories.open();
    }

    /** A guest starts, or goes on: what is plugged from now on is hot. */
    public void guestStarts() {
        guestStarted = true;
    }

    public Factories factories() {
        return factories;
    }

    /**
     * Makes a slot and fills it if a bundle offers its kind; else it waits for one.
     *
     * @throws MachineException the name is taken, or the device refuses; then there is no slot
     */
    public Slot add(SlotSpec spec) throws MachineException {
        Slot slot = make(spec);
        Optional<Offer> offer = factories.best(slot::takes);
        if (offer.isPresent()) {
            try {
                slot.fill(offer.get());
            } catch (MachineException e) {
                remove(spec.name());
                throw e;
            }
        }
        return slot;
    }

    private Slot make(SlotSpec spec) throws MachineException {
        if (!spec.name().matches("[A-Za-z0-9._-]{1,32}")) {
            throw new MachineException(
                    "The slot name '%s' (%s) is not 1 to 32 letters, digits, '.', '_' and '-'."
                            .formatted(spec.name(), spec.source()));
        }
        Optional<Pin> pin = Pin.of(spec);
        synchronized (slots) {
            Slot there = slots.get(spec.name());
            if (there != null) {
                throw new MachineException(
                        "The slot name '%s' (%s) is taken by %s: give another name."
                                .formatted(spec.name(), spec.source(), there.spec().source()));
            }
            Slot slot = new Slot(spec, board, services);
            slot.pin(pin);
            slots.put(spec.name(), slot);
            return slot;
        }
    }

    /**
     * Brings every slot to rest and saves it; all go on when the standstill is closed.
     *
     * @param saved takes the states, in the order of the slots
     */
    public Standstill standStill(List<SavedState> saved) throws MachineException {
        return Standstill.of(all(), saved);
    }

    /**
     * Makes a slot anew from what {@link #standStill} saved, with its gate closed until {@link
     * #letIn}.
     *
     * @param replacement for settings that are of the process, by what they were
     * @return what the slot is
     * @throws MachineException the state is none of a slot, or the device refuses it
     */
    public SlotSpec restore(SavedState state, UnaryOperator<SlotSpec> replacement)
            throws MachineException {
        SavedSlot saved;
        try {
            saved = SavedSlot.of(state);
        } catch (DeviceException e) {
            throw new MachineException(e.getMessage(), e);
        }
        SlotSpec spec = replacement.apply(saved.spec());
        Slot slot = make(spec);
        synchronized (slots) {
            restored.add(slot);
        }
        Optional<Offer> offer = factories.best(slot::takes);
        if (saved.condition() == SavedSlot.Condition.EMPTY) {
            if (offer.isPresent()) {
                slot.fill(offer.get());
            }
        } else {
            slot.restore(
                    offer.orElseThrow(
                            () ->
                                    new MachineException(
                                            "no bundle offers the kind '%s' of the slot '%s'%s: install one in a folder given with --bundles"
                                                    .formatted(
                                                            spec.kind(),
                                                            spec.name(),
                                                            slot.within()))),
                    saved);
        }
        return spec;
    }

    /**
     * Opens the gates of restored slots; of those that nobody has unplugged meanwhile. One that was
     * plugged since opens its own.
     */
    public void letIn() throws MachineException {
        List<Slot> closed;
        synchronized (slots) {
            closed = List.copyOf(restored);
            restored.clear();
        }
        for (Slot slot : closed) {
            try {
                slot.letIn();
            } catch (MachineException e) {
                if (!slot.gone()) {
                    throw e;
                }
            }
        }
        board.bridge().resume();
    }

    /**
     * Changes which code may fill a slot. One that is empty is filled if it can be; one that runs
     * changes only by a swap.
     */
    public void pin(String name, Optional<Pin> pin) throws MachineException {
        Slot slot = get(name);
        slot.pin(pin);
        if (slot.isEmpty()) {
            factories.best(slot::takes).ifPresent(slot::fillIfEmpty);
        }
    }

    /** Puts the best code that there is into slots that have failed, with nothing of before. */
    public void renewFailed() throws MachineException {
        for (Slot slot : all()) {
            Optional<Offer> offer = factories.best(slot::takes);
            if (slot.state() == SlotState.FAILED && offer.isPresent()) {
                slot.fill(offer.get());
            }
        }
    }

    public void remove(String name) throws MachineException {
        Slot slot = get(name);
        try {
            slot.close();
        } finally {
            synchronized (slots) {
                slots.remove(name, slot);
            }
        }
    }

    public Slot get(String name) throws MachineException {
        synchronized (slots) {
            Slot slot = slots.get(name);
            if (slot == null) {
                throw new MachineException(
                        "There is no slot '%s': there are %s."
                                .formatted(name, String.join(", ", slots.keySet())));
            }
            return slot;
        }
    }

    public List<Slot> all() {
        synchronized (slots) {
            return List.copyOf(slots.values());
        }
    }

    @Override
    public void offered(Offer offer) {
        for (Slot slot : all()) {
            if (!slot.isEmpty() || !slot.spec().kind().equals(offer.kind())) {
                continue;
            }
            if (slot.takes(offer)) {
                slot.fillIfEmpty(offer);
            } else {
                slot.passedOver(offer);
                // Updated to what the slot does not take: nothing else will come of this bundle.
                slot.bundleDidNotReturn(offer.bundle(), System.nanoTime());
            }
        }
    }

    @Override
    public void withdrawn(Offer offer) {
        awaitCopy(offer);
        for (Slot slot : all()) {
            if (slot.offer().filter(offer::equals).isEmpty()) {
                slot.forget(offer);
                continue;
            }
            try {
                slot.vacate(offer);
            } catch (MachineException e) {
                LOG.log(Level.WARNING, e.getMessage(), e);
            }
        }
        services.code().withdrawn(offer);
    }

    /** When this returns, the framework may take the code away. */
    private void awaitCopy(Offer offer) {
        try {
            offer.code().copy().get(services.bounds().call().toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException | TimeoutException e) {
            LOG.log(
                    Level.WARNING,
                    () -> "There is no copy of %s to come back to.".formatted(offer),
                    e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** An update that does not come to an offer leaves slots empty: their code has to come back. */
    private void bundleChanged(BundleEvent event) {
        if (event.getType() == BundleEvent.UPDATED) {
            lookLater(event.getBundle(), System.nanoTime());
        }
    }

    private void lookLater(Bundle updated, long time) {
        later.schedule(() -> look(updated, time), UPDATE_BOUND.toMillis(), TimeUnit.MILLISECONDS);
    }

    private void look(Bundle updated, long time) {
        if (updated.getState() == Bundle.STARTING) {
            lookLater(updated, time);
        } else if (updated.getState() != Bundle.ACTIVE) {
            all().forEach(slot -> slot.bundleDidNotReturn(updated, time));
        }
    }

    /** Whether a slot runs a device of the bundle, or could go back to it. */
    public boolean uses(Bundle bundle) {
        return all().stream().anyMatch(slot -> slot.uses(bundle));
    }

    public List<SlotReport> reports() {
        return all().stream().map(Slot::report).toList();
    }

    public SlotInspection inspect(String name) throws MachineException {
        return get(name).inspect();
    }

    public List<HistoryEntry> history(String name) throws MachineException {
        return get(name).history();
    }

    /** What firmware describes, in the order of the slots. */
    public List<PlatformDevice> platformDevices() {
        return all().stream().map(Slot::platformDevice).flatMap(Optional::stream).toList();
    }

    /** Resets every slot, with the processors halted. */
    public void reset() throws MachineException {
        for (Slot slot : all()) {
            slot.reset();
        }
    }

    /**
     * Presses the first power button that a device has.
     *
     * @return whether there is one
     */
    public boolean pressPowerButton() throws MachineException {
        for (Slot slot : all()) {
            if (slot.press()) {
                return true;
            }
        }
        return false;
    }

    public void timeStarted() {
        all().forEach(Slot::timeStarted);
    }

    /** Unplugs everything, the last slot first. */
    @Override
    public void close() {
        later.shutdownNow();
        context.removeBundleListener(updates);
        var last = new ArrayList<>(all());
        java.util.Collections.reverse(last);
        for (Slot slot : last) {
            try {
                remove(slot.spec().name());
            } catch (MachineException e) {
                LOG.log(Level.WARNING, e.getMessage(), e);
            }
        }
        factories.close();
        deviceThreads.shutdown();
    }
}
