package org.backplane.launcher.command;

import java.io.IOException;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.List;
import org.backplane.launcher.ExitStatus;
import org.backplane.launcher.folder.Locations;
import org.backplane.launcher.folder.RunFolders;
import org.backplane.launcher.folder.RunningMachine;
import org.backplane.launcher.option.Problems;
import org.backplane.launcher.option.Size;

/** {@code backplane list}. */
@picocli.CommandLine.Command(
        name = "list",
        description = "Lists this user's running machines: name, process, since when, memory.")
public final class ListCommand implements Command {
    private static final DateTimeFormatter SINCE =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss").withZone(ZoneId.systemDefault());

    @Override
    public int run(Problems problems) throws IOException {
        if (!problems.isEmpty()) {
            return ExitStatus.BAD_INPUT;
        }
        List<RunningMachine> machines =
                new RunFolders(Locations.ofThisUser().runBase(), Locations.uid()).running();
        if (machines.isEmpty()) {
            System.out.println("no machine runs");
            return ExitStatus.OK;
        }
        String row = "%-16s %8s  %-19s %8s %5s%n";
        System.out.printf(row, "NAME", "PID", "SINCE", "MEMORY", "CPUS");
        for (RunningMachine machine : machines) {
            System.out.printf(
                    row,
                    machine.name(),
                    machine.pid() == 0 ? "starting" : machine.pid(),
                    SINCE.format(machine.since()),
                    Size.format(machine.memory()),
                    machine.cpus());
        }
        return ExitStatus.OK;
    }
}
