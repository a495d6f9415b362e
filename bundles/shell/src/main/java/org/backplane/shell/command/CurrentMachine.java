package org.backplane.shell.command;

import java.util.List;
import java.util.function.Supplier;
import org.backplane.machine.Machine;
import org.backplane.machine.SlotReport;
import org.backplane.shell.command.Choices.Choice;

/**
 * The machine there is now, and what of it can be named in commands.
 *
 * @param source gives null while there is none
 */
public record CurrentMachine(Supplier<Machine> source) {
    Machine get() throws ShellException {
        Machine machine = source.get();
        if (machine == null) {
            throw new ShellException(
                    "There is no machine now: bundle org.backplane.machine is not active.");
        }
        return machine;
    }

    private List<SlotReport> slotsNow() {
        Machine machine = source.get();
        return machine == null ? List.of() : machine.slots();
    }

    /** The kind of a slot, or empty. */
    String kindOf(String slot) {
        return slotsNow().stream()
                .filter(report -> report.name().equals(slot))
                .map(SlotReport::kind)
                .findFirst()
                .orElse("");
    }

    /** The names of slots. */
    Choices slots() {
        return typing ->
                slotsNow().stream().map(slot -> Choice.of(slot.name(), slot.kind())).toList();
    }

    /** The kinds that can be plugged. */
    Choices kinds() {
        return typing -> {
            Machine machine = source.get();
            return machine == null
                    ? List.of()
                    : machine.kinds().stream().map(kind -> Choice.of(kind, "")).toList();
        };
    }
}
