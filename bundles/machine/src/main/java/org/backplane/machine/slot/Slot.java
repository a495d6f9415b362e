package org.backplane.machine.slot;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.backplane.bus.RegionLease;
import org.backplane.device.Device;
import org.backplane.device.DeviceException;
import org.backplane.device.state.SavedState;
import org.backplane.machine.AddressMap;
import org.backplane.machine.HistoryEntry;
import org.backplane.machine.MachineException;
import org.backplane.machine.SlotInspection;
import org.backplane.machine.SlotReport;
import org.backplane.machine.SlotState;
import org.backplane.machine.board.Board;
import org.backplane.machine.board.LeaseStack;
import org.backplane.machine.board.PlatformDevice;
import org.backplane.machine.slot.Factories.Offer;

/**
 * A place in the machine that devices fill one after the other. What the guest sees belongs to the
 * slot and stays; what answers belongs to a bundle. Everything that changes a slot runs on its
 * control thread.
 *
 * <p>Long for one class, because every operation is a path through the same few fields, which only
 * the control thread writes: apart they would have to share them.
 */
public final class Slot {
    private static final Logger LOG = System.getLogger(Slot.class.getName());

    private final SlotGear gear;
    private final SlotEnvironment environment;
    private final ControlThread control;
    private final Gate gate = new Gate();
    private final History history;
    private final LeaseStack leases;

    // Written by the control thread; read by reports, hence volatile.
    private volatile SlotState state = SlotState.WAITING;
    private volatile String detail = "";
    private volatile Occupant occupant;
    private volatile Face face;

    /** Counts vacancies, so that the end of an earlier one does not end a later. */
    private int vacancy;

    /** What a device that left in place has saved for the next. */
    private Optional<SavedState> parked = Optional.empty();

    Slot(SlotSpec spec, Board board, MachineServices services) {
        leases = new LeaseStack(spec.name());
        history = new History(spec.name());
        control = new ControlThread(spec.name());
        gear = new SlotGear(spec, board, gate, control, leases, history, this::failed);
        var events = leases.push("event loop", new EventLoop(spec.name(), board.vm()::guestTime));
        environment =
                new SlotEnvironment(
                        new SlotRegions(gear),
                        new SlotLines(gear),
                        new KeptResources(leases),
                        events,
                        services.consoles(),
                        services.power());
        detail = "no bundle offers the kind '%s'".formatted(spec.kind());
    }

    public SlotSpec spec() {
        return gear.spec();
    }

    public SlotState state() {
        return state;
    }

    /** What fills the slot now. */
    public Optional<Offer> offer() {
        return Optional.ofNullable(occupant).map(Occupant::offer);
    }

    /** Puts the first device in, or one after a vacancy or a failure. */
    void fill(Offer offer) throws MachineException {
        control.callAction("fill", () -> doFill(offer));
    }

    /** As {@link #fill}, later and only if nobody fills the slot until then. */
    void fillIfEmpty(Offer offer) {
        control.post(
                "fill",
                () -> {
                    if (state == SlotState.WAITING || state == SlotState.VACANT) {
                        doFill(offer);
                    }
                });
    }

    private void doFill(Offer offer) throws MachineException {
        History.Steps steps = history.steps();
        Occupant fresh = null;
        Face made = null;
        try {
            fresh = Occupant.create(offer, gear, environment);
            if (face == null) {
                made = Face.of(gear, fresh.device());
            } else {
                refuseMismatch(fresh);
            }
            steps.done("create", offer.toString());
            if (parked.isPresent()) {
                fresh.restore(parked.get());
                steps.done("restore", parked.get().schema());
            }
            fresh.device().start();
            Face target = made == null ? face : made;
            target.connect(fresh.device(), true);
            fresh.attachment().connect();
            face = target;
            occupant = fresh;
            parked = Optional.empty();
            state = SlotState.RUNNING;
            detail = "";
            gate.open();
            target.kick();
            steps.done("open", "");
        } catch (Throwable e) {
            if (fresh != null) {
                fresh.discard();
            }
            if (made != null) {
                made.close();
            }
            String reason = Occupant.sentence(e);
            state = SlotState.FAILED;
            detail = reason;
            gate.refuse();
            if (face != null) {
                face.failed();
            }
            steps.done("failed", reason);
            throw new MachineException("%s: %s".formatted(spec().source(), named(reason)), e);
        }
    }

    /** Replaces the device's code, beside road; the guest loses nothing, whatever happens. */
    public void swap(Offer next) throws MachineException {
        control.callAction(
                "swap",
                () -> {
                    switch (state) {
                        case RUNNING -> doSwap(next);
                        case FAILED, VACANT, WAITING -> doFill(next);
                        default ->
                                throw new MachineException(
                                        "The slot '%s' is %s and cannot be swapped."
                                                .formatted(spec().name(), state));
                    }
                });
    }

    private void doSwap(Offer next) throws MachineException {
        Occupant old = occupant;
        History.Steps steps = history.steps();
        Occupant fresh = null;
        boolean quiesced = false;
        boolean cut = false;
        try {
            // Before the pause: the new code is loaded and judged while the old one still serves.
            fresh = Occupant.create(next, gear, environment);
            refuseMismatch(fresh);
            old.refuseUnsavable();
            steps.done("create", next.toString());
            state = SlotState.SWAPPING;
            quiesced = true;
            old.drain();
            steps.done("quiesce", "");
            closeGate();
            History.Steps pause = history.steps();
            Optional<SavedState> saved = old.save();
            if (saved.isPresent()) {
                fresh.restore(saved.get());
            }
            fresh.device().start();
            steps.done("transfer", saved.map(SavedState::schema).orElse("stateless"));
            cut = true;
            old.attachment().disconnect();
            face.connect(fresh.device(), true);
            fresh.attachment().connect();
            occupant = fresh;
            state = SlotState.RUNNING;
            gate.open();
            face.kick();
            pause.done("open", "pause from gate closed to open");
        } catch (Throwable e) {
            rollBack(old, fresh, quiesced, cut);
            String reason = Occupant.sentence(e);
            steps.ended("rolled back", reason);
            if (e instanceof InterruptedException) {
                Thread.currentThread().interrupt();
            }
            throw new MachineException(
                    "The swap of '%s' to %s was rolled back: %s"
                            .formatted(spec().name(), next, reason),
                    e);
        }
        old.discard();
        steps.ended("swapped", "%s -> %s".formatted(old.offer(), next));
    }

    private void rollBack(Occupant old, Occupant fresh, boolean quiesced, boolean cut) {
        if (cut) {
            fresh.attachment().disconnect();
            face.connect(old.device(), false);
            old.attachment().connect();
        }
        occupant = old;
        state = SlotState.RUNNING;
        gate.open();
        if (quiesced) {
            try {
                old.device().resume();
            } catch (Throwable e) {
                failed(e);
            }
            face.kick();
        }
        if (fresh != null) {
            fresh.discard();
        }
    }

    /**
     * In-place road: the offer is about to go. Drains and saves while its code still works, and
     * leaves the slot parked for the next.
     *
     * @return the vacancy, for {@link #expireVacancy}
     */
    int vacate(Offer leaving) throws MachineException {
        return control.call(
                "vacate",
                () -> {
                    doVacate(leaving);
                    return vacancy;
                });
    }

    private void doVacate(Offer leaving) throws MachineException, InterruptedException {
        Occupant old = occupant;
        if (old == null || old.offer() != leaving) {
            return;
        }
        History.Steps steps = history.steps();
        try {
            old.drain();
            closeGate();
            parked = old.save();
            vacancy++;
            state = SlotState.VACANT;
            detail = "%s was withdrawn".formatted(leaving);
            steps.done("vacant", parked.map(SavedState::schema).orElse("stateless"));
        } catch (DeviceException | RuntimeException | Error e) {
            parked = Optional.empty();
            state = SlotState.FAILED;
            detail = "withdrawn without its state: " + Occupant.sentence(e);
            gate.refuse();
            face.failed();
            steps.done("failed", detail);
        }
        old.attachment().disconnect();
        face.disconnect();
        occupant = null;
        old.discard();
    }

    /** The vacancy's bound has passed: what is gone is gone, and the guest reads all ones. */
    void expireVacancy(int expired) {
        control.post(
                "end of vacancy",
                () -> {
                    if (state == SlotState.VACANT && vacancy == expired) {
                        gate.refuse();
                        parked = Optional.empty();
                        dropFace();
                        environment.regions().release();
                        environment.lines().release();
                        state = SlotState.WAITING;
                        history.add("removed", "no bundle came back; surprise removal");
                    }
                });
    }

    /** The driver's or the machine's reset, with every processor halted. */
    void reset() throws MachineException {
        control.callAction("reset", this::doReset);
    }

    private void doReset() throws InterruptedException {
        Occupant now = occupant;
        if (now != null) {
            try {
                now.drain();
                closeGate();
                now.device().reset();
            } catch (DeviceException | RuntimeException | Error e) {
                doFail(e);
            }
        }
        if (face != null) {
            face.reset();
        }
        if (state == SlotState.RUNNING) {
            gate.open();
            resumeAfterReset(now.device());
        }
        history.add("reset", "");
    }

    /** What the drain before the reset stopped, taking console input for one, goes on. */
    private void resumeAfterReset(Device device) throws InterruptedException {
        try {
            device.resume();
        } catch (RuntimeException | Error e) {
            doFail(e);
        }
    }

    /** Unplugs: everything the slot and its device hold is given back. */
    void close() throws MachineException {
        try {
            control.callAction("unplug", this::doClose);
        } finally {
            control.close();
        }
    }

    private void doClose() throws InterruptedException {
        Occupant now = occupant;
        if (now != null) {
            try {
                now.drain();
            } catch (DeviceException | RuntimeException | Error e) {
                history.add("unplug", Occupant.sentence(e));
            }
        }
        emptyGate();
        gate.refuse();
        occupant = null;
        if (now != null) {
            now.attachment().disconnect();
            if (face != null) {
                face.disconnect();
            }
            now.discard();
        }
        dropFace();
        leases.close();
        state = SlotState.CLOSED;
        history.add("unplugged", "");
    }

    private void dropFace() {
        if (face != null) {
            face.close();
            face = null;
        }
    }

    /** A device threw, on any thread: the slot fails, everything else goes on. */
    private void failed(Throwable cause) {
        control.post("fail", () -> doFail(cause));
    }

    private void doFail(Throwable cause) throws InterruptedException {
        Occupant now = occupant;
        if (now == null) {
            return;
        }
        LOG.log(Level.ERROR, () -> "The device in '%s' failed.".formatted(spec().name()), cause);
        gate.refuse();
        emptyGate();
        gate.refuse();
        state = SlotState.FAILED;
        detail = Occupant.sentence(cause);
        history.add("failed", detail);
        now.attachment().disconnect();
        face.disconnect();
        face.failed();
        occupant = null;
        now.discard();
    }

    private void closeGate() throws InterruptedException, DeviceException {
        if (!gate.close(SlotGear.DRAIN_BOUND)) {
            LOG.log(
                    Level.WARNING,
                    () -> "%s: still inside:\n%s".formatted(spec().name(), gate.insiders()));
            throw new DeviceException(
                    "a thread did not leave the device within %d s; its stack is in the log"
                            .formatted(SlotGear.DRAIN_BOUND.toSeconds()));
        }
    }

    private void emptyGate() throws InterruptedException {
        if (!gate.close(SlotGear.DRAIN_BOUND)) {
            LOG.log(
                    Level.WARNING,
                    () -> "%s: left inside:\n%s".formatted(spec().name(), gate.insiders()));
            history.add("stuck", "a thread did not leave the device; its stack is in the log");
        }
    }

    /** A sentence that names the slot, as those of most devices do. */
    private String named(String sentence) {
        String slot = "Slot '%s': ".formatted(spec().name());
        return sentence.startsWith(slot) ? sentence : slot + sentence;
    }

    private void refuseMismatch(Occupant fresh) throws DeviceException {
        Optional<String> mismatch = face.mismatch(fresh.device());
        if (mismatch.isPresent()) {
            throw new DeviceException(mismatch.get());
        }
    }

    /** What firmware has to say of it, if it is a platform device. */
    Optional<PlatformDevice> platformDevice() {
        Occupant now = occupant;
        return now == null || now.attachment().node() == null
                ? Optional.empty()
                : Optional.of(
                        new PlatformDevice(
                                spec().name(),
                                now.attachment().node(),
                                environment.regions().leases().stream()
                                        .map(RegionLease::range)
                                        .toList(),
                                environment.lines().sources()));
    }

    void timeStarted() {
        environment.events().timeStarted();
    }

    List<HistoryEntry> history() {
        return history.entries();
    }

    public SlotReport report() {
        Occupant now = occupant;
        Face seen = face;
        String address =
                Optional.ofNullable(seen)
                        .flatMap(Face::function)
                        .map(function -> "00:%02x.0".formatted(function.device()))
                        .orElse("");
        return new SlotReport(
                spec().name(),
                spec().kind(),
                state,
                spec().source(),
                spec().settings(),
                now == null ? "" : now.offer().bundle().getSymbolicName(),
                now == null ? "" : now.offer().bundle().getVersion().toString(),
                now == null ? -1 : now.offer().bundle().getBundleId(),
                address,
                detail);
    }

    SlotInspection inspect() {
        Occupant now = occupant;
        Face seen = face;
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("gate", gate.toString());
        if (!environment.lines().sources().isEmpty()) {
            facts.put("interrupt lines", environment.lines().sources().toString());
        }
        if (seen != null) {
            facts.putAll(seen.facts());
        }
        List<String> held = new ArrayList<>(leases.names());
        if (now != null) {
            held.addAll(now.attachment().leaseNames());
        }
        List<AddressMap.Region> regions =
                gear.board().bus().regions().stream()
                        .filter(region -> owns(region.owner()))
                        .map(AddressMap.Region::of)
                        .toList();
        return new SlotInspection(report(), facts, regions, held);
    }

    private boolean owns(String owner) {
        return owner.equals(spec().name()) || owner.startsWith(spec().name() + " ");
    }

    /** Whether the guest has let go of the device. */
    public boolean released() {
        Face seen = face;
        return seen == null || seen.released();
    }
}
