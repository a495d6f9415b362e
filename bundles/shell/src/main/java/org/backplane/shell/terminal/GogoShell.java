package org.backplane.shell.terminal;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.felix.service.command.CommandProcessor;
import org.backplane.machine.terminal.TerminalLine;
import org.backplane.machine.terminal.TerminalSession;
import org.backplane.machine.terminal.TerminalShell;
import org.backplane.shell.command.Catalogue;
import org.backplane.shell.command.GogoCommand;
import org.jline.terminal.Terminal;

/** The shell of this machine: Gogo behind JLine. Thread-safe. */
public final class GogoShell implements TerminalShell, AutoCloseable {
    private final CommandProcessor processor;
    private final Catalogue catalogue;
    private final CommandHistory history;
    private final AtomicInteger number = new AtomicInteger();
    private final Map<Object, Runnable> open = new HashMap<>();
    private boolean closed;

    public GogoShell(CommandProcessor processor, Catalogue catalogue, CommandHistory history) {
        this.processor = processor;
        this.catalogue = catalogue;
        this.history = history;
    }

    public CommandProcessor processor() {
        return processor;
    }

    @Override
    public TerminalSession open(TerminalLine line, Runnable ended) {
        try {
            InteractiveSession session =
                    new InteractiveSession(line, processor, catalogue, history);
            if (!enter(session, session::close)) {
                session.close();
            }
            Thread thread =
                    new Thread(
                            () -> run(session, ended),
                            "shell-terminal-" + number.incrementAndGet());
            thread.setDaemon(true);
            // Not the caller's: that may be another bundle.
            thread.setContextClassLoader(GogoShell.class.getClassLoader());
            thread.start();
            return session;
        } catch (IOException e) {
            throw unusable(e);
        }
    }

    private void run(InteractiveSession session, Runnable ended) {
        try {
            session.run();
        } finally {
            leave(session);
            ended.run();
        }
    }

    private static UncheckedIOException unusable(IOException e) {
        return new UncheckedIOException("The terminal cannot be used: " + e.getMessage(), e);
    }

    @Override
    public int execute(String command, InputStream in, OutputStream out) {
        return run(command, new GogoSession(processor, in, out, Map.of()));
    }

    @Override
    public int execute(String command, TerminalLine line) {
        Map<String, Object> variables = new TreeMap<>();
        line.folder().ifPresent(folder -> variables.put(GogoCommand.FOLDER, folder));
        try (Terminal terminal = LineTerminal.open(line)) {
            variables.put(GogoCommand.SCREEN, new TerminalScreen(terminal));
            GogoSession session =
                    new GogoSession(processor, terminal.input(), terminal.output(), variables);
            LineTerminal.listen(terminal, session::interrupt);
            return run(command, session);
        } catch (IOException e) {
            throw unusable(e);
        }
    }

    private int run(String command, GogoSession session) {
        try (session) {
            return enter(session, session::close) && session.run(command) ? 0 : 1;
        } finally {
            leave(session);
        }
    }

    private synchronized boolean enter(Object session, Runnable close) {
        if (!closed) {
            open.put(session, close);
        }
        return !closed;
    }

    private synchronized void leave(Object session) {
        open.remove(session);
    }

    /** Ends every session; commands under way are interrupted and not waited for. */
    @Override
    public void close() {
        List<Runnable> last;
        synchronized (this) {
            closed = true;
            last = List.copyOf(open.values());
        }
        last.forEach(Runnable::run);
    }
}
