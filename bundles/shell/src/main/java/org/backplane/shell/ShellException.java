package org.backplane.shell;

/** The socket cannot be served, or a command was given wrongly; one sentence with the remedy. */
final class ShellException extends Exception {
    private static final long serialVersionUID = 1L;

    ShellException(String message) {
        super(message);
    }

    ShellException(String message, Throwable cause) {
        super(message, cause);
    }
}
