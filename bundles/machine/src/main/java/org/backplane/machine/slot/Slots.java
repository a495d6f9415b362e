package org.backplane.machine.slot;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.backplane.machine.HistoryEntry;
import org.backplane.machine.MachineException;
import org.backplane.machine.SlotInspection;
import org.backplane.machine.SlotReport;
import org.backplane.machine.SlotState;
import org.backplane.machine.board.Board;
import org.backplane.machine.board.PlatformDevice;
import org.backplane.machine.processor.MachineThread;
import org.backplane.machine.slot.Factories.Offer;

/** The slots of a machine, and the offers of bundles that fill them. Thread-safe. */
public final class Slots implements Factories.Listener, AutoCloseable {
    private static final Logger LOG = System.getLogger(Slots.class.getName());

    /** How long an empty slot parks the guest; Linux calls 20 s a soft lockup. */
    private static final Duration VACANCY_BOUND = Duration.ofSeconds(5);

    private final Board board;
    private final MachineServices services;
    private final Factories factories;
    private final Map<String, Slot> slots = new LinkedHashMap<>();
    private final ScheduledExecutorService vacancies =
            Executors.newSingleThreadScheduledExecutor(
                    work -> new MachineThread("vacancies", work));

    public Slots(Board board, MachineServices services, org.osgi.framework.BundleContext context) {
        this.board = board;
        this.services = services;
        factories = new Factories(context, this);
        factories.open();
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
        if (!spec.name().matches("[A-Za-z0-9._-]{1,32}")) {
            throw new MachineException(
                    "The slot name '%s' (%s) is not 1 to 32 letters, digits, '.', '_' and '-'."
                            .formatted(spec.name(), spec.source()));
        }
        Slot slot;
        synchronized (slots) {
            Slot there = slots.get(spec.name());
            if (there != null) {
                throw new MachineException(
                        "The slot name '%s' (%s) is taken by %s: give another with name=."
                                .formatted(spec.name(), spec.source(), there.spec().source()));
            }
            slot = new Slot(spec, board, services);
            slots.put(spec.name(), slot);
        }
        Optional<Offer> offer = factories.best(spec.kind());
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
            if (slot.spec().kind().equals(offer.kind())
                    && (slot.state() == SlotState.VACANT || slot.state() == SlotState.WAITING)) {
                slot.fillIfEmpty(offer);
            }
        }
    }

    @Override
    public void withdrawn(Offer offer) {
        for (Slot slot : all()) {
            if (slot.offer().filter(offer::equals).isEmpty()) {
                continue;
            }
            try {
                int vacancy = slot.vacate(offer);
                vacancies.schedule(
                        () -> slot.expireVacancy(vacancy),
                        VACANCY_BOUND.toMillis(),
                        TimeUnit.MILLISECONDS);
            } catch (MachineException e) {
                LOG.log(Level.WARNING, e.getMessage(), e);
            }
        }
        services.withdrawn().accept(offer);
    }

    /** Whether a slot runs a device of the bundle. */
    public boolean uses(org.osgi.framework.Bundle bundle) {
        return all().stream()
                .anyMatch(
                        slot ->
                                slot.offer()
                                        .filter(offer -> offer.bundle().equals(bundle))
                                        .isPresent());
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

    public void timeStarted() {
        all().forEach(Slot::timeStarted);
    }

    /** Unplugs everything, the last slot first. */
    @Override
    public void close() {
        vacancies.shutdownNow();
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
    }
}
