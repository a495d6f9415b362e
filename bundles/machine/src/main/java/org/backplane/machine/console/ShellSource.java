package org.backplane.machine.console;

import java.util.Optional;
import java.util.function.Consumer;
import org.backplane.machine.terminal.TerminalShell;
import org.backplane.machine.terminal.TerminalSize;

/** Where a console on a terminal gets the shell from, and what that terminal is. Thread-safe. */
public interface ShellSource {
    /** Never a shell. */
    ShellSource NONE =
            new ShellSource() {
                @Override
                public Optional<TerminalShell> shell() {
                    return Optional.empty();
                }

                @Override
                public String terminal() {
                    return "dumb";
                }

                @Override
                public void watchSize(Consumer<TerminalSize> listener) {
                    listener.accept(TerminalSize.UNKNOWN);
                }
            };

    /** The shell there is now; its bundle may come late and go at any time. */
    Optional<TerminalShell> shell();

    /** As in {@code TERM}. */
    String terminal();

    /** Tells the terminal's size, now and after every change. */
    void watchSize(Consumer<TerminalSize> listener);
}
