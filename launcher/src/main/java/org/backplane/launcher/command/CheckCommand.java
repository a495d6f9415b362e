package org.backplane.launcher.command;

import java.io.IOException;
import org.backplane.launcher.ExitStatus;
import org.backplane.launcher.HostCheck;
import org.backplane.launcher.option.Problems;

/** {@code backplane check}. */
@picocli.CommandLine.Command(
        name = "check",
        description = "Says what this host offers, and whether the bundles start.",
        footer = {"", "Exit status: 0, or 1 if machines cannot run here."})
public final class CheckCommand implements Command {
    @Override
    public int run(Problems problems) throws IOException, InterruptedException {
        if (!problems.isEmpty()) {
            return ExitStatus.BAD_INPUT;
        }
        return HostCheck.ofThisProcess().print(System.out) ? ExitStatus.OK : ExitStatus.FAILED;
    }
}
