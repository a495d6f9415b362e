package org.backplane.shell.command;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The commands of this bundle. A command is added in one place: where its noun's class lists it,
 * with usage, help, completion and action together.
 */
public final class Catalogue {
    /** The scope of the machine's own commands. */
    public static final String VM = "vm";

    private final List<Command> commands;

    private Catalogue(Stream<List<Command>> commands) {
        this.commands =
                Stream.concat(commands, Stream.of(new HelpCommand(() -> this).all()))
                        .flatMap(List::stream)
                        .sorted(Comparator.comparing(Command::fullName))
                        .toList();
    }

    /** All there are. */
    public static Catalogue of(
            CurrentMachine machine, DeviceBundles devices, BundleCommands bundles) {
        return new Catalogue(
                Stream.of(
                        new MachineCommands(machine).all(),
                        new SlotCommands(machine, devices).all(),
                        new SwapCommands(machine, devices).all(),
                        new MapCommands(machine).all(),
                        new StatsCommand(machine).all(),
                        new LogCommand(new LogLevels()).all(),
                        bundles.all()));
    }

    /** By name. */
    public List<Command> commands() {
        return commands;
    }

    /**
     * A command.
     *
     * @param name with its scope, or without
     */
    public Optional<Command> find(String name) {
        return commands.stream()
                .filter(command -> command.fullName().equals(name) || command.name().equals(name))
                .findFirst();
    }
}
