package org.backplane.launcher;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;

/**
 * The terminal on standard input. The {@code backplane} script saved its settings and restores them
 * however this process ends; here it is only set for a guest's console.
 */
final class Terminal {
    private static final Logger LOG = System.getLogger(Terminal.class.getName());

    private Terminal() {}

    /**
     * Has every byte delivered as typed, Ctrl-C included. Output processing stays, so that the
     * launcher's own lines begin at the left. Does nothing if standard input is no terminal.
     */
    static void deliverEveryByte() throws InterruptedException {
        try {
            if (exec("test", "-t", "0") == 0
                    && exec(
                                    "stty", "-icanon", "-echo", "-isig", "-iexten", "-ixon",
                                    "-icrnl", "-inlcr", "-istrip", "min", "1", "time", "0")
                            != 0) {
                LOG.log(
                        Level.WARNING,
                        "stty did not set the terminal; the console waits for lines");
            }
        } catch (IOException e) {
            LOG.log(Level.WARNING, "stty is missing; the console waits for whole lines", e);
        }
    }

    private static int exec(String... command) throws IOException, InterruptedException {
        return new ProcessBuilder(command)
                .redirectInput(Redirect.INHERIT)
                .redirectOutput(Redirect.DISCARD)
                .redirectError(Redirect.DISCARD)
                .start()
                .waitFor();
    }
}
