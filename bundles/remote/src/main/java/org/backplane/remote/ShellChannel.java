package org.backplane.remote;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.sshd.server.Environment;
import org.apache.sshd.server.ExitCallback;
import org.apache.sshd.server.Signal;
import org.apache.sshd.server.channel.ChannelSession;
import org.apache.sshd.server.command.Command;
import org.backplane.machine.terminal.TerminalLine;
import org.backplane.machine.terminal.TerminalSession;
import org.backplane.machine.terminal.TerminalShell;
import org.backplane.machine.terminal.TerminalSize;

/**
 * One session channel (RFC 4254, 6): the shell, or one command of it. It ends with its channel:
 * what runs then is interrupted. MINA's threads call it and are not kept waiting.
 */
final class ShellChannel implements Command {
    private static final Logger LOG = System.getLogger(ShellChannel.class.getName());
    private static final int FAILED = 1;

    private final Supplier<Optional<TerminalShell>> shells;
    private final Optional<String> line;
    private InputStream in;
    private OutputStream out;
    private OutputStream error;
    private ExitCallback exit;
    private boolean destroyed;
    private TerminalSession session;
    private Thread runner;

    /**
     * @param shells the shell as far as there is one
     * @param line the command to run; absent: an interactive session
     */
    ShellChannel(Supplier<Optional<TerminalShell>> shells, Optional<String> line) {
        this.shells = shells;
        this.line = line;
    }

    @Override
    public void setInputStream(InputStream stream) {
        in = stream;
    }

    @Override
    public void setOutputStream(OutputStream stream) {
        out = stream;
    }

    @Override
    public void setErrorStream(OutputStream stream) {
        error = stream;
    }

    @Override
    public void setExitCallback(ExitCallback callback) {
        exit = callback;
    }

    @Override
    public synchronized void start(ChannelSession channel, Environment environment) {
        Optional<TerminalShell> shell = shells.get();
        if (shell.isEmpty()) {
            refuse("The machine's shell is not there; try again in a moment.");
            return;
        }
        TerminalSize size = size(environment);
        String type = environment.getEnv().get(Environment.ENV_TERM);
        boolean terminal = type != null;
        var far =
                new TerminalLine(
                        in, out, terminal ? type : TerminalLine.DUMB, size, Optional.empty());
        if (line.isEmpty()) {
            open(shell.get(), far, environment);
        } else {
            execute(shell.get(), far, terminal);
        }
    }

    private void open(TerminalShell shell, TerminalLine far, Environment environment) {
        try {
            session = shell.open(far, () -> exit.onExit(0));
        } catch (UncheckedIOException e) {
            refuse(e.getMessage());
            return;
        }
        TerminalSession opened = session;
        environment.addSignalListener(
                (channel, signal) -> opened.resize(size(environment)), Signal.WINCH);
    }

    private void execute(TerminalShell shell, TerminalLine far, boolean terminal) {
        String command = line.orElseThrow();
        runner =
                new Thread(
                        () -> {
                            int status = FAILED;
                            try {
                                status =
                                        terminal
                                                ? shell.execute(command, far)
                                                : shell.execute(command, in, out);
                                out.flush();
                            } catch (IOException | UncheckedIOException e) {
                                LOG.log(Level.DEBUG, "a login by SSH has gone", e);
                            } finally {
                                exit.onExit(status);
                            }
                        },
                        "remote-command");
        runner.setDaemon(true);
        runner.start();
    }

    private void refuse(String sentence) {
        try {
            error.write((sentence + "\r\n").getBytes(StandardCharsets.UTF_8));
            error.flush();
        } catch (IOException e) {
            LOG.log(Level.DEBUG, "a login by SSH has gone", e);
        }
        exit.onExit(FAILED, sentence);
    }

    private static TerminalSize size(Environment environment) {
        return new TerminalSize(
                number(environment, Environment.ENV_COLUMNS),
                number(environment, Environment.ENV_LINES));
    }

    private static int number(Environment environment, String name) {
        String text = environment.getEnv().getOrDefault(name, "");
        return text.matches("\\d{1,6}") ? Integer.parseInt(text) : 0;
    }

    @Override
    public synchronized void destroy(ChannelSession channel) {
        if (destroyed) {
            return;
        }
        destroyed = true;
        if (session != null) {
            session.close();
        }
        if (runner != null) {
            runner.interrupt();
        }
    }
}
