package org.backplane.machine.slot;

import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.backplane.bus.ClaimException;
import org.backplane.machine.MachineException;
import org.backplane.machine.slot.Slot.Consent;
import org.backplane.pci.BarHandler;
import org.backplane.pci.HostBridge;
import org.backplane.pci.PciFunction;
import org.backplane.pci.PciShape;
import org.backplane.pci.PciSocket;
import org.backplane.pci.RootPort;

/**
 * Where the PCI function of a slot is plugged in, bus 0 or a root port, and what guest and slot
 * have to tell each other there. One for each face. Thread-safe.
 */
final class PciPlace implements PciSocket, RootPort.Occupant {
    /** The setting of a slot that names its port; its device does not see it. */
    static final String SETTING = "port";

    private final SlotGear gear;
    private final Runnable linkLost;

    /** Where it may be; empty for bus 0. */
    private final List<RootPort> ports;

    /** On bus 0; -1 for any. */
    private final int device;

    /** Whether the guest runs, and learns of the function by the port. */
    private final boolean hot;

    private volatile Optional<RootPort> port = Optional.empty();

    /** What the guest answers; null while nobody asks it. Guarded by this. */
    private CompletableFuture<Consent> consent;

    private PciPlace(
            SlotGear gear, Runnable linkLost, List<RootPort> ports, int device, boolean hot) {
        this.gear = gear;
        this.linkLost = linkLost;
        this.ports = ports;
        this.device = device;
        this.hot = hot;
    }

    /**
     * Where a function is plugged that is new: the port of the slot's settings, while a guest runs
     * the lowest port that is empty and off, and before it does bus 0.
     *
     * @param linkLost posts what is to be done when the guest took the function's link down
     */
    static PciPlace wanted(SlotGear gear, Runnable linkLost) throws ClaimException {
        boolean hot = gear.guestStarted().getAsBoolean();
        List<RootPort> all = gear.board().bridge().rootPorts();
        String named = gear.spec().settings().get(SETTING);
        if (named != null) {
            return new PciPlace(gear, linkLost, List.of(named(named, all)), -1, hot);
        }
        return new PciPlace(gear, linkLost, hot ? idleFirst(all) : List.of(), -1, hot);
    }

    /**
     * Empty ports with power on come last: there the guest is not done with a card that was torn
     * out. Linux may never be, since a virtio driver waits for its device's reset to read as zero.
     */
    private static List<RootPort> idleFirst(List<RootPort> all) {
        return all.stream().sorted(Comparator.comparing(port -> port.state().powered())).toList();
    }

    private static RootPort named(String name, List<RootPort> all) throws ClaimException {
        if (all.isEmpty()) {
            throw new ClaimException(
                    "'%s=%s' names a root port, and this board has none: leave it out."
                            .formatted(SETTING, name));
        }
        for (RootPort each : all) {
            if (name.equals(Integer.toString(each.slotNumber()))) {
                return each;
            }
        }
        throw new ClaimException(
                "'%s=%s' is no root port of this board: give one from %d to %d."
                        .formatted(
                                SETTING,
                                name,
                                all.get(0).slotNumber(),
                                all.get(all.size() - 1).slotNumber()));
    }

    /**
     * Where a function was when it was saved; the guest knows of it.
     *
     * @param slotNumber of its port, or {@link SavedSlot#NO_PORT}
     */
    static PciPlace saved(SlotGear gear, int slotNumber, int device, Runnable linkLost)
            throws ClaimException {
        if (slotNumber == SavedSlot.NO_PORT) {
            return new PciPlace(gear, linkLost, List.of(), device, false);
        }
        RootPort there = named(Integer.toString(slotNumber), gear.board().bridge().rootPorts());
        return new PciPlace(gear, linkLost, List.of(there), device, false);
    }

    @Override
    public PciFunction plug(String slot, PciShape shape, BarHandler handler) throws ClaimException {
        if (ports.isEmpty()) {
            HostBridge bridge = gear.board().bridge();
            return bridge.plug(slot, device, shape, handler);
        }
        if (ports.size() == 1) {
            return plug(ports.get(0), slot, shape, handler);
        }
        for (RootPort each : ports) {
            // Another slot may be quicker, hence the exception is no failure.
            try {
                if (each.function().isEmpty()) {
                    return plug(each, slot, shape, handler);
                }
            } catch (ClaimException taken) {
                if (each.function().isEmpty()) {
                    throw taken;
                }
            }
        }
        throw new ClaimException(
                "%s cannot be plugged while the guest runs: no port is empty (%s); unplug one, or plug it at the start, when bus 0 has room."
                        .formatted(
                                slot,
                                ports.stream()
                                        .sorted(Comparator.comparing(RootPort::slotNumber))
                                        .map(PciPlace::occupied)
                                        .collect(Collectors.joining(", "))));
    }

    private static String occupied(RootPort each) {
        return "port %d: %s"
                .formatted(
                        each.slotNumber(),
                        each.function().map(PciFunction::slot).orElse("just left"));
    }

    private PciFunction plug(RootPort into, String slot, PciShape shape, BarHandler handler)
            throws ClaimException {
        PciFunction function = into.plug(slot, shape, handler);
        into.occupant(this);
        port = Optional.of(into);
        return function;
    }

    /**
     * As firmware does, places the BARs of a function that the guest finds when it starts; of one
     * that comes later, the guest places them, and they only have to fit.
     *
     * @throws ClaimException there is no room
     */
    void admit(PciFunction function) throws ClaimException {
        if (port.isEmpty()) {
            function.place();
        } else if (hot) {
            port.get().requireRoom(function);
        } else {
            port.get().install();
            function.place();
        }
    }

    /** A device that is not on PCI cannot be in a port. */
    void refuseNamed() throws ClaimException {
        String named = gear.spec().settings().get(SETTING);
        if (named != null) {
            throw new ClaimException(
                    "'%s=%s' is for PCI devices, and the kind '%s' is none: leave it out."
                            .formatted(SETTING, named, gear.spec().kind()));
        }
    }

    /** The device answers: a guest that runs is told of it. */
    void announce() {
        if (hot) {
            port.ifPresent(RootPort::insert);
        }
    }

    /** The slot number of the port, if the function is in one. */
    Optional<Integer> port() {
        return port.map(RootPort::slotNumber);
    }

    /** After {@link RootPort.Occupant#linkLost}, when face and device have been reset. */
    void recovered() {
        port.ifPresent(RootPort::recovered);
    }

    /**
     * Asks the guest to let the function go, and waits for that; on a thread that holds up nobody.
     * Who asks while another does waits with that one: a button pressed twice is a request
     * withdrawn.
     */
    Consent ask(Duration bound) throws MachineException {
        if (port.isEmpty()) {
            return Consent.NOT_ASKED;
        }
        CompletableFuture<Consent> answer;
        boolean first;
        synchronized (this) {
            first = consent == null;
            consent = first ? new CompletableFuture<>() : consent;
            answer = consent;
        }
        try {
            if (first) {
                press(answer);
            }
            return answer.get(bound.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException late) {
            return Consent.NOT_GIVEN;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new MachineException(
                    "%s: interrupted while the guest was asked.".formatted(gear.name()), e);
        } catch (ExecutionException e) {
            throw new AssertionError(e);
        } finally {
            if (first) {
                port.get().withdraw();
                // Of the guest's consent and this end, one counts: see linkLost.
                answer.complete(Consent.NOT_GIVEN);
                synchronized (this) {
                    consent = null;
                }
            }
        }
    }

    private void press(CompletableFuture<Consent> answer) {
        RootPort asked = port.get();
        switch (asked.press()) {
            case NOT_HEEDED -> answer.complete(Consent.NOT_HEEDED);
            case POWER_OFF -> answer.complete(Consent.GIVEN);
            case PRESSED ->
                    gear.history()
                            .add(
                                    "asked",
                                    "attention button of port %d".formatted(asked.slotNumber()));
            default -> throw new AssertionError();
        }
    }

    /** The function is gone, whatever the guest was asked: who waits need not any longer. */
    synchronized void vacated() {
        if (consent != null) {
            consent.complete(Consent.GIVEN);
        }
    }

    @Override
    public void linkLost(boolean consented) {
        CompletableFuture<Consent> waiting;
        synchronized (this) {
            waiting = consent;
        }
        if (consented && waiting != null && waiting.complete(Consent.GIVEN)) {
            gear.history().add("let go", "the guest switched the slot off");
        } else {
            linkLost.run();
        }
    }
}
