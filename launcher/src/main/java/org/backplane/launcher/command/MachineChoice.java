package org.backplane.launcher.command;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.backplane.launcher.folder.RunFolders;
import org.backplane.launcher.folder.RunningMachine;
import org.backplane.launcher.option.MachineName;
import org.backplane.launcher.option.Problems;

/** Which of the running machines a command is for. */
final class MachineChoice {
    private MachineChoice() {}

    /**
     * The machine of that name, or the only one.
     *
     * @param name of {@code --name}, or null
     * @return empty if there is a problem, which was added, or was one before
     */
    static Optional<String> choose(String name, RunFolders folders, Problems problems)
            throws IOException {
        if (name != null && !MachineName.isGood(name)) {
            problems.add("--name", name, MachineName.RULE);
        }
        if (!problems.isEmpty()) {
            return Optional.empty();
        }
        List<String> names = folders.running().stream().map(RunningMachine::name).toList();
        String there =
                names.isEmpty() ? "no machine runs" : "these run: " + String.join(", ", names);
        if (name != null && !names.contains(name)) {
            problems.add("--name", name, "no machine of that name runs; " + there);
        } else if (name == null && names.size() != 1) {
            problems.add(
                    names.isEmpty()
                            ? "no machine runs; start one with: backplane demo"
                            : "--name is missing and several machines run; " + there);
        }
        return problems.isEmpty()
                ? Optional.of(name == null ? names.get(0) : name)
                : Optional.empty();
    }
}
