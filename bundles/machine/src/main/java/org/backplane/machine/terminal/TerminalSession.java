package org.backplane.machine.terminal;

import org.osgi.annotation.versioning.ProviderType;

/** An interactive session of the shell. Thread-safe. */
@ProviderType
public interface TerminalSession extends AutoCloseable {
    /** The terminal has another size now; the line being edited is drawn anew. */
    void resize(TerminalSize size);

    /**
     * Ends the session: a command under way is interrupted and not waited for. Does nothing if it
     * has ended. {@code ended} of {@link TerminalShell#open} is told.
     */
    @Override
    void close();
}
