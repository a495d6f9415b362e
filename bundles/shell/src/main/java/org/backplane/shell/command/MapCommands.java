package org.backplane.shell.command;

import java.util.List;
import org.backplane.machine.AddressMap;
import org.backplane.shell.map.MapDrawing;

/** Where things are. */
final class MapCommands {
    private static final String DRAW = "--draw";

    private final CurrentMachine machine;

    MapCommands(CurrentMachine machine) {
        this.machine = machine;
    }

    List<Command> all() {
        return List.of(
                Command.named("vm:map")
                        .does("memory, windows, regions and free holes by address")
                        .flag(DRAW, "as a picture, as wide as the terminal")
                        .example("vm:map --draw")
                        .runs(this::map),
                Command.named("vm:pci")
                        .does("PCI functions with their BARs")
                        .example("vm:pci")
                        .runs(call -> machine.get().functions()));
    }

    private Object map(Call call) throws Exception {
        AddressMap map = machine.get().map();
        return call.arguments().has(DRAW)
                ? new Answer(MapDrawing.of(map, call.screen()), map)
                : map;
    }
}
