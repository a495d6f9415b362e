package org.backplane.launcher.command;

import java.util.function.Supplier;
import org.backplane.launcher.ExitStatus;
import org.backplane.launcher.option.Problems;
import picocli.AutoComplete;
import picocli.CommandLine;

/** {@code backplane completion}. */
@picocli.CommandLine.Command(
        name = "completion",
        description = "Prints what completes commands, options and their words in bash.",
        footer = {"", "For this shell:", "  source <(./backplane completion)"})
public final class CompletionCommand implements Command {
    private final Supplier<CommandLine> all;

    /**
     * @param all gives the command line with every command
     */
    public CompletionCommand(Supplier<CommandLine> all) {
        this.all = all;
    }

    @Override
    public int run(Problems problems) {
        if (!problems.isEmpty()) {
            return ExitStatus.BAD_INPUT;
        }
        CommandLine line = all.get();
        System.out.print(AutoComplete.bash(line.getCommandName(), line));
        return ExitStatus.OK;
    }
}
