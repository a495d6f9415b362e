package org.backplane.shell.command;

import java.time.Duration;
import java.util.List;
import org.backplane.machine.MachineCounters;
import org.backplane.machine.SlotCounters;
import org.backplane.shell.format.Quantity;
import org.backplane.shell.format.Table;

/** What the machine counts. */
final class StatsCommand {
    private static final String WATCH = "--watch";
    private static final String TOTAL = "--total";
    private static final Duration INTERVAL = Duration.ofSeconds(1);
    private static final String HINT = "Ctrl-C ends this";

    private final CurrentMachine machine;

    StatsCommand(CurrentMachine machine) {
        this.machine = machine;
    }

    List<Command> all() {
        return List.of(
                Command.named("vm:stats")
                        .does(
                                "exits, doorbells, interrupts, requests and bytes of each slot, per second")
                        .remark(
                                "Measured for a second. FROM GUEST is what a device read of the guest's")
                        .remark("memory for its requests, TO GUEST what it wrote there.")
                        .flag(WATCH, "again and again, until Ctrl-C; in a session any key will do")
                        .flag(TOTAL, "what was counted since the start, instead")
                        .example("vm:stats --watch")
                        .runs(this::stats));
    }

    private Object stats(Call call) throws Exception {
        MachineCounters before = machine.get().counters();
        if (call.arguments().has(TOTAL)) {
            return new Answer(totals(before), before);
        }
        boolean once = !call.arguments().has(WATCH) || call.arguments().has(Flag.JSON.name());
        if (once) {
            call.screen().pause(INTERVAL);
            Rates rates = Rates.between(before, machine.get().counters());
            return new Answer(rates.toString(), rates);
        }
        String hint = call.screen().isTerminal() ? "\n" + HINT : "";
        while (!call.screen().keyWithin(INTERVAL)) {
            MachineCounters after = machine.get().counters();
            call.screen().redraw(Rates.between(before, after) + hint);
            before = after;
        }
        return null;
    }

    private static String totals(MachineCounters counters) {
        Table table =
                new Table(
                        "TOTAL",
                        "EXITS",
                        "DOORBELLS",
                        "INTERRUPTS",
                        "REQUESTS",
                        "FROM GUEST",
                        "TO GUEST",
                        "MISTAKES");
        for (SlotCounters slot : counters.slots()) {
            table.row(
                    slot.slot(),
                    slot.exits(),
                    slot.doorbells(),
                    slot.interrupts(),
                    slot.requests(),
                    Quantity.bytes(slot.bytesRead()),
                    Quantity.bytes(slot.bytesWritten()),
                    slot.guestErrors());
        }
        Table vcpus = new Table("PROCESSOR", "EXITS", "INSTRUCTIONS");
        counters.vcpus()
                .forEach(vcpu -> vcpus.row(vcpu.index(), vcpu.exits(), vcpu.instructions()));
        return table + "\n" + vcpus;
    }
}
