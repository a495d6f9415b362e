package org.backplane.launcher.command;

import java.util.Optional;
import picocli.CommandLine.Option;

/** The options that every command has that runs a machine. */
final class MachineOptions {
    @Option(names = "--memory", paramLabel = "SIZE", description = "Memory (default: 512M).")
    Optional<String> memory = Optional.empty();

    @Option(names = "--cpus", paramLabel = "N", description = "Processors (default: 1).")
    Optional<String> cpus = Optional.empty();

    @Option(
            names = "--name",
            paramLabel = "NAME",
            description = "Name of the machine (default: vm, vm2, ..).")
    Optional<String> name = Optional.empty();
}
