package org.backplane.shell.socket;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.backplane.machine.terminal.TerminalLine;
import org.backplane.machine.terminal.TerminalSession;
import org.backplane.shell.command.JsonFailure;
import org.backplane.shell.command.Sentence;
import org.backplane.shell.command.ShellException;
import org.backplane.shell.format.Json;
import org.backplane.shell.terminal.GogoSession;
import org.backplane.shell.terminal.GogoShell;

/**
 * One connection to the shell's socket: the protocol of docs/launcher.md, "The shell's socket". One
 * thread receives, one runs commands. A client that closes its end without having said {@code exit}
 * is gone: what it runs is interrupted.
 */
final class ShellClient implements AutoCloseable {
    private static final String EXECUTE = "exec ";
    private static final String JSON = "json ";
    private static final String SESSION = "session";
    private static final String TERMINAL = "terminal ";
    private static final String EXIT = "exit";
    private static final String PROMPT = "backplane> ";

    private static final String HOW_TO_BEGIN =
            "Begin with 'exec COMMAND LINE', 'json COMMAND LINE' or 'session'.";

    private final System.Logger log = System.getLogger(ShellClient.class.getName());
    private final SocketChannel channel;
    private final GogoShell shell;
    private final SocketInput input = new SocketInput();
    private final SocketOutput output;
    private final Object lock = new Object();
    // Guarded by lock: what the end of the client ends.
    private Runnable end = () -> {};
    private boolean gone;

    ShellClient(SocketChannel channel, GogoShell shell) {
        this.channel = channel;
        this.shell = shell;
        output = new SocketOutput(channel, this::vanish);
    }

    /** Answers with a sentence and closes. */
    void turnAway(String reason) {
        say(reason);
        close();
    }

    private void say(String text) {
        output.write((text + "\n").getBytes(StandardCharsets.UTF_8));
    }

    /** The receiving thread: until the client closes its end, or we close ours. */
    void receive() {
        ByteBuffer bytes = ByteBuffer.allocate(4096);
        try {
            while (channel.read(bytes.clear()) >= 0) {
                input.offer(bytes.flip());
            }
        } catch (ClosedChannelException ours) {
            log.log(Level.TRACE, "a session has ended");
        } catch (IOException broken) {
            log.log(Level.DEBUG, "a session broke", broken);
        }
        if (!input.end(EXIT)) {
            vanish();
        }
    }

    /** The commands' thread: until the client is done. */
    void run() {
        try {
            String first = input.line();
            if (first == null) {
                return;
            }
            if (first.startsWith(EXECUTE)) {
                trailer(execute(first.substring(EXECUTE.length())));
            } else if (first.startsWith(JSON)) {
                trailer(executeForJson(first.substring(JSON.length())));
            } else if (first.startsWith(TERMINAL)) {
                onTerminal(first.substring(TERMINAL.length()));
            } else if (first.equals(SESSION)) {
                converse();
            } else {
                say(HOW_TO_BEGIN);
            }
        } catch (ShellException wrong) {
            say(wrong.getMessage());
        }
    }

    private boolean execute(String line) {
        try (GogoSession session = session(output)) {
            return session.run(line);
        }
    }

    private boolean executeForJson(String line) {
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        try (GogoSession session = session(printed)) {
            GogoSession.Outcome outcome = session.perform(line);
            if (outcome.failure() instanceof JsonFailure done) {
                say(done.getMessage());
            } else if (outcome.failure() != null) {
                say(Json.failure(Sentence.of(outcome.failure())).text());
            } else if (outcome.result() == null && printed.size() > 0) {
                say(Json.of(Map.of("output", printed.toString(StandardCharsets.UTF_8))).text());
            } else {
                say(Json.of(outcome.result()).text());
            }
            return outcome.failure() == null;
        }
    }

    private void trailer(boolean done) {
        output.flush();
        output.trailer("status %d\n".formatted(done ? 0 : 1));
    }

    private void converse() throws ShellException {
        try (GogoSession session = session(output)) {
            while (true) {
                output.write(PROMPT.getBytes(StandardCharsets.UTF_8));
                String line = input.line();
                if (line == null || line.strip().equals(EXIT)) {
                    return;
                }
                if (!line.isBlank()) {
                    session.run(line);
                }
            }
        }
    }

    /** The rest of the first line describes a terminal, the second says what to do on it. */
    private void onTerminal(String description) throws ShellException {
        String second = input.line();
        if (second == null) {
            return;
        }
        TerminalInput typed = new TerminalInput(input);
        TerminalLine line = TerminalWords.line(description, typed, output);
        if (second.startsWith(EXECUTE)) {
            endWith(Thread.currentThread()::interrupt);
            trailer(shell.execute(second.substring(EXECUTE.length()), line) == 0);
        } else if (second.equals(SESSION)) {
            CountDownLatch ended = new CountDownLatch(1);
            TerminalSession session = shell.open(line, ended::countDown);
            typed.onResize(session::resize);
            endWith(session::close);
            await(ended);
        } else {
            say(HOW_TO_BEGIN);
        }
    }

    private void await(CountDownLatch ended) {
        try {
            ended.await();
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
        }
    }

    /** A session that ends with the client. */
    private GogoSession session(OutputStream to) {
        GogoSession session = new GogoSession(shell.processor(), input, to, Map.of());
        endWith(session::close);
        return session;
    }

    private void endWith(Runnable close) {
        boolean late;
        synchronized (lock) {
            end = close;
            late = gone;
        }
        if (late) {
            close.run();
        }
    }

    /** Interrupts what the client runs: nobody waits for it. */
    private void vanish() {
        Runnable last;
        synchronized (lock) {
            gone = true;
            last = end;
        }
        input.end(null);
        last.run();
    }

    /** Ends the connection, and with it both threads. */
    @Override
    public void close() {
        vanish();
        try {
            channel.close();
        } catch (IOException broken) {
            log.log(Level.DEBUG, "a session broke", broken);
        }
    }
}
