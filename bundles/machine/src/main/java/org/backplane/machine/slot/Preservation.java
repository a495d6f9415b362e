package org.backplane.machine.slot;

import java.util.Optional;
import org.backplane.bus.ClaimException;
import org.backplane.device.DeviceException;
import org.backplane.device.state.SavedState;
import org.backplane.machine.MachineException;
import org.backplane.machine.SlotState;
import org.backplane.machine.slot.Factories.Offer;

/**
 * How a slot is kept in a snapshot, and made again from one. Everything here runs on the slot's
 * control thread.
 */
final class Preservation {
    private final SlotGear gear;
    private final SlotEnvironment environment;
    private final Tenancy tenancy;
    private final Failures failures;
    private final Gate gate;

    Preservation(SlotGear gear, SlotEnvironment environment, Tenancy tenancy, Failures failures) {
        this.gear = gear;
        this.environment = environment;
        this.tenancy = tenancy;
        this.failures = failures;
        gate = gear.gate();
    }

    /**
     * Brings the slot to rest, for a snapshot, and tells everything about it; it stays so until
     * {@link #goOn}, whatever this returns. A device without a state of its own need not be idle:
     * the requests that it has not finished are in the face's ledger.
     *
     * @param wanted the slot as it would be asked for now
     */
    SavedSlot standStill(SlotSpec wanted) throws MachineException, InterruptedException {
        Occupant now = tenancy.occupant();
        try {
            Optional<SavedState> device = tenancy.parked();
            if (now != null) {
                boolean stateless = now.stateless();
                boolean idle = tenancy.rest(now, stateless);
                tenancy.shut(false);
                device = idle ? now.save() : Optional.empty();
            }
            return SavedSlot.of(
                    wanted,
                    now == null ? "" : now.offer().identity(),
                    tenancy.state(),
                    tenancy.ownDetail(),
                    Optional.ofNullable(tenancy.face()),
                    environment,
                    tenancy.linkUp(),
                    device);
        } catch (DeviceException e) {
            throw unsavable(e);
        }
    }

    /** Tells what makes a snapshot impossible, before anything is brought to rest for it. */
    void refuseUnsavable() throws MachineException, InterruptedException {
        try {
            if (tenancy.occupant() != null) {
                tenancy.occupant().refuseBound();
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
        Occupant now = tenancy.occupant();
        if (now == null) {
            return;
        }
        gate.open();
        try {
            now.resume();
            tenancy.face().kick();
        } catch (DeviceException e) {
            failures.fail(e, gate.generation());
        }
    }

    /**
     * Makes a slot that nobody was in what it was; nobody is let in before {@link #letIn}.
     *
     * @throws MachineException the device refuses the state; nothing of it is left
     */
    void restore(Offer offer, SavedSlot saved) throws MachineException, InterruptedException {
        History.Steps steps = gear.history().steps();
        Occupant fresh = null;
        Face made = null;
        boolean done = false;
        try {
            tenancy.shut(false);
            environment.regions().restore(saved.places());
            environment.lines().restore(saved.lines());
            tenancy.beLinked(saved.linkUp());
            fresh = tenancy.create(offer);
            PciPlace place =
                    PciPlace.saved(
                            gear, saved.port(), saved.pciDevice(), tenancy.heirs()::linkLost);
            made = Face.unplaced(gear, fresh.device(), tenancy::drainAndReset, place);
            if (saved.face().isPresent()) {
                made.restore(saved.face().get());
            }
            if (saved.condition() == SavedSlot.Condition.FAILED) {
                // It was only needed to know the shape of what the guest sees.
                fresh.discard();
                tenancy.beFailed(made, saved.detail(), saved.device());
            } else {
                fresh.start(saved.device(), made, tenancy.linkUp());
                made.presentAgain();
                gate.changeOver();
                fresh.connect(made, true);
                tenancy.occupy(fresh, made);
            }
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
        if (tenancy.state() == SlotState.RUNNING) {
            gate.open();
            tenancy.face().kick();
        }
    }
}
