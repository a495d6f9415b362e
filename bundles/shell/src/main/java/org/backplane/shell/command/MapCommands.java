package org.backplane.shell.command;

import java.util.List;

/** Where things are. */
final class MapCommands {
    private final CurrentMachine machine;

    MapCommands(CurrentMachine machine) {
        this.machine = machine;
    }

    List<Command> all() {
        return List.of(
                Command.named("vm:map")
                        .does("memory, windows, regions and free holes by address")
                        .example("vm:map")
                        .runs(call -> machine.get().map()),
                Command.named("vm:pci")
                        .does("PCI functions with their BARs")
                        .example("vm:pci")
                        .runs(call -> machine.get().functions()));
    }
}
