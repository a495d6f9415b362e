package org.backplane.machine.slot;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.backplane.bus.ClaimException;
import org.backplane.device.DeviceException;
import org.backplane.device.state.SavedState;
import org.backplane.machine.MachineException;
import org.backplane.machine.SlotState;
import org.backplane.machine.processor.MachineThread;
import org.backplane.machine.slot.Factories.Code;
import org.backplane.machine.slot.Factories.Offer;
import org.osgi.framework.Bundle;

/**
 * How one device follows another in a slot. Everything here runs on the slot's control thread; what
 * reports ask for is volatile.
 *
 * <p>One class, because every procedure is a path through the same few fields: who is in, what the
 * guest sees, what the last one left, and who could come back.
 */
final class Succession {
    private static final Logger LOG = System.getLogger(Succession.class.getName());

    /** For threads inside beside one that is stuck: they leave in time, or are stuck too. */
    private static final Duration OTHERS_BOUND = Duration.ofMillis(100);

    private final SlotGear gear;
    private final SlotEnvironment environment;
    private final Heirs heirs;
    private final Gate gate;
    private final History history;

    private volatile SlotState state = SlotState.WAITING;
    private volatile String detail;
    private volatile Occupant occupant;
    private volatile Face face;
    private volatile Probation probation;

    private int probations;

    /** Counts vacancies, so that the end of an earlier one does not end a later. */
    private int vacancy;

    /** What a device that left has saved for the next. */
    private Optional<SavedState> parked = Optional.empty();

    /** What code that refuses {@link #parked} begins with: the device before had handed it over. */
    private Optional<SavedState> spare = Optional.empty();

    /** Whether what is left for the next, or will be, is from before a reset. */
    private boolean resetMissed;

    /** The code that left a vacancy, as long as it may come back. */
    private volatile Optional<Code> left = Optional.empty();

    /** When the vacancy began, on {@link System#nanoTime}. */
    private long vacantSince;

    /** What the succession asks of those around the slot; each only posts. */
    interface Heirs {
        /** Probation began; {@link #endProbation} is to be called when it is over. */
        void probationBegan(int begun);

        /** A vacancy began, and was not awaited by a caller who times it. */
        void vacancyBegan(int begun);

        /** The slot neither runs the code nor can come back to it. */
        void unused(Code code);

        /** The slot needs code that was taken away: its copy is to be installed and started. */
        void comeBack(Code gone);
    }

    /**
     * A swap that can still be undone.
     *
     * @param before the code that ran until then
     * @param standby offers it, if it is still installed; else its copy has to be
     * @param state what it handed over: good for nothing better than to start anew
     */
    record Probation(
            int number, Code before, Optional<Offer> standby, Optional<SavedState> state) {}

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

    Succession(SlotGear gear, SlotEnvironment environment, Heirs heirs) {
        this.gear = gear;
        this.environment = environment;
        this.heirs = heirs;
        gate = gear.gate();
        history = gear.history();
        detail = "no bundle offers the kind '%s'".formatted(gear.spec().kind());
    }

    SlotState state() {
        return state;
    }

    String detail() {
        Probation now = probation;
        return now == null ? detail : "on probation, %s stands by".formatted(now.before);
    }

    /** Null if nobody is in. */
    Occupant occupant() {
        return occupant;
    }

    /** Null if the guest sees nothing. */
    Face face() {
        return face;
    }

    /** The code that left a vacancy, as long as it may come back. */
    Optional<Code> left() {
        return left;
    }

    /** Null if nothing can be undone. */
    Probation probation() {
        return probation;
    }

    /**
     * Puts the first device in, or one after a vacancy or a failure.
     *
     * @param force lets it begin without a state, if it refuses what there is
     */
    void fill(Offer offer, boolean force) throws MachineException, InterruptedException {
        History.Steps steps = history.steps();
        Optional<Code> vacated = state == SlotState.VACANT ? left : Optional.empty();
        List<Optional<SavedState>> states = new ArrayList<>(List.of(parked));
        if (spare.isPresent()) {
            states.add(spare);
        }
        if (force && parked.isPresent()) {
            states.add(Optional.empty());
        }
        Optional<SavedState> taken;
        try {
            taken = install(offer, states, steps);
        } catch (DeviceException | ClaimException | RuntimeException | Error e) {
            String reason = Occupant.sentence(e);
            steps.done("refused", reason);
            if (vacated.isPresent()) {
                // The guest is parked still, and the code that it knows can be had again.
                left = Optional.empty();
                heirs.comeBack(vacated.get());
            } else {
                beFailed(reason);
            }
            throw new MachineException("%s: %s".formatted(gear.spec().source(), named(reason)), e);
        }
        if (vacated.filter(gone -> gone.bundle().equals(offer.bundle())).isPresent()) {
            // The same bundle with other code, or the same: what it was before can be had again.
            onProbation(vacated.get(), Optional.empty(), taken);
        } else {
            vacated.ifPresent(heirs::unused);
        }
        leaveNothing();
        left = Optional.empty();
    }

    private void leave(Optional<SavedState> state, Optional<SavedState> otherwise) {
        parked = state;
        spare = otherwise;
    }

    private void leaveNothing() {
        leave(Optional.empty(), Optional.empty());
    }

    /**
     * Installs with the first of the states that the code takes.
     *
     * @return which
     */
    private Optional<SavedState> install(
            Offer offer, List<Optional<SavedState>> states, History.Steps steps)
            throws DeviceException, ClaimException, InterruptedException {
        List<Optional<SavedState>> all = states.stream().distinct().toList();
        for (Optional<SavedState> each : all.subList(0, all.size() - 1)) {
            try {
                install(offer, each, steps);
                return each;
            } catch (DeviceException refusal) {
                steps.done("refused", refusal.getMessage());
            }
        }
        Optional<SavedState> last = all.get(all.size() - 1);
        install(offer, last, steps);
        return last;
    }

    /** Makes a device and lets the guest in to it; if that fails, nothing of it is left. */
    private void install(Offer offer, Optional<SavedState> from, History.Steps steps)
            throws DeviceException, ClaimException, InterruptedException {
        Occupant fresh = Occupant.create(offer, gear, environment);
        Face made = null;
        boolean done = false;
        try {
            if (face == null) {
                made = Face.of(gear, fresh.device(), this::drainAndReset);
            } else {
                refuseMismatch(fresh);
            }
            steps.note("create", offer.toString());
            fresh.start(from);
            from.ifPresent(saved -> steps.note("restore", saved.schema()));
            if (resetMissed && from.isPresent()) {
                fresh.reset();
                steps.note("reset", "the device before has not seen it");
            }
            Face target = made == null ? face : made;
            target.presentAgain();
            gate.changeOver();
            fresh.connect(target, true);
            face = target;
            occupant = fresh;
            resetMissed = false;
            state = SlotState.RUNNING;
            detail = "";
            gate.open();
            target.kick();
            steps.done("open", "");
            done = true;
        } finally {
            if (!done) {
                if (face != null) {
                    fresh.disconnect(face);
                }
                fresh.discard();
                if (made != null) {
                    made.close();
                }
            }
        }
    }

    /**
     * Replaces the device's code, beside road; the guest loses nothing, whatever happens.
     *
     * @param force cuts a device off that does not come to rest, or cannot tell its state: its
     *     requests are presented again to the next; and lets code that refuses the state begin
     *     without one
     */
    Passage swap(Offer next, boolean force) throws MachineException, InterruptedException {
        switch (state) {
            case RUNNING:
                return replace(next, force);
            case FAILED, VACANT, WAITING:
                fill(next, force);
                return Passage.NONE;
            default:
                throw new MachineException(
                        "The slot '%s' is %s and cannot be swapped.".formatted(gear.name(), state));
        }
    }

    private Passage replace(Offer next, boolean force)
            throws MachineException, InterruptedException {
        Occupant old = occupant;
        History.Steps steps = history.steps();
        Occupant fresh = null;
        boolean quiesced = false;
        boolean cut = false;
        boolean atRest = true;
        Passage passage;
        Optional<SavedState> saved;
        try {
            // Before the pause: the new code is loaded and judged while the old one still serves.
            fresh = Occupant.create(next, gear, environment);
            refuseMismatch(fresh);
            if (!force) {
                old.refuseUnsavable();
            }
            steps.done("create", next.toString());
            state = SlotState.SWAPPING;
            quiesced = true;
            int underWay = face.outstanding();
            atRest = rest(old, force);
            steps.note("quiesce", "%d requests drained".formatted(underWay));
            History.Steps pause = history.steps();
            atRest &= shut(force);
            saved = saved(old, force);
            steps.note("save", saved.map(Succession::sized).orElse("stateless"));
            fresh = started(fresh, saved, force);
            steps.note("start", saved.map(SavedState::schema).orElse(""));
            cut = true;
            old.disconnect(face);
            if (!atRest) {
                face.cutOff();
                face.presentAgain();
            }
            gate.changeOver();
            fresh.connect(face, true);
            occupant = fresh;
            resetMissed = false;
            state = SlotState.RUNNING;
            gate.open();
            Duration paused = pause.elapsed();
            face.kick();
            steps.tell();
            history.add("open", paused, "pause from gate closed to open");
            passage = new Passage(paused, underWay, saved.map(SavedState::size).orElse(0L));
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
        Probation before = probation;
        onProbation(old.offer().code(), Optional.of(old.offer()), saved);
        old.discard();
        if (before != null && !before.before.equals(next.code())) {
            heirs.unused(before.before);
        }
        steps.ended("swapped", "%s -> %s".formatted(old.offer(), next));
        return passage;
    }

    /** Starts a device with a state; if it refuses and is forced, another of its kind without. */
    private Occupant started(Occupant fresh, Optional<SavedState> from, boolean force)
            throws DeviceException, InterruptedException {
        try {
            fresh.start(from);
            return fresh;
        } catch (DeviceException e) {
            if (!force || from.isEmpty()) {
                throw e;
            }
            history.add("refused", "it begins without the state: " + e.getMessage());
        }
        Occupant blank = Occupant.create(fresh.offer(), gear, environment);
        boolean done = false;
        try {
            refuseMismatch(blank);
            blank.start(Optional.empty());
            done = true;
        } finally {
            // Who calls discards the first where the second fails.
            (done ? fresh : blank).discard();
        }
        return blank;
    }

    private static String sized(SavedState saved) {
        return "%s, %d bytes".formatted(saved.schema(), saved.size());
    }

    /** Brings the device to rest; false if it does not and that is not asked for. */
    private boolean rest(Occupant old, boolean force) throws DeviceException, InterruptedException {
        try {
            old.drain();
            return true;
        } catch (DeviceException e) {
            if (!force) {
                throw new DeviceException(
                        "%s; vm:swap --force cuts it off".formatted(e.getMessage()), e);
            }
            history.add("cut off", e.getMessage());
            return false;
        }
    }

    /** Closes the gate; false if threads stayed inside and were replaced. */
    private boolean shut(boolean force) throws DeviceException, InterruptedException {
        return shut(force, gear.bounds().call());
    }

    private boolean shut(boolean force, Duration bound)
            throws DeviceException, InterruptedException {
        if (gate.close(bound)) {
            return true;
        }
        String stacks = gate.insiders();
        LOG.log(Level.WARNING, () -> "%s: still inside:\n%s".formatted(gear.name(), stacks));
        if (!force) {
            throw new DeviceException(
                    "a thread did not leave the device within %s; its stack is in the log"
                            .formatted(Bounds.text(bound)));
        }
        for (MachineThread orphan : gate.abandon()) {
            history.add(
                    "stuck",
                    "%s did not leave the device, another has its place"
                            .formatted(orphan.getName()));
        }
        return false;
    }

    private Optional<SavedState> saved(Occupant old, boolean force)
            throws DeviceException, InterruptedException {
        try {
            return old.save();
        } catch (DeviceException e) {
            if (!force) {
                throw e;
            }
            history.add("not saved", e.getMessage());
            return Optional.empty();
        }
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
                fresh.disconnect(face);
                gate.changeOver();
                old.connect(face, renewed);
            }
        } catch (DeviceException e) {
            failure = e;
        }
        occupant = old;
        state = SlotState.RUNNING;
        gate.open();
        try {
            if (quiesced) {
                old.resume();
                face.kick();
            }
        } catch (DeviceException e) {
            failure = e;
        }
        if (fresh != null) {
            fresh.discard();
        }
        if (failure != null) {
            fail(failure, gate.generation());
        }
    }

    /**
     * Surprise removal, then plugging: what the guest saw goes with the device. Should the new code
     * refuse, the code before is plugged again.
     */
    void replug(Offer next) throws MachineException, InterruptedException {
        Occupant old = occupant;
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
            heirs.unused(old.offer().code());
        }
    }

    /** Everything of the device goes, and what the guest sees of it. */
    private void remove() throws InterruptedException {
        Occupant now = occupant;
        endProbation(probations);
        try {
            boolean clean = now == null || rest(now, true);
            clean &= shut(true);
            gate.refuse();
            if (now != null) {
                now.disconnect(face);
                if (!clean) {
                    face.cutOff();
                }
                occupant = null;
                now.discard();
            }
        } catch (DeviceException e) {
            throw new IllegalStateException("a forced operation refused", e);
        }
        beEmpty();
    }

    /** The guest reads all ones, and the addresses and lines are given back. */
    private void beEmpty() {
        gate.refuse();
        leaveNothing();
        left.ifPresent(heirs::unused);
        left = Optional.empty();
        if (face != null) {
            face.close();
            face = null;
        }
        environment.regions().release();
        environment.lines().release();
        state = SlotState.WAITING;
    }

    private void onProbation(Code before, Optional<Offer> standby, Optional<SavedState> state) {
        probations++;
        probation = new Probation(probations, before, standby, state);
        heirs.probationBegan(probations);
    }

    /** The new code has proved itself, or so long nothing was seen of the contrary. */
    void endProbation(int begun) {
        Probation now = probation;
        if (now != null && now.number == begun) {
            probation = null;
            history.add("accepted", "%s is not kept any more".formatted(now.before));
            heirs.unused(now.before);
        }
    }

    /** An offer went that a swap could have been undone with. */
    void forget(Offer gone) {
        Probation now = probation;
        if (now != null && now.standby.filter(offer -> offer == gone).isPresent()) {
            probation = null;
        }
    }

    /**
     * In-place road: the offer is about to go. Drains and saves while its code still works, and
     * leaves the slot parked for the next.
     *
     * @return the vacancy, for {@link #expireVacancy}; or -1
     */
    int vacate(Offer leaving) throws InterruptedException {
        Occupant old = occupant;
        if (old == null || old.offer() != leaving) {
            return -1;
        }
        History.Steps steps = history.steps();
        try {
            old.refuseUnsavable();
        } catch (DeviceException e) {
            fail(e, gate.generation());
            return -1;
        }
        // Before the slot is empty, and before the probation ends: a bundle that is updated twice
        // in a row is the code before too, and would be taken for unused.
        left = Optional.of(leaving.code());
        try {
            boolean clean = rest(old, true);
            clean &= shut(true);
            leave(takeOut(old, clean), Optional.empty());
        } catch (DeviceException e) {
            throw new IllegalStateException("a forced operation refused", e);
        }
        endProbation(probations);
        beVacant(leaving.code(), "%s was withdrawn".formatted(leaving));
        steps.done("vacant", parked.map(Succession::sized).orElse("stateless"));
        return vacancy;
    }

    private void beVacant(Code gone, String reason) {
        vacancy++;
        vacantSince = System.nanoTime();
        left = Optional.of(gone);
        state = SlotState.VACANT;
        detail = reason;
    }

    /** Saves what can be, and takes the device out; behind the closed gate, nobody inside. */
    private Optional<SavedState> takeOut(Occupant old, boolean clean)
            throws DeviceException, InterruptedException {
        Optional<SavedState> saved = saved(old, true);
        old.disconnect(face);
        if (!clean) {
            face.cutOff();
        }
        occupant = null;
        old.discard();
        return saved;
    }

    /**
     * Has the code come back that left the vacancy, if it was the bundle's and nothing came.
     *
     * @param updated when, on {@link System#nanoTime}: a vacancy that began later is the next
     *     update's, which is under way
     */
    void comeBack(Bundle bundle, long updated) {
        if (vacantSince - updated <= 0) {
            comeBack(bundle);
        }
    }

    private void comeBack(Bundle bundle) {
        if (state == SlotState.VACANT
                && left.filter(gone -> gone.bundle().equals(bundle)).isPresent()) {
            Code gone = left.get();
            left = Optional.empty();
            history.add("comes back", gone.toString());
            heirs.comeBack(gone);
        }
    }

    /** The vacancy's bound has passed: what is gone is gone, and the guest reads all ones. */
    void expireVacancy(int expired) {
        if (state != SlotState.VACANT || vacancy != expired) {
            return;
        }
        // Nothing replaced the code: its bundle stays as it is, and may be started later.
        left = Optional.empty();
        beEmpty();
        history.add("removed", "no bundle came back; surprise removal");
    }

    /**
     * Brings the slot to rest, for a snapshot, and tells everything about it; it stays so until
     * {@link #goOn}, whatever this returns. A device without a state of its own need not be idle:
     * the requests that it has not finished are in the face's ledger.
     *
     * @param wanted the slot as it would be asked for now
     */
    SavedSlot standStill(SlotSpec wanted) throws MachineException, InterruptedException {
        Occupant now = occupant;
        try {
            Optional<SavedState> device = parked;
            if (now != null) {
                boolean stateless = now.stateless();
                boolean idle = rest(now, stateless);
                shut(false);
                device = idle ? now.save() : Optional.empty();
            }
            return SavedSlot.of(
                    wanted,
                    now == null ? "" : now.offer().identity(),
                    state,
                    detail,
                    Optional.ofNullable(face),
                    environment,
                    device);
        } catch (DeviceException e) {
            throw unsavable(e);
        }
    }

    /** Tells what makes a snapshot impossible, before anything is brought to rest for it. */
    void refuseUnsavable() throws MachineException, InterruptedException {
        try {
            if (occupant != null) {
                occupant.refuseUnsavable();
            }
        } catch (DeviceException e) {
            throw unsavable(e);
        }
    }

    private MachineException unsavable(DeviceException e) {
        return new MachineException(
                "The slot '%s' cannot be saved: %s.".formatted(gear.name(), e.getMessage()), e);
    }

    /** Ends the rest of {@link #standStill}. */
    void goOn() throws InterruptedException {
        Occupant now = occupant;
        if (now == null) {
            return;
        }
        gate.open();
        try {
            now.resume();
            face.kick();
        } catch (DeviceException e) {
            fail(e, gate.generation());
        }
    }

    /**
     * Makes a slot that nobody was in what it was; nobody is let in before {@link #letIn}.
     *
     * @throws MachineException the device refuses the state; nothing of it is left
     */
    void restore(Offer offer, SavedSlot saved) throws MachineException, InterruptedException {
        History.Steps steps = history.steps();
        Occupant fresh = null;
        Face made = null;
        boolean done = false;
        try {
            shut(false);
            environment.regions().restore(saved.places());
            environment.lines().restore(saved.lines());
            fresh = Occupant.create(offer, gear, environment);
            made = Face.unplaced(gear, fresh.device(), this::drainAndReset, saved.pciDevice());
            if (saved.face().isPresent()) {
                made.restore(saved.face().get());
            }
            if (saved.condition() == SavedSlot.Condition.FAILED) {
                // It was only needed to know the shape of what the guest sees.
                fresh.discard();
                leave(saved.device(), Optional.empty());
                state = SlotState.FAILED;
                detail = saved.detail();
                gate.refuse();
            } else {
                fresh.start(saved.device());
                made.presentAgain();
                gate.changeOver();
                fresh.connect(made, true);
                occupant = fresh;
                state = SlotState.RUNNING;
                detail = "";
            }
            face = made;
            done = true;
            steps.done("restored", "%s, saved by %s".formatted(offer, saved.offer()));
        } catch (DeviceException | ClaimException | RuntimeException | Error e) {
            throw new MachineException(
                    "the slot '%s' refuses its state: %s"
                            .formatted(gear.name(), Occupant.sentence(e)),
                    e);
        } finally {
            if (!done) {
                if (fresh != null) {
                    fresh.discard();
                }
                if (made != null) {
                    made.close();
                }
            }
        }
    }

    /** Opens the gate to a restored device. */
    void letIn() {
        if (state == SlotState.RUNNING) {
            gate.open();
            face.kick();
        }
    }

    /** The driver's or the machine's reset, with every processor halted. */
    void reset() throws InterruptedException {
        DeviceException failure = null;
        try {
            drainAndReset();
        } catch (DeviceException e) {
            failure = e;
        }
        if (face != null) {
            face.reset();
        }
        if (failure != null) {
            // After the face: whoever takes over finds a driver that has yet to begin.
            fail(failure, gate.generation());
        }
        if (state == SlotState.RUNNING) {
            gate.open();
            try {
                // What the drain before the reset stopped, taking console input for one, goes on.
                occupant.resume();
            } catch (DeviceException e) {
                fail(e, gate.generation());
            }
        }
        history.add("reset", "");
    }

    /** Leaves the gate closed. What was saved before is from before the reset. */
    private void drainAndReset() throws DeviceException, InterruptedException {
        Occupant now = occupant;
        resetMissed = true;
        if (now == null) {
            return;
        }
        Probation chance = probation;
        if (chance != null) {
            probation =
                    new Probation(chance.number, chance.before, chance.standby, Optional.empty());
        }
        now.drain();
        shut(false);
        now.reset();
        resetMissed = false;
    }

    /**
     * A device did what it must not: the slot fails, everything else goes on. In its probation time
     * the code before takes over again, with what the failed one can still tell.
     *
     * @param ticket of the thread that saw it; one of an earlier device is no news
     */
    void fail(Throwable cause, long ticket) throws InterruptedException {
        fail(cause, ticket, gear.bounds().call());
    }

    /**
     * @param bound on the threads that are inside to come out
     */
    private void fail(Throwable cause, long ticket, Duration bound) throws InterruptedException {
        Occupant now = occupant;
        if (now == null || gate.generation() != ticket) {
            return;
        }
        LOG.log(Level.ERROR, () -> "The device in '%s' failed.".formatted(gear.name()), cause);
        History.Steps steps = history.steps();
        gate.shut();
        state = SlotState.SWAPPING;
        String reason = Occupant.sentence(cause);
        steps.done("failed", reason);
        Probation chance = probation;
        probation = null;
        Optional<SavedState> saved;
        try {
            shut(true, bound);
            saved = takeOut(now, false);
        } catch (DeviceException e) {
            throw new IllegalStateException("a forced operation refused", e);
        }
        if (chance != null && undo(chance, now, saved, steps)) {
            return;
        }
        leave(saved, chance == null ? Optional.empty() : chance.state);
        beFailed(reason);
    }

    /** A second swap, new to old. */
    private boolean undo(
            Probation chance, Occupant failed, Optional<SavedState> saved, History.Steps steps)
            throws InterruptedException {
        if (chance.standby.isEmpty()) {
            leave(saved.isPresent() ? saved : chance.state, chance.state);
            beVacant(chance.before, "%s failed".formatted(failed.offer()));
            heirs.vacancyBegan(vacancy);
            comeBack(chance.before.bundle());
            return true;
        }
        try {
            Optional<SavedState> taken =
                    install(
                            chance.standby.get(),
                            saved.isPresent()
                                    ? List.of(saved, chance.state)
                                    : List.of(chance.state),
                            steps);
            String lost =
                    saved.isPresent()
                            ? "what the failed device told was refused"
                            : "the failed device told none";
            steps.ended(
                    "fell back",
                    taken.equals(saved)
                            ? chance.before.toString()
                            : "%s, with the state that it handed over: %s"
                                    .formatted(chance.before, lost));
        } catch (DeviceException | ClaimException | RuntimeException | Error e) {
            steps.done("refused", Occupant.sentence(e));
            return false;
        }
        heirs.unused(failed.offer().code());
        return true;
    }

    /** Accesses read all ones, and a virtio driver is told DEVICE_NEEDS_RESET. */
    private void beFailed(String reason) {
        state = SlotState.FAILED;
        detail = reason;
        gate.refuse();
        if (face != null) {
            face.failed();
        }
    }

    /** A thread does not come out of the device. */
    void stuck(MachineThread thread, long entries) throws InterruptedException {
        if (thread.inside() == gate && thread.entries() == entries) {
            String stack = Gate.stack(thread);
            LOG.log(
                    Level.WARNING,
                    () ->
                            "%s does not come out of '%s':\n%s"
                                    .formatted(thread.getName(), gear.name(), stack));
            fail(
                    new DeviceException(
                            "%s did not come out of the device within %s; its stack is in the log"
                                    .formatted(
                                            thread.getName(),
                                            Bounds.text(gear.bounds().handler()))),
                    gate.generation(),
                    OTHERS_BOUND);
        }
    }

    /** Everything but the slot's own leases is given back. */
    void close() throws InterruptedException {
        remove();
        state = SlotState.CLOSED;
    }

    /** A sentence that names the slot, as those of most devices do. */
    private String named(String sentence) {
        String slot = "Slot '%s': ".formatted(gear.name());
        return sentence.startsWith(slot) ? sentence : slot + sentence;
    }

    private void refuseMismatch(Occupant fresh) throws DeviceException, InterruptedException {
        Optional<String> mismatch = gear.calls().call("shape", () -> face.mismatch(fresh.device()));
        if (mismatch.isPresent()) {
            throw new DeviceException(
                    "%s; vm:swap --replug unplugs and plugs".formatted(mismatch.get()));
        }
    }

    List<String> heldByDevice() {
        Occupant now = occupant;
        return now == null ? List.of() : now.attachment().leaseNames();
    }
}
