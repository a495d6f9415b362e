package org.backplane.machine.slot;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import org.backplane.machine.MachineException;
import org.backplane.machine.board.InterruptLines;

/** The wired interrupts of a slot; their numbers stay over a swap. */
final class SlotLines {
    private final SlotGear gear;
    private final List<Integer> sources = new ArrayList<>();
    private final List<AutoCloseable> leases = new ArrayList<>();
    private final LongAdder raised = new LongAdder();

    SlotLines(SlotGear gear) {
        this.gear = gear;
    }

    /**
     * A new input of the slot's line of that number, which is allocated now if there is none yet.
     */
    synchronized InterruptLines.Input input(int number) throws MachineException {
        InterruptLines lines = gear.board().lines();
        if (number == sources.size()) {
            hold(lines.allocate(gear.name()));
        }
        return lines.input(sources.get(number), raised);
    }

    /** As {@link #input(int)}, of the source that the device asks for. */
    synchronized InterruptLines.Input input(int number, int source) throws MachineException {
        InterruptLines lines = gear.board().lines();
        if (number == sources.size()) {
            lines.allocate(gear.name(), source);
            hold(source);
        } else if (sources.get(number) != source) {
            throw new MachineException(
                    "%s: interrupt line %d is %d, the new device wants %d."
                            .formatted(gear.name(), number, sources.get(number), source));
        }
        return lines.input(source, raised);
    }

    /** How often a line rose, over all devices that the slot had. */
    long raised() {
        return raised.sum();
    }

    /** Takes the lines that the slot had, by number, before a device asks for them. */
    synchronized void restore(List<Integer> saved) throws MachineException {
        for (int source : saved) {
            gear.board().lines().allocate(gear.name(), source);
            hold(source);
        }
    }

    private void hold(int source) {
        InterruptLines lines = gear.board().lines();
        leases.add(gear.leases().push("line " + source, () -> lines.free(source)));
        sources.add(source);
    }

    /** Gives every line back; no input of theirs is connected any more. */
    synchronized void release() {
        leases.forEach(gear.leases()::release);
        leases.clear();
        sources.clear();
    }

    synchronized List<Integer> sources() {
        return List.copyOf(sources);
    }
}
