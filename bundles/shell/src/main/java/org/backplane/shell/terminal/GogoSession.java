package org.backplane.shell.terminal;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.apache.felix.service.command.CommandProcessor;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Converter;
import org.backplane.shell.command.Sentence;

/**
 * Runs lines in Gogo, one after another, and prints what they return or why they failed. One thread
 * runs; any may interrupt or close.
 */
public final class GogoSession implements AutoCloseable {
    /** Where names without a scope are looked for: stop is for bundles, not for the machine. */
    private static final String SCOPES = "shell:felix:vm:gogo:*";

    /** Names of all variables of a Gogo session. */
    private static final String VARIABLES = ".variables";

    private static final System.Logger LOG = System.getLogger(GogoSession.class.getName());

    private final CommandProcessor processor;
    private final InputStream in;
    private final OutputStream out;
    private final Object lock = new Object();
    // Guarded by lock, as are the rest.
    private CommandSession session;
    private CutInput input;
    private CutOutput output;
    private Thread running;
    private boolean closed;

    /**
     * Opens a session.
     *
     * @param in for commands that read; never closed
     * @param out takes output of several threads; never closed
     * @param variables known to its commands from the beginning
     */
    public GogoSession(
            CommandProcessor processor,
            InputStream in,
            OutputStream out,
            Map<String, Object> variables) {
        this.processor = processor;
        this.in = in;
        this.out = out;
        Map<String, Object> all = new LinkedHashMap<>(variables);
        all.put("SCOPE", SCOPES);
        renew(all);
    }

    /**
     * How a line ended.
     *
     * @param result what its last command returned, or null
     * @param failure why it failed, or null
     */
    public record Outcome(Object result, Exception failure) {}

    /** Runs a line; what it prints is printed, what it returns is not. */
    public Outcome perform(String line) {
        try {
            Object result = execute(line);
            return isClosed()
                    ? new Outcome(null, new InterruptedException("the session was closed"))
                    : new Outcome(result, null);
        } catch (Exception failed) {
            LOG.log(Level.DEBUG, () -> "'%s' failed".formatted(line), failed);
            return new Outcome(null, failed);
        }
    }

    /**
     * Runs a line and prints what it returns, or why it failed.
     *
     * @return whether it succeeded; an interrupted one has failed
     */
    public boolean run(String line) {
        Outcome outcome = perform(line);
        if (outcome.failure() != null) {
            say(Sentence.of(outcome.failure()));
        } else if (outcome.result() != null) {
            say(format(outcome.result()));
        }
        return outcome.failure() == null;
    }

    private Object execute(String line) throws Exception {
        CommandSession current;
        synchronized (lock) {
            if (closed) {
                throw new InterruptedException("the session is closed");
            }
            running = Thread.currentThread();
            current = session;
        }
        try {
            return current.execute(line);
        } catch (InterruptedException e) {
            abandon();
            throw e;
        } finally {
            synchronized (lock) {
                running = null;
                // What came too late for this line is not meant for the next.
                if (Thread.interrupted()) {
                    LOG.log(Level.TRACE, "interrupted after its end: {0}", line);
                }
            }
        }
    }

    private String format(Object result) {
        CommandSession current;
        synchronized (lock) {
            current = session;
        }
        return current.format(result, Converter.INSPECT).toString().stripTrailing();
    }

    private void say(String text) {
        if (!text.isEmpty()) {
            try {
                out.write((text + "\n").getBytes(StandardCharsets.UTF_8));
                out.flush();
            } catch (IOException gone) {
                LOG.log(Level.DEBUG, "nobody reads the answer: {0}", gone.getMessage());
            }
        }
    }

    /** Interrupts the line that runs, if one does. */
    public void interrupt() {
        synchronized (lock) {
            if (running != null) {
                running.interrupt();
            }
        }
    }

    /** A variable that commands see. */
    public Object get(String name) {
        synchronized (lock) {
            return session.get(name);
        }
    }

    private boolean isClosed() {
        synchronized (lock) {
            return closed;
        }
    }

    /**
     * Goes on in a new Gogo session with the same variables. The old one is of no use any more: an
     * interrupted command has closed its channels, and a job that has not ended stays in its
     * foreground.
     */
    private void abandon() {
        CommandSession old;
        CutInput oldInput;
        synchronized (lock) {
            old = session;
            oldInput = input;
            oldInput.cut();
            output.cut();
            if (!closed) {
                Map<String, Object> variables = new LinkedHashMap<>();
                if (old.get(VARIABLES) instanceof Set<?> names) {
                    for (Object name : names) {
                        variables.put(name.toString(), old.get(name.toString()));
                    }
                }
                renew(variables);
            }
        }
        old.close();
        oldInput.awaitLeft();
    }

    private void renew(Map<String, Object> variables) {
        synchronized (lock) {
            input = new CutInput(in);
            output = new CutOutput(out);
            // Gogo makes interruptible channels of these, and interrupting one closes its stream
            // under a lock of the thread: only streams that close without a lock of their own may
            // be given to it, so no PrintStream.
            session = processor.createSession(input, output, output);
            variables.forEach(session::put);
        }
    }

    /** Ends the session: what it runs is interrupted and not waited for. */
    @Override
    public void close() {
        CommandSession last;
        synchronized (lock) {
            closed = true;
            last = session;
            interrupt();
        }
        last.close();
    }
}
