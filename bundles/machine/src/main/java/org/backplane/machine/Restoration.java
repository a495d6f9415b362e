package org.backplane.machine;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.backplane.device.DeviceException;
import org.backplane.device.state.SavedState;
import org.backplane.hypervisor.Hypervisor;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.machine.board.Board;
import org.backplane.machine.slot.SlotSpec;
import org.backplane.machine.slot.Slots;
import org.backplane.machine.snapshot.Snapshot;

/** A snapshot on its way into a machine that is being built. */
record Restoration(Snapshot snapshot, MachineState state) {
    private static final String CONSOLE = "console";

    /**
     * Reads a snapshot as far as its state.
     *
     * @throws MachineException it is none, or damaged
     */
    static Restoration of(Path folder) throws MachineException {
        Snapshot snapshot = Snapshot.open(folder);
        try {
            MachineState state = MachineState.of(snapshot.state());
            if (state.memory() != snapshot.memory() || state.cpus() != snapshot.cpus()) {
                throw new DeviceException("Its file 'manifest' is that of another.");
            }
            return new Restoration(snapshot, state);
        } catch (DeviceException e) {
            throw snapshot.refused(e);
        }
    }

    /** The plan with what comes from the snapshot. */
    Plan complete(Plan plan) {
        return plan.with(
                state.kernel(),
                state.initrd(),
                state.append(),
                state.format(),
                state.boardName(),
                state.memory(),
                state.windows(),
                state.cpus());
    }

    /** The engine whose state it holds. */
    Hypervisor engine(Engines engines, String wanted) throws MachineException {
        try {
            return engines.ofSnapshot(state.engine(), wanted);
        } catch (MachineException e) {
            throw snapshot.refused(e);
        }
    }

    /** Memory, engine and what is the board's own, of a board that was just made. */
    void into(Board board) throws MachineException {
        snapshot.load(state.image(), board.memory().layout());
        try {
            board.vm().restore(state.vm());
            board.restore(state.board());
        } catch (HypervisorException | DeviceException e) {
            throw snapshot.refused(e);
        }
    }

    /**
     * The slots in their order; their gates stay closed.
     *
     * @param console of the machine now
     * @return what they are
     */
    List<SlotSpec> into(Slots slots, String console) throws MachineException {
        List<SlotSpec> specs = new ArrayList<>();
        for (SavedState slot : state.slots()) {
            try {
                specs.add(slots.restore(slot, spec -> onConsole(spec, console)));
            } catch (MachineException e) {
                throw snapshot.refused(e);
            }
        }
        return specs;
    }

    /** Who was on the machine's console is on that of now. */
    private SlotSpec onConsole(SlotSpec spec, String console) {
        if (!state.console().equals(spec.settings().get(CONSOLE))) {
            return spec;
        }
        Map<String, String> settings = new HashMap<>(spec.settings());
        settings.put(CONSOLE, console);
        return new SlotSpec(spec.name(), spec.kind(), settings, spec.source());
    }
}
