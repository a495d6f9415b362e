package org.backplane.launcher.command;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;
import org.backplane.launcher.ExitStatus;
import org.backplane.launcher.ShellClient;
import org.backplane.launcher.dev.BuildOutput;
import org.backplane.launcher.dev.Builds;
import org.backplane.launcher.dev.SwapOnBuild;
import org.backplane.launcher.folder.Locations;
import org.backplane.launcher.folder.RunFolders;
import org.backplane.launcher.option.Problems;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code backplane dev}. */
@picocli.CommandLine.Command(
        name = "dev",
        sortOptions = false,
        description =
                "Watches a project's build and swaps every new jar into a running machine, under"
                        + " its guest.",
        footer = {
            "",
            "DIR is a Maven project (the jar is in target), a Gradle project (in build/libs), or the",
            "folder of the jar. Build as ever: what counts is the jar that it leaves. The kinds in",
            "its manifest tell the slots. A refused swap is told, and the old code runs on.",
            "",
            "Exit status: 1 when the machine ends or the project goes, 2 bad input."
        })
public final class DevCommand implements Command {
    @Parameters(paramLabel = "DIR", description = "The project.")
    private String project;

    @Option(
            names = "--name",
            paramLabel = "NAME",
            description = "The machine; not needed while only one runs.")
    private String name;

    @Option(
            names = "--slot",
            paramLabel = "SLOT",
            description = "Only this slot (default: all whose kind the jar offers).")
    private String slot;

    @Override
    public int run(Problems problems) throws IOException, InterruptedException {
        Locations locations = Locations.ofThisUser();
        RunFolders folders = new RunFolders(locations.runBase(), Locations.uid());
        Optional<Path> folder = project == null ? Optional.empty() : folder(problems);
        Optional<String> machine = MachineChoice.choose(name, folders, problems);
        if (machine.isEmpty()) {
            return ExitStatus.BAD_INPUT;
        }
        Path run = folders.folder(machine.get());
        BuildOutput output = BuildOutput.of(folder.orElseThrow());
        // In the machine's folder: what is left there when this process is killed goes with it.
        Path copies = Files.createTempDirectory(run, "dev-");
        try (Builds builds = new Builds(output, copies)) {
            SwapOnBuild swaps =
                    new SwapOnBuild(
                            machine.get(),
                            run.resolve(ShellClient.SOCKET),
                            Optional.ofNullable(slot),
                            builds,
                            System.out);
            swaps.begin(output.folder(), problems);
            if (!problems.isEmpty()) {
                return ExitStatus.BAD_INPUT;
            }
            swaps.run();
            return ExitStatus.OK;
        } finally {
            Files.deleteIfExists(copies);
        }
    }

    private Optional<Path> folder(Problems problems) {
        try {
            Path path = Path.of(project).toAbsolutePath().normalize();
            if (Files.isDirectory(path)) {
                return Optional.of(path);
            }
            problems.add(
                    "dev",
                    project,
                    Files.exists(path)
                            ? "this is a file; give the folder of the project"
                            : "there is no such folder");
        } catch (InvalidPathException e) {
            problems.add("dev", project.replace('\0', '?'), "this is no path: " + e.getReason());
        }
        return Optional.empty();
    }
}
