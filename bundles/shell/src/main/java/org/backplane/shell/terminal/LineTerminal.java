package org.backplane.shell.terminal;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.backplane.machine.terminal.TerminalLine;
import org.backplane.machine.terminal.TerminalSize;
import org.jline.terminal.Size;
import org.jline.terminal.Terminal;
import org.jline.terminal.Terminal.Signal;
import org.jline.terminal.impl.ExternalTerminal;

/** JLine's terminals over the byte streams of a {@link TerminalLine}. */
final class LineTerminal {
    private LineTerminal() {}

    /** A terminal that reads nothing yet. Closing it leaves the line open. */
    static Terminal open(TerminalLine line) throws IOException {
        return new ExternalTerminal(
                null,
                "shell",
                TerminalType.loaded(line.type()),
                line.in(),
                new CutOutput(line.out()),
                StandardCharsets.UTF_8,
                Terminal.SignalHandler.SIG_IGN,
                true,
                null,
                size(line.size()));
    }

    /**
     * Reads the line from now on, on a thread of its own, so that Ctrl-C is heard while a command
     * runs.
     *
     * @param interrupted what Ctrl-C does then
     */
    static void listen(Terminal terminal, Runnable interrupted) {
        terminal.handle(
                Signal.INT,
                signal -> {
                    // JLine has put ^C into its buffer.
                    terminal.writer().println();
                    terminal.flush();
                    interrupted.run();
                });
        terminal.resume();
    }

    static Size size(TerminalSize size) {
        return new Size(size.columns(), size.rows());
    }
}
