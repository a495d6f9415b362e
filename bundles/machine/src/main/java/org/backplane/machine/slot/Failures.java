package org.backplane.machine.slot;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.backplane.bus.ClaimException;
import org.backplane.device.DeviceException;
import org.backplane.device.state.SavedState;
import org.backplane.machine.SlotState;
import org.backplane.machine.processor.MachineThread;
import org.backplane.machine.slot.Factories.Code;
import org.backplane.machine.slot.Tenancy.Probation;
import org.osgi.framework.Bundle;

/**
 * What becomes of a slot whose device does what it must not: the code before takes over, or comes
 * back, or the slot fails. Everything here runs on the slot's control thread.
 */
final class Failures {
    private static final Logger LOG = System.getLogger(Failures.class.getName());

    /** For threads inside beside one that is stuck: they leave in time, or are stuck too. */
    private static final Duration OTHERS_BOUND = Duration.ofMillis(100);

    private final SlotGear gear;
    private final Tenancy tenancy;
    private final Gate gate;
    private final History history;

    Failures(SlotGear gear, Tenancy tenancy) {
        this.gear = gear;
        this.tenancy = tenancy;
        gate = gear.gate();
        history = gear.history();
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
        Occupant now = tenancy.occupant();
        if (now == null || gate.generation() != ticket) {
            return;
        }
        LOG.log(Level.ERROR, () -> "The device in '%s' failed.".formatted(gear.name()), cause);
        History.Steps steps = history.steps();
        gate.shut();
        tenancy.beSwapping();
        String reason = Occupant.sentence(cause);
        steps.done("failed", reason);
        Probation chance = tenancy.takeProbation();
        Optional<SavedState> saved;
        try {
            tenancy.shut(true, bound);
            saved = tenancy.takeOut(now, false);
        } catch (DeviceException e) {
            throw new IllegalStateException("a forced operation refused", e);
        }
        if (chance != null && undo(chance, now, saved, steps)) {
            return;
        }
        tenancy.leave(saved, chance == null ? Optional.empty() : chance.state());
        tenancy.beFailed(reason, Optional.of(now.offer().code()));
    }

    /** A second swap, new to old. */
    private boolean undo(
            Probation chance, Occupant failed, Optional<SavedState> saved, History.Steps steps)
            throws InterruptedException {
        if (chance.standby().isEmpty()) {
            tenancy.leave(saved.isPresent() ? saved : chance.state(), chance.state());
            tenancy.beVacant(chance.before(), "%s failed".formatted(failed.offer()));
            tenancy.heirs().vacancyBegan(tenancy.vacancy());
            tenancy.heirs().failed(failed.offer().code());
            comeBack(chance.before().bundle());
            return true;
        }
        try {
            Optional<SavedState> taken =
                    tenancy.install(
                            chance.standby().get(),
                            saved.isPresent()
                                    ? List.of(saved, chance.state())
                                    : List.of(chance.state()),
                            steps);
            String lost =
                    saved.isPresent()
                            ? "what the failed device told was refused"
                            : "the failed device told none";
            steps.ended(
                    "fell back",
                    taken.equals(saved)
                            ? chance.before().toString()
                            : "%s, with the state that it handed over: %s"
                                    .formatted(chance.before(), lost));
        } catch (DeviceException | ClaimException | RuntimeException | Error e) {
            steps.done("refused", Occupant.sentence(e));
            return false;
        }
        tenancy.heirs().failed(failed.offer().code());
        return true;
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

    /**
     * Has the code come back that left the vacancy, if it was the bundle's and nothing came.
     *
     * @param updated when, on {@link System#nanoTime}: a vacancy that began later is the next
     *     update's, which is under way
     */
    void comeBack(Bundle bundle, long updated) {
        if (tenancy.vacantSince() - updated <= 0) {
            comeBack(bundle);
        }
    }

    private void comeBack(Bundle bundle) {
        if (tenancy.state() == SlotState.VACANT
                && tenancy.left().filter(gone -> gone.bundle().equals(bundle)).isPresent()) {
            Code gone = tenancy.left().get();
            tenancy.expectBack(Optional.empty());
            history.add("comes back", gone.toString());
            tenancy.heirs().comeBack(gone);
        }
    }
}
