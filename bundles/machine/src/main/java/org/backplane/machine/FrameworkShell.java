package org.backplane.machine;

import java.util.Optional;
import java.util.function.Consumer;
import org.backplane.machine.console.ShellSource;
import org.backplane.machine.terminal.TerminalLine;
import org.backplane.machine.terminal.TerminalShell;
import org.backplane.machine.terminal.TerminalSize;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.util.tracker.ServiceTracker;

/**
 * The shell as the framework has it, and the terminal as the launcher tells it: docs/launcher.md.
 */
final class FrameworkShell implements ShellSource, AutoCloseable {
    /** Types are the JDK's: launcher and bundles share no class. */
    private static final String TERMINAL =
            "(&(objectClass=java.util.function.Consumer)(org.backplane.terminal=true))";

    private final ServiceTracker<TerminalShell, TerminalShell> shells;
    private final ServiceTracker<Consumer<Consumer<int[]>>, Consumer<Consumer<int[]>>> terminals;

    FrameworkShell(BundleContext context) {
        shells = new ServiceTracker<>(context, TerminalShell.class, null);
        try {
            terminals = new ServiceTracker<>(context, FrameworkUtil.createFilter(TERMINAL), null);
        } catch (InvalidSyntaxException e) {
            throw new IllegalStateException(TERMINAL, e);
        }
        shells.open();
        terminals.open();
    }

    @Override
    public Optional<TerminalShell> shell() {
        return Optional.ofNullable(shells.getService());
    }

    @Override
    public String terminal() {
        return System.getenv().getOrDefault("TERM", TerminalLine.DUMB);
    }

    @Override
    public void watchSize(Consumer<TerminalSize> listener) {
        Consumer<Consumer<int[]>> terminal = terminals.getService();
        if (terminal != null) {
            terminal.accept(size -> listener.accept(new TerminalSize(size[0], size[1])));
        }
    }

    @Override
    public void close() {
        terminals.close();
        shells.close();
    }
}
