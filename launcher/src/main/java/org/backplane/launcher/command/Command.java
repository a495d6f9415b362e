package org.backplane.launcher.command;

import java.io.IOException;
import org.backplane.launcher.option.Problems;

/** A subcommand whose options have been parsed. */
public interface Command {
    /**
     * Does it.
     *
     * @param problems what is wrong with the words of the command line; a command adds what else is
     *     wrong and does nothing if there is anything
     * @return the exit status; not used when there are problems
     * @throws IOException with a sentence for the user
     */
    int run(Problems problems) throws IOException, InterruptedException;
}
