package org.backplane.shell.terminal;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.felix.service.command.CommandProcessor;
import org.backplane.machine.terminal.TerminalLine;
import org.backplane.machine.terminal.TerminalSession;
import org.backplane.machine.terminal.TerminalSize;
import org.backplane.shell.command.Catalogue;
import org.backplane.shell.command.GogoCommand;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReader.Option;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.terminal.Terminal;
import org.jline.terminal.Terminal.Signal;

/** A person at a terminal: reads lines with editing, completion and history and runs them. */
final class InteractiveSession implements TerminalSession {
    private static final System.Logger LOG = System.getLogger(InteractiveSession.class.getName());
    private static final String PROMPT = "backplane> ";
    private static final String EXIT = "exit";

    /** Names of all commands of a Gogo session. */
    private static final String COMMANDS = ".commands";

    private final Terminal terminal;
    private final TerminalScreen screen;
    private final GogoSession gogo;
    private final LineReader reader;
    private volatile boolean closed;

    InteractiveSession(
            TerminalLine line,
            CommandProcessor processor,
            Catalogue catalogue,
            CommandHistory history)
            throws IOException {
        terminal = LineTerminal.open(line);
        screen = new TerminalScreen(terminal);
        Map<String, Object> variables = new TreeMap<>();
        variables.put(GogoCommand.SCREEN, screen);
        line.folder().ifPresent(folder -> variables.put(GogoCommand.FOLDER, folder));
        gogo = new GogoSession(processor, terminal.input(), terminal.output(), variables);
        reader =
                LineReaderBuilder.builder()
                        .terminal(terminal)
                        .appName("backplane")
                        .completer(new CommandCompleter(catalogue, this::known, line.folder()))
                        .highlighter(new CommandHighlighter(this::known))
                        .option(Option.DISABLE_EVENT_EXPANSION, true)
                        .option(Option.HISTORY_TIMESTAMPED, false)
                        .option(Option.HISTORY_IGNORE_DUPS, true)
                        .build();
        history.attach(reader);
        LineTerminal.listen(terminal, gogo::interrupt);
    }

    private Collection<String> known() {
        return gogo.get(COMMANDS) instanceof Collection<?> names
                ? names.stream().map(Object::toString).toList()
                : List.of();
    }

    /** Until the session is over; the caller's thread is the session's. */
    void run() {
        try {
            while (!closed) {
                String line = line();
                if (line == null || line.strip().equals(EXIT)) {
                    return;
                }
                if (!line.isBlank()) {
                    screen.begin();
                    gogo.run(line);
                }
            }
        } catch (RuntimeException broken) {
            LOG.log(closed ? Level.DEBUG : Level.WARNING, "a session of the shell broke", broken);
        } finally {
            gogo.close();
            closeTerminal();
        }
    }

    private void closeTerminal() {
        try {
            terminal.close();
        } catch (IOException broken) {
            LOG.log(Level.DEBUG, "a session's terminal broke", broken);
        }
    }

    /** The next line, empty after Ctrl-C, null at the end. */
    private String line() {
        try {
            return reader.readLine(PROMPT);
        } catch (UserInterruptException ctrlC) {
            return "";
        } catch (EndOfFileException ctrlD) {
            return null;
        }
    }

    @Override
    public void resize(TerminalSize size) {
        terminal.setSize(LineTerminal.size(size));
        terminal.raise(Signal.WINCH);
    }

    /** The reader finds the end of its input, sets the far end back, and its thread the rest. */
    @Override
    public void close() {
        closed = true;
        gogo.close();
        try {
            terminal.input().close();
        } catch (IOException broken) {
            LOG.log(Level.DEBUG, "a session's terminal broke", broken);
        }
    }
}
