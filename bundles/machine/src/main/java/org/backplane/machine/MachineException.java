package org.backplane.machine;

/**
 * The machine cannot do what was asked; the message is one sentence with the values and the remedy.
 */
public final class MachineException extends Exception {
    private static final long serialVersionUID = 1L;

    public MachineException(String message) {
        super(message);
    }

    public MachineException(String message, Throwable cause) {
        super(message, cause);
    }
}
