package org.backplane.machine.terminal;

import java.io.InputStream;
import java.io.OutputStream;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The machine's shell; a service, offered by the bundle {@code shell}, which may come late and go
 * at any time. When it goes, all sessions end. Thread-safe.
 */
@ProviderType
public interface TerminalShell {
    /**
     * Opens an interactive session: prompt, line editing, completion, history. Returns at once; the
     * session lives on threads of the shell's until the user says {@code exit} or Ctrl-D, {@code
     * in} ends, or it is closed.
     *
     * @param ended run once, on a thread of the shell's, after the last byte was written
     */
    TerminalSession open(TerminalLine line, Runnable ended);

    /**
     * Runs one command line and returns its status, 0 for success and 1 for failure. What it
     * prints, its formatted result and, if it failed, one sentence are in {@code out}, lines ending
     * with LF. Runs on the caller's thread; interrupting that interrupts the command, which has
     * then failed.
     *
     * @param in for a command that reads; may be empty, is not closed
     * @param out flushed at the end, not closed
     */
    int execute(String command, InputStream in, OutputStream out);

    /**
     * Runs one command line for somebody at a terminal, which the command may know the width and
     * the colours of and may draw on. As the other otherwise; Ctrl-C in {@code line.in()}
     * interrupts the command too.
     */
    int execute(String command, TerminalLine line);
}
