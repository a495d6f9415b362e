package org.backplane.machine.console;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.function.IntConsumer;
import org.backplane.machine.terminal.TerminalLine;
import org.backplane.machine.terminal.TerminalSession;
import org.backplane.machine.terminal.TerminalShell;
import org.backplane.machine.terminal.TerminalSize;

/**
 * One terminal for the guest's console and the shell by turns. What the guest says while the shell
 * is shown is kept, the latest of it, and shown on the return. Thread-safe: the guest's output, the
 * keyboard and the shell's threads come together here.
 */
final class SharedTerminal {
    private static final Logger LOG = System.getLogger(SharedTerminal.class.getName());
    private static final int KEPT = 1 << 18;
    private static final String TO_SHELL =
            "[the shell; Ctrl-A s, Ctrl-D or exit goes back to the guest]";
    private static final String TO_GUEST = "[the guest's console]";
    private static final String NO_SHELL =
            "[the shell is not there: its bundle has not started yet, or was stopped; try again]";

    private final OutputStream terminal;
    private final IntConsumer guest;
    private final ShellSource source;
    // Guarded by this, and so are writes to the terminal.
    private final KeptOutput kept = new KeptOutput(KEPT);
    private TerminalSize size = TerminalSize.UNKNOWN;
    private boolean watched;
    private Visit visit;

    /**
     * @param guest takes what is typed for the guest
     */
    SharedTerminal(OutputStream terminal, IntConsumer guest, ShellSource source) {
        this.terminal = terminal;
        this.guest = guest;
        this.source = source;
    }

    /** One stay in the shell: from Ctrl-A s to the return. */
    private final class Visit extends OutputStream {
        final Keys keys = new Keys();
        TerminalSession session;
        boolean leaving;

        @Override
        public void write(int octet) throws IOException {
            write(new byte[] {(byte) octet}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            synchronized (SharedTerminal.this) {
                // A command that was left behind says no more.
                if (visit == this) {
                    terminal.write(bytes, offset, length);
                }
            }
        }
    }

    /** The guest's output; waits as long as the terminal does. */
    synchronized void show(byte[] bytes, int length) throws IOException {
        if (visit == null) {
            terminal.write(bytes, 0, length);
        } else {
            kept.add(bytes, length);
        }
    }

    /** A key, for whom is shown. */
    void typed(int octet) {
        Visit current;
        synchronized (this) {
            current = visit;
        }
        if (current == null) {
            guest.accept(octet);
        } else {
            current.keys.typed(octet);
        }
    }

    /** Lines of the monitor's own, whoever is shown. */
    synchronized void say(String text) {
        try {
            terminal.write(("\r\n" + text + "\r\n").getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            LOG.log(Level.DEBUG, "the terminal is gone: {0}", e.getMessage());
        }
    }

    /** To the shell, or back; asked a second time, back without waiting for the shell. */
    void toggle() {
        Visit current;
        boolean impatient;
        synchronized (this) {
            current = visit;
            impatient = current != null && current.leaving;
            if (current != null) {
                current.leaving = true;
            }
        }
        if (current == null) {
            visit();
        } else if (impatient || current.session == null) {
            returned(current);
        } else {
            current.session.close();
            current.keys.end();
        }
    }

    private void visit() {
        Optional<TerminalShell> shell = source.shell();
        if (shell.isEmpty()) {
            say(NO_SHELL);
            return;
        }
        watchSize();
        Visit next = new Visit();
        TerminalLine line;
        synchronized (this) {
            visit = next;
            line = new TerminalLine(next.keys, next, source.terminal(), size, Optional.empty());
        }
        say(TO_SHELL);
        try {
            TerminalSession session = shell.get().open(line, () -> returned(next));
            synchronized (this) {
                next.session = session;
            }
        } catch (RuntimeException e) {
            // The bundle of the shell may go between being found and being asked.
            LOG.log(Level.WARNING, "the shell cannot be opened on the console", e);
            say(NO_SHELL);
            returned(next);
        }
    }

    private void watchSize() {
        boolean first;
        synchronized (this) {
            first = !watched;
            watched = true;
        }
        if (first) {
            source.watchSize(this::resized);
        }
    }

    private void resized(TerminalSize now) {
        TerminalSession session;
        synchronized (this) {
            size = now;
            session = visit == null ? null : visit.session;
        }
        if (session != null) {
            session.resize(now);
        }
    }

    /** Shows the guest again, if it is that stay that has ended. */
    private synchronized void returned(Visit ended) {
        ended.keys.end();
        if (visit != ended) {
            return;
        }
        visit = null;
        say(TO_GUEST);
        if (kept.lost() > 0) {
            say("[%d bytes before this are lost]".formatted(kept.lost()));
        }
        try {
            kept.moveTo(terminal);
        } catch (IOException e) {
            LOG.log(Level.DEBUG, "the terminal is gone: {0}", e.getMessage());
        }
    }
}
