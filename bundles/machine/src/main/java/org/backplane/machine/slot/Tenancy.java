package org.backplane.machine.slot;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.backplane.bus.ClaimException;
import org.backplane.device.DeviceException;
import org.backplane.device.context.FirmwareNode;
import org.backplane.device.state.SavedState;
import org.backplane.machine.SlotCounters;
import org.backplane.machine.SlotState;
import org.backplane.machine.processor.MachineThread;
import org.backplane.machine.slot.Factories.Code;
import org.backplane.machine.slot.Factories.Offer;

/**
 * Who is in a slot, what the guest sees, what the last device left and who could come back; and the
 * steps that every change is made of. Everything is the control thread's; what reports ask for is
 * volatile.
 */
final class Tenancy {
    private static final Logger LOG = System.getLogger(Tenancy.class.getName());

    private final SlotGear gear;
    private final SlotEnvironment environment;
    private final BusMastering busMastering;
    private final Heirs heirs;
    private final Gate gate;
    private final History history;

    private volatile SlotState state = SlotState.WAITING;
    private volatile String detail;
    private volatile Occupant occupant;
    private volatile Face face;
    private volatile Probation probation;

    /** What was counted of faces that are gone; guarded by this. */
    private SlotCounters before;

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

    private volatile Optional<FirmwareNode> node = Optional.empty();

    /** What the operator wants of a link, whoever has the slot. */
    private volatile boolean linkUp = true;

    /** The code that a failed slot failed with. */
    private Optional<Code> broken = Optional.empty();

    /** What the succession asks of those around the slot; each only posts. */
    interface Heirs {
        /** Probation began; {@link #endProbation} is to be called when it is over. */
        void probationBegan(int begun);

        /** A vacancy began, and was not awaited by a caller who times it. */
        void vacancyBegan(int begun);

        /** The guest took the function's link down: both are to be reset. */
        void linkLost();

        /** The slot neither runs the code nor can come back to it. */
        void unused(Code code);

        /** As {@link #unused}, of code that failed where other code goes on. */
        void failed(Code code);

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

    Tenancy(SlotGear gear, SlotEnvironment environment, Heirs heirs) {
        this.gear = gear;
        this.environment = environment;
        this.heirs = heirs;
        busMastering = new BusMastering(environment.kept(), gear);
        before = SlotCounters.none(gear.name());
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

    /** As {@link #detail()}, without what a probation has to say. */
    String ownDetail() {
        return detail;
    }

    Heirs heirs() {
        return heirs;
    }

    /** Whether the operator wants the link up; it is so at first. */
    boolean linkUp() {
        return linkUp;
    }

    /** What every device is told from now on; the one that is in has to be told besides. */
    void beLinked(boolean up) {
        linkUp = up;
    }

    /** Null if nobody is in. */
    Occupant occupant() {
        return occupant;
    }

    /** Null if the guest sees nothing. */
    Face face() {
        return face;
    }

    /**
     * What was counted of all that the guest saw in the slot so far, lines and regions included.
     */
    synchronized SlotCounters counters() {
        Face seen = face;
        SlotRegions regions = environment.regions();
        SlotCounters own =
                new SlotCounters(
                        gear.name(),
                        regions.reads(),
                        regions.writes(),
                        0,
                        environment.lines().raised(),
                        0,
                        0,
                        0,
                        0);
        return seen == null ? before.plus(own) : before.plus(seen.counters()).plus(own);
    }

    /** The code that left a vacancy, as long as it may come back. */
    Optional<Code> left() {
        return left;
    }

    /** Null if nothing can be undone. */
    Probation probation() {
        return probation;
    }

    /** What the device that left has saved for the next. */
    Optional<SavedState> parked() {
        return parked;
    }

    /** What code that refuses {@link #parked} begins with. */
    Optional<SavedState> spare() {
        return spare;
    }

    int vacancy() {
        return vacancy;
    }

    long vacantSince() {
        return vacantSince;
    }

    void leave(Optional<SavedState> state, Optional<SavedState> otherwise) {
        parked = state;
        spare = otherwise;
    }

    void leaveNothing() {
        leave(Optional.empty(), Optional.empty());
    }

    /**
     * Installs with the first of the states that the code takes.
     *
     * @return which
     */
    Optional<SavedState> install(
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

    /** A device of the code, for this slot; nobody knows it yet. */
    Occupant create(Offer offer) throws DeviceException, InterruptedException {
        return Occupant.create(offer, gear, environment);
    }

    /** Makes a device and lets the guest in to it; if that fails, nothing of it is left. */
    private void install(Offer offer, Optional<SavedState> from, History.Steps steps)
            throws DeviceException, ClaimException, InterruptedException {
        Occupant fresh = create(offer);
        Face made = null;
        boolean done = false;
        try {
            if (face == null) {
                made = Face.of(gear, fresh.device(), this::drainAndReset, heirs::linkLost);
            } else {
                refuseMismatch(fresh);
            }
            steps.note("create", offer.toString());
            fresh.start(from, made == null ? face : made, linkUp);
            from.ifPresent(saved -> steps.note("restore", saved.schema()));
            if (resetMissed && from.isPresent()) {
                fresh.reset();
                steps.note("reset", "the device before has not seen it");
            }
            Face target = made == null ? face : made;
            boolean repaired = state == SlotState.FAILED;
            if (repaired && mastersBus(target)) {
                busMastering.set(true);
            }
            target.presentAgain();
            gate.changeOver();
            fresh.connect(target, true);
            occupy(fresh, target);
            gate.open();
            if (repaired) {
                target.repaired();
            }
            target.kick();
            if (made != null) {
                made.place().ifPresent(PciPlace::announce);
            }
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

    /** Whether the guest has it so, who may have changed its mind since the device failed. */
    private static boolean mastersBus(Face seen) {
        return seen.function()
                .filter(function -> function.wires().interrupts().busMaster())
                .isPresent();
    }

    /** A connected device is the slot's; the gate is as it was. */
    void occupy(Occupant connected, Face seen) {
        face = seen;
        occupant = connected;
        node = Optional.ofNullable(connected.attachment().node());
        resetMissed = false;
        state = SlotState.RUNNING;
        detail = "";
        if (broken.filter(code -> !code.equals(connected.offer().code())).isPresent()) {
            heirs.failed(broken.get());
        }
        broken = Optional.empty();
    }

    /** How firmware describes the device, also while nobody is in: its addresses are kept. */
    Optional<FirmwareNode> node() {
        return node;
    }

    /** The device is being replaced: accesses park. */
    void beSwapping() {
        state = SlotState.SWAPPING;
    }

    void beClosed() {
        state = SlotState.CLOSED;
    }

    /** Brings the device to rest; false if it does not and that is not asked for. */
    boolean rest(Occupant old, boolean force) throws DeviceException, InterruptedException {
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
    boolean shut(boolean force) throws DeviceException, InterruptedException {
        return shut(force, gear.bounds().call());
    }

    boolean shut(boolean force, Duration bound) throws DeviceException, InterruptedException {
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

    Optional<SavedState> saved(Occupant old, boolean force)
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

    /** Saves what can be, and takes the device out; behind the closed gate, nobody inside. */
    Optional<SavedState> takeOut(Occupant old, boolean clean)
            throws DeviceException, InterruptedException {
        Optional<SavedState> saved = saved(old, true);
        cut(old, clean);
        return saved;
    }

    /** Takes the device out; behind the closed gate, nobody inside. */
    void cut(Occupant old, boolean clean) throws InterruptedException {
        old.disconnect(face);
        if (!clean) {
            face.cutOff();
        }
        occupant = null;
        old.discard();
    }

    /** The guest reads all ones, and the addresses and lines are given back. */
    void beEmpty() {
        gate.refuse();
        leaveNothing();
        left.ifPresent(heirs::unused);
        left = Optional.empty();
        if (face != null) {
            face.close();
            synchronized (this) {
                before = before.plus(face.counters());
                face = null;
            }
        }
        endDevices();
        environment.regions().release();
        environment.lines().release();
        node = Optional.empty();
        state = SlotState.WAITING;
    }

    /**
     * A device of elsewhere works on while nobody is in, for code that comes to find it as it was.
     * Not beyond what the guest knows of it: what it reaches by DMA is no more its own then.
     */
    void endDevices() {
        if (face != null) {
            // The host has a device open as long as memory of it is mapped.
            face.unmap();
        }
        if (environment.kept().endDevices()) {
            history.add("let go", "the device, for which there is no code");
        }
    }

    void beVacant(Code gone, String reason) {
        vacancy++;
        vacantSince = System.nanoTime();
        left = Optional.of(gone);
        state = SlotState.VACANT;
        detail = reason;
    }

    /** The code that goes is what may come back, unless another comes. */
    void expectBack(Optional<Code> gone) {
        left = gone;
    }

    /**
     * Accesses read all ones, and a virtio driver is told DEVICE_NEEDS_RESET. A device of elsewhere
     * does no DMA until a repair: its driver may give the memory away that it was told of.
     *
     * @param code that is to go when other code repairs the slot
     */
    void beFailed(String reason, Optional<Code> code) throws InterruptedException {
        broken = code;
        state = SlotState.FAILED;
        detail = reason;
        // Before the guest goes on: it must not find half of a device.
        if (face != null) {
            face.failed();
            stopDma();
        }
        gate.refuse();
    }

    private void stopDma() throws InterruptedException {
        try {
            busMastering.set(false);
        } catch (DeviceException e) {
            history.add("not stopped", e.getMessage());
            endDevices();
            // Of a device that is on; the next one that is opened is as after a reset.
            leaveNothing();
        }
    }

    /** A restored slot whose device had failed: the guest goes on seeing its function. */
    void beFailed(Face seen, String reason, Optional<SavedState> state) {
        face = seen;
        leave(state, Optional.empty());
        this.state = SlotState.FAILED;
        detail = reason;
        gate.refuse();
    }

    void onProbation(Code before, Optional<Offer> standby, Optional<SavedState> state) {
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

    /** Ends the probation that there is, if any. */
    void endProbation() {
        endProbation(probations);
    }

    /** An offer went that a swap could have been undone with. */
    void forget(Offer gone) {
        Probation now = probation;
        if (now != null && now.standby.filter(offer -> offer == gone).isPresent()) {
            probation = null;
        }
    }

    /** Ends the probation without a word, for its code to be used or for nothing. */
    Probation takeProbation() {
        Probation chance = probation;
        probation = null;
        return chance;
    }

    /** Leaves the gate closed. What was saved before is from before the reset. */
    void drainAndReset() throws DeviceException, InterruptedException {
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

    void refuseMismatch(Occupant fresh) throws DeviceException, InterruptedException {
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
