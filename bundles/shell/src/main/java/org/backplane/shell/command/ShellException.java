package org.backplane.shell.command;

/** The socket cannot be served, or a command was given wrongly; one sentence with the remedy. */
public final class ShellException extends Exception {
    private static final long serialVersionUID = 1L;

    public ShellException(String message) {
        super(message);
    }

    public ShellException(String message, Throwable cause) {
        super(message, cause);
    }
}
