package org.backplane.machine;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.backplane.device.state.SavedState;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.machine.board.Board;
import org.backplane.machine.processor.Processors;
import org.backplane.machine.slot.Slots;
import org.backplane.machine.snapshot.SnapshotWriter;

/** Takes snapshots of a machine; on the machine's control thread. */
final class Snapshots {
    private static final Logger LOG = System.getLogger(Snapshots.class.getName());

    private final Plan plan;
    private final String engine;
    private final Board board;
    private final Processors processors;
    private final Slots slots;

    Snapshots(Plan plan, String engine, Board board, Processors processors, Slots slots) {
        this.plan = plan;
        this.engine = engine;
        this.board = board;
        this.processors = processors;
        this.slots = slots;
    }

    /**
     * Writes the folder.
     *
     * @param running whether the processors run: they stand still meanwhile, and go on before
     *     anything is brought to the disk
     */
    void take(Path folder, boolean running, int boots) throws MachineException {
        try (SnapshotWriter writer = SnapshotWriter.beside(folder)) {
            standStillFor(writer, running, boots);
            writer.publish();
        }
    }

    /** Writes what changes while the guest runs. */
    private void standStillFor(SnapshotWriter writer, boolean running, int boots)
            throws MachineException {
        long began = System.nanoTime();
        try {
            if (running) {
                processors.pause();
            }
            List<SavedState> saved = new ArrayList<>();
            try (var standstill = slots.standStill(saved)) {
                writer.memory(board.memory().layout());
                writer.state(
                        state(saved, writer.memoryImage(), boots).toSaved(),
                        plan.memory(),
                        plan.cpus());
            }
        } finally {
            if (running) {
                processors.resume();
                slots.timeStarted();
            }
            LOG.log(
                    Level.INFO,
                    () ->
                            "%s: stood still for %d ms"
                                    .formatted(
                                            plan.name(), (System.nanoTime() - began) / 1_000_000));
        }
    }

    private MachineState state(List<SavedState> saved, SavedState image, int boots)
            throws MachineException {
        try {
            return new MachineState(
                    engine,
                    plan.console(),
                    plan.kernel().orElseThrow(),
                    plan.initrd(),
                    plan.append(),
                    plan.format(),
                    plan.board(),
                    plan.memory(),
                    plan.windows(),
                    plan.cpus(),
                    boots,
                    image,
                    board.vm().save(),
                    board.save(),
                    saved);
        } catch (HypervisorException e) {
            throw new MachineException(e.getMessage(), e);
        }
    }
}
