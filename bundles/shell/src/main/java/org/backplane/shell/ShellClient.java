package org.backplane.shell;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import org.apache.felix.service.command.CommandProcessor;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Converter;

/**
 * One connection to the shell's socket: the protocol of docs/launcher.md, "The shell's socket". One
 * thread receives, one runs commands. A client that closes its end without having said {@code exit}
 * is gone: what it runs is interrupted.
 */
final class ShellClient implements AutoCloseable {
    private static final String EXECUTE = "exec ";
    private static final String SESSION = "session";
    private static final String EXIT = "exit";
    private static final String PROMPT = "backplane> ";

    /** Where names without a scope are looked for: Felix's own stop comes before the machine's. */
    private static final String SCOPES = "felix:vm:gogo:*";

    private final System.Logger log = System.getLogger(ShellClient.class.getName());
    private final SocketChannel channel;
    private final CommandProcessor processor;
    private final SocketInput input = new SocketInput();
    private final SocketOutput output;
    private final Object lock = new Object();
    private CommandSession session;
    private boolean gone;

    ShellClient(SocketChannel channel, CommandProcessor processor) {
        this.channel = channel;
        this.processor = processor;
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
                execute(first.substring(EXECUTE.length()));
            } else if (first.equals(SESSION)) {
                converse();
            } else {
                say("Begin with 'exec COMMAND LINE' or with 'session'.");
            }
        } catch (ShellException tooLong) {
            say(tooLong.getMessage());
        }
    }

    private void execute(String line) {
        if (open() == null) {
            return;
        }
        boolean done = command(line);
        output.flush();
        output.trailer("status %d\n".formatted(done ? 0 : 1));
    }

    private void converse() throws ShellException {
        if (open() == null) {
            return;
        }
        while (true) {
            output.write(PROMPT.getBytes(StandardCharsets.UTF_8));
            String line = input.line();
            if (line == null || line.strip().equals(EXIT)) {
                return;
            }
            if (!line.isBlank()) {
                command(line);
            }
        }
    }

    /** Runs a line and prints what it returns, or why it failed; an interrupted one has failed. */
    private boolean command(String line) {
        CommandSession session = open();
        if (session == null) {
            return false;
        }
        try {
            Object result = session.execute(line);
            if (result != null) {
                String text = session.format(result, Converter.INSPECT).toString().stripTrailing();
                if (!text.isEmpty()) {
                    say(text);
                }
            }
            return open() != null;
        } catch (Exception failed) {
            log.log(Level.DEBUG, () -> "'%s' failed".formatted(line), failed);
            say(sentence(failed));
            return false;
        }
    }

    /** The failure's message without a stack; the whole of it is in the log. */
    private static String sentence(Throwable failure) {
        String message = failure.getMessage();
        if (message == null || message.isBlank()) {
            Throwable cause = failure.getCause();
            return cause == null ? failure.getClass().getSimpleName() : sentence(cause);
        }
        return message.lines().findFirst().orElse(message);
    }

    /** The Gogo session, or null once the client is gone. */
    private CommandSession open() {
        synchronized (lock) {
            if (!gone && session == null) {
                // Gogo makes interruptible channels of these, and interrupting one closes its
                // stream under a lock of the thread: only streams that close without a lock of
                // their own may be given to it, so no PrintStream.
                session = processor.createSession(input, output, output);
                session.put("SCOPE", SCOPES);
            }
            return gone ? null : session;
        }
    }

    /** Interrupts what the client runs: nobody waits for it. */
    private void vanish() {
        CommandSession last;
        synchronized (lock) {
            gone = true;
            last = session;
        }
        input.end(null);
        if (last != null) {
            last.close();
        }
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
