package org.backplane.launcher.command;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.backplane.launcher.ExitStatus;
import org.backplane.launcher.ShellClient;
import org.backplane.launcher.folder.Locations;
import org.backplane.launcher.folder.RunFolders;
import org.backplane.launcher.option.Problems;
import org.backplane.launcher.terminal.LocalTerminal;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code backplane shell}. */
@picocli.CommandLine.Command(
        name = "shell",
        description = "Runs a command in the shell of a running machine, or many, line by line.",
        footer = {
            "",
            "The words of a command are joined with spaces: backplane shell vm:inspect root",
            "Without a command, lines are read until exit or Ctrl-D; on a terminal with Tab for",
            "completion, the arrow keys for history, and Ctrl-C to interrupt a command.",
            "",
            "  vm:status, vm:slots, vm:map, vm:pci        the machine and what is in it;",
            "                                             vm:map --draw is a picture",
            "  vm:stats [--watch]                         what the slots do, per second",
            "  vm:inspect SLOT, vm:history SLOT           one slot, and what it went through",
            "  vm:swap SLOT [VERSION|JAR]                 another version of its device; --force and",
            "                                             --replug for one that cannot be swapped",
            "  vm:accept SLOT                             keeps the new version for good",
            "  vm:stale                                   old code that is still held",
            "  vm:plug [--save] NAME KIND [KEY=VALUE..]   a new slot",
            "  vm:pin SLOT [BUNDLE[@VERSIONS]|none]       which code may fill it",
            "  vm:unplug [--force] SLOT                   takes it out",
            "  vm:snapshot DIR                            the whole machine into a new folder",
            "  vm:pause, vm:resume, vm:reset, vm:stop     the machine as a whole",
            "  vm:link SLOT [up|down]                     the link of a network",
            "  vm:log [LEVEL] [LOGGER]                    what is written into the log",
            "  lb, install, start, stop, update           bundles",
            "  help [COMMAND]                             all of them, or one in full",
            "",
            "Exit status: 0, 1 if the command failed or no machine answers, 2 bad input."
        })
public final class ShellCommand implements Command {
    @Option(
            names = "--name",
            paramLabel = "NAME",
            description = "The machine; not needed while only one runs.")
    private String name;

    @Option(
            names = "--json",
            description = "What the command says as one line of JSON, failures too.")
    private boolean json;

    @Parameters(paramLabel = "COMMAND", description = "One command of the shell.")
    private List<String> words = new ArrayList<>();

    @Override
    public int run(Problems problems) throws IOException, InterruptedException {
        Locations locations = Locations.ofThisUser();
        RunFolders folders = new RunFolders(locations.runBase(), Locations.uid());
        String command = LocalPath.inFull(String.join(" ", words), Path.of("").toAbsolutePath());
        if (command.chars().anyMatch(c -> c == '\n' || c == '\r' || c == 0)) {
            problems.add("a command of the shell is one line; give one line at a time");
        }
        if (json && words.isEmpty()) {
            problems.add("--json is for one command; give it behind: shell --json vm:slots");
        }
        Optional<String> machine = MachineChoice.choose(name, folders, problems);
        if (machine.isEmpty()) {
            return ExitStatus.BAD_INPUT;
        }
        Path socket = folders.folder(machine.get()).resolve(ShellClient.SOCKET);
        try (ShellClient client = ShellClient.connect(socket)) {
            return words.isEmpty() ? converse(client) : execute(client, command);
        }
    }

    private int execute(ShellClient client, String command)
            throws IOException, InterruptedException {
        if (json) {
            return client.executeForJson(command, System.out);
        }
        Optional<LocalTerminal> terminal = LocalTerminal.ofThisProcess();
        return terminal.isPresent()
                ? client.execute(command, terminal.get(), System.out)
                : client.execute(command, System.out);
    }

    private static int converse(ShellClient client) throws IOException, InterruptedException {
        Optional<LocalTerminal> terminal = LocalTerminal.ofThisProcess();
        if (terminal.isEmpty()) {
            return client.session(System.in, System.out);
        }
        LocalTerminal.deliverEveryByte();
        LocalTerminal.showEveryByte();
        return client.interact(terminal.get(), System.in, System.out);
    }
}
