package org.backplane.machine.slot;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.backplane.bus.ClaimException;
import org.backplane.device.DeviceException;
import org.backplane.device.state.SavedState;
import org.backplane.machine.MachineException;
import org.backplane.machine.SlotState;
import org.backplane.machine.slot.Factories.Code;
import org.backplane.machine.slot.Factories.Offer;
import org.backplane.machine.slot.Tenancy.Probation;

/**
 * How one device follows another in a slot, as asked: filling, swapping, leaving in place, plugging
 * anew, unplugging. Everything here runs on the slot's control thread.
 */
final class Succession {
    private final SlotGear gear;
    private final Tenancy tenancy;
    private final Failures failures;
    private final Gate gate;
    private final History history;

    /** Since when the slot is vacant, if its device left in place. */
    private Optional<History.Steps> absence = Optional.empty();

    /**
     * What a swap was like.
     *
     * @param pause from closing the gate to opening it
     * @param drained requests that were under way when the old device was asked to rest
     * @param stateSize in bytes
     */
    record Passage(Duration pause, int drained, long stateSize) {
        static final Passage NONE = new Passage(Duration.ZERO, 0, 0);
    }

    Succession(SlotGear gear, Tenancy tenancy, Failures failures) {
        this.gear = gear;
        this.tenancy = tenancy;
        this.failures = failures;
        gate = gear.gate();
        history = gear.history();
    }

    /**
     * Puts the first device in, or one after a vacancy or a failure.
     *
     * @param force lets it begin without a state, if it refuses what there is
     */
    void fill(Offer offer, boolean force) throws MachineException, InterruptedException {
        History.Steps steps = history.steps();
        Optional<Code> vacated =
                tenancy.state() == SlotState.VACANT ? tenancy.left() : Optional.empty();
        List<Optional<SavedState>> states = new ArrayList<>(List.of(tenancy.parked()));
        if (tenancy.spare().isPresent()) {
            states.add(tenancy.spare());
        }
        if (force && tenancy.parked().isPresent()) {
            states.add(Optional.empty());
        }
        Optional<SavedState> taken;
        try {
            taken = tenancy.install(offer, states, steps);
        } catch (DeviceException | ClaimException | RuntimeException | Error e) {
            String reason = Occupant.sentence(e);
            steps.done("refused", reason);
            if (vacated.isPresent()) {
                // The guest is parked still, and the code that it knows can be had again.
                tenancy.expectBack(Optional.empty());
                tenancy.heirs().failed(offer.code());
                tenancy.heirs().comeBack(vacated.get());
            } else {
                tenancy.beFailed(reason, Optional.empty());
                if (tenancy.face() == null) {
                    tenancy.endDevices();
                }
            }
            throw new MachineException("%s: %s".formatted(gear.spec().source(), named(reason)), e);
        }
        if (vacated.isPresent()) {
            // Whose bundle was stopped or updated: a copy of what it was can come back.
            tenancy.onProbation(vacated.get(), Optional.empty(), taken);
            absence.ifPresent(since -> since.ended("back", "pause from gate closed to open"));
        }
        absence = Optional.empty();
        tenancy.leaveNothing();
        tenancy.expectBack(Optional.empty());
    }

    /**
     * Replaces the device's code, beside road; the guest loses nothing, whatever happens.
     *
     * @param force cuts a device off that does not come to rest, or cannot tell its state: its
     *     requests are presented again to the next; and lets code that refuses the state begin
     *     without one
     */
    Passage swap(Offer next, boolean force) throws MachineException, InterruptedException {
        switch (tenancy.state()) {
            case RUNNING:
                return replace(next, force);
            case FAILED, VACANT, WAITING:
                fill(next, force);
                return Passage.NONE;
            default:
                throw new MachineException(
                        "The slot '%s' is %s and cannot be swapped."
                                .formatted(gear.name(), tenancy.state()));
        }
    }

    private Passage replace(Offer next, boolean force)
            throws MachineException, InterruptedException {
        Occupant old = tenancy.occupant();
        History.Steps steps = history.steps();
        Occupant fresh = null;
        boolean quiesced = false;
        boolean cut = false;
        boolean atRest = true;
        Passage passage;
        Optional<SavedState> saved;
        try {
            // Before the pause: the new code is loaded and judged while the old one still serves.
            fresh = tenancy.create(next);
            tenancy.refuseMismatch(fresh);
            if (!force) {
                old.refuseUnsavable();
            }
            steps.done("create", next.toString());
            tenancy.beSwapping();
            quiesced = true;
            int underWay = tenancy.face().outstanding();
            atRest = tenancy.rest(old, force);
            int left = tenancy.face().outstanding();
            steps.note("quiesce", drained(underWay, left));
            History.Steps pause = history.steps();
            atRest &= tenancy.shut(force);
            saved = tenancy.saved(old, force);
            steps.note("save", saved.map(Succession::sized).orElse("stateless"));
            fresh = started(fresh, saved, force);
            steps.note("start", saved.map(SavedState::schema).orElse(""));
            cut = true;
            old.disconnect(tenancy.face());
            if (!atRest) {
                tenancy.face().cutOff();
            }
            // Also of a device that said it was at rest: what it has not completed, it never will.
            tenancy.face().presentAgain();
            gate.changeOver();
            fresh.connect(tenancy.face(), true);
            tenancy.occupy(fresh, tenancy.face());
            gate.open();
            Duration paused = pause.elapsed();
            tenancy.face().kick();
            steps.tell();
            history.add("open", paused, "pause from gate closed to open");
            passage = new Passage(paused, underWay - left, saved.map(SavedState::size).orElse(0L));
        } catch (DeviceException | InterruptedException | RuntimeException | Error e) {
            String reason = Occupant.sentence(e);
            rollBack(old, fresh, quiesced, cut, !atRest);
            steps.ended("rolled back", reason);
            if (e instanceof InterruptedException interrupt) {
                throw interrupt;
            }
            throw new MachineException(
                    "The swap of '%s' to %s was rolled back: %s"
                            .formatted(gear.name(), next, reason),
                    e);
        }
        Probation before = tenancy.probation();
        tenancy.onProbation(old.offer().code(), Optional.of(old.offer()), saved);
        old.discard();
        if (before != null && !before.before().equals(next.code())) {
            tenancy.heirs().unused(before.before());
        }
        steps.ended("swapped", "%s -> %s".formatted(old.offer(), next));
        return passage;
    }

    /** Starts a device with a state; if it refuses and is forced, another of its kind without. */
    private Occupant started(Occupant fresh, Optional<SavedState> from, boolean force)
            throws DeviceException, InterruptedException {
        try {
            fresh.start(from, tenancy.face(), tenancy.linkUp());
            return fresh;
        } catch (DeviceException e) {
            if (!force || from.isEmpty()) {
                throw e;
            }
            history.add("refused", "it begins without the state: " + e.getMessage());
        }
        Occupant blank = tenancy.create(fresh.offer());
        boolean done = false;
        try {
            tenancy.refuseMismatch(blank);
            blank.start(Optional.empty(), tenancy.face(), tenancy.linkUp());
            done = true;
        } finally {
            // Who calls discards the first where the second fails.
            (done ? fresh : blank).discard();
        }
        return blank;
    }

    private static String drained(int underWay, int left) {
        String done = "%d requests drained".formatted(Math.max(0, underWay - left));
        return left == 0 ? done : done + ", %d are presented again".formatted(left);
    }

    private static String sized(SavedState saved) {
        return "%s, %d bytes".formatted(saved.schema(), saved.size());
    }

    /**
     * @param cut whether the face was taken from the old device
     * @param renewed whether it has to be given other queues, because it was cut off
     */
    private void rollBack(
            Occupant old, Occupant fresh, boolean quiesced, boolean cut, boolean renewed)
            throws InterruptedException {
        DeviceException failure = null;
        try {
            if (cut) {
                fresh.disconnect(tenancy.face());
                gate.changeOver();
                old.connect(tenancy.face(), renewed);
            }
        } catch (DeviceException e) {
            failure = e;
        }
        tenancy.occupy(old, tenancy.face());
        gate.open();
        try {
            if (quiesced) {
                old.resume();
                tenancy.face().kick();
            }
        } catch (DeviceException e) {
            failure = e;
        }
        if (fresh != null) {
            fresh.discard();
        }
        if (failure != null) {
            failures.fail(failure, gate.generation());
        }
    }

    /**
     * Surprise removal, then plugging: what the guest saw goes with the device. Should the new code
     * refuse, the code before is plugged again.
     */
    void replug(Offer next) throws MachineException, InterruptedException {
        Occupant old = tenancy.occupant();
        remove();
        history.add("removed", "to be plugged again");
        try {
            fill(next, false);
        } catch (MachineException e) {
            if (old != null && !old.offer().equals(next)) {
                fill(old.offer(), false);
            }
            throw e;
        }
        if (old != null && !old.offer().equals(next)) {
            tenancy.heirs().unused(old.offer().code());
        }
    }

    /** Everything of the device goes, and what the guest sees of it. */
    private void remove() throws InterruptedException {
        Occupant now = tenancy.occupant();
        tenancy.endProbation();
        try {
            boolean clean = now == null || tenancy.rest(now, true);
            clean &= tenancy.shut(true);
            gate.refuse();
            if (now != null) {
                tenancy.cut(now, clean);
            }
        } catch (DeviceException e) {
            throw new IllegalStateException("a forced operation refused", e);
        }
        tenancy.beEmpty();
    }

    /**
     * In-place road: the offer is about to go. Drains and saves while its code still works, and
     * leaves the slot parked for the next.
     *
     * @return the vacancy, for {@link #expireVacancy}; or -1
     */
    int vacate(Offer leaving) throws InterruptedException {
        Occupant old = tenancy.occupant();
        if (old == null || old.offer() != leaving) {
            return -1;
        }
        History.Steps steps = history.steps();
        int underWay = tenancy.face().outstanding();
        try {
            old.refuseUnsavable();
        } catch (DeviceException e) {
            failures.fail(e, gate.generation());
            return -1;
        }
        // Before the slot is empty, and before the probation ends: a bundle that is updated twice
        // in a row is the code before too, and would be taken for unused.
        tenancy.expectBack(Optional.of(leaving.code()));
        try {
            boolean clean = tenancy.rest(old, true);
            steps.note("quiesce", drained(underWay, tenancy.face().outstanding()));
            absence = Optional.of(history.steps());
            clean &= tenancy.shut(true);
            tenancy.leave(tenancy.takeOut(old, clean), Optional.empty());
        } catch (DeviceException e) {
            throw new IllegalStateException("a forced operation refused", e);
        }
        tenancy.endProbation();
        tenancy.beVacant(leaving.code(), "%s was withdrawn".formatted(leaving));
        steps.done("vacant", tenancy.parked().map(Succession::sized).orElse("stateless"));
        return tenancy.vacancy();
    }

    /** The vacancy's bound has passed: what is gone is gone, and the guest reads all ones. */
    void expireVacancy(int expired) {
        if (tenancy.state() != SlotState.VACANT || tenancy.vacancy() != expired) {
            return;
        }
        // Nothing replaced the code: its bundle stays as it is, and may be started later.
        tenancy.expectBack(Optional.empty());
        tenancy.beEmpty();
        history.add("removed", "no bundle came back; surprise removal");
    }

    /** Takes the link of the slot's device down or up; the slot remembers it for the next. */
    void link(boolean up) throws MachineException, InterruptedException {
        Occupant now = tenancy.occupant();
        if (now == null) {
            throw new MachineException(
                    "The slot '%s' is %s: there is no device whose link could be changed."
                            .formatted(gear.name(), tenancy.state()));
        }
        if (!now.hasLink()) {
            throw new MachineException(
                    "The slot '%s' has no link: its kind is %s."
                            .formatted(gear.name(), gear.spec().kind()));
        }
        tenancy.beLinked(up);
        try {
            now.link(up);
            history.add(up ? "link up" : "link down", "");
        } catch (DeviceException e) {
            failures.fail(e, gate.generation());
            throw new MachineException(named(e.getMessage()), e);
        }
    }

    /**
     * Presses the power button of the slot's device.
     *
     * @return whether it has one
     */
    boolean press() throws MachineException, InterruptedException {
        Occupant now = tenancy.occupant();
        if (now == null || !now.hasPowerButton()) {
            return false;
        }
        try {
            now.press();
        } catch (DeviceException e) {
            failures.fail(e, gate.generation());
            throw new MachineException(named(e.getMessage()), e);
        }
        history.add("power button", "");
        return true;
    }

    /** The driver's or the machine's reset, with every processor halted. */
    void reset() throws InterruptedException {
        DeviceException failure = null;
        try {
            tenancy.drainAndReset();
        } catch (DeviceException e) {
            failure = e;
        }
        if (tenancy.face() != null) {
            tenancy.face().reset();
        }
        if (failure != null) {
            // After the face: whoever takes over finds a driver that has yet to begin.
            failures.fail(failure, gate.generation());
        }
        if (tenancy.occupant() == null) {
            tenancy.endDevices();
        }
        if (tenancy.state() == SlotState.RUNNING) {
            gate.open();
            try {
                // What the drain before the reset stopped, taking console input for one, goes on.
                tenancy.occupant().resume();
            } catch (DeviceException e) {
                failures.fail(e, gate.generation());
            }
        }
        history.add("reset", "");
    }

    /** The guest took the function's link down: as if power had been off, and may be on again. */
    void linkLost() throws InterruptedException {
        Face seen = tenancy.face();
        if (seen != null) {
            reset();
            seen.place().ifPresent(PciPlace::recovered);
        }
    }

    /** Everything but the slot's own leases is given back. */
    void close() throws InterruptedException {
        remove();
        tenancy.beClosed();
    }

    /** A sentence that names the slot, as those of most devices do. */
    private String named(String sentence) {
        String slot = "Slot '%s': ".formatted(gear.name());
        return sentence.startsWith(slot) ? sentence : slot + sentence;
    }
}
