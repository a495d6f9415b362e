package org.backplane.hypervisor;

/** The host could not do what was asked; the message holds the values and the remedy. */
public final class HypervisorException extends Exception {
    private static final long serialVersionUID = 1L;

    public HypervisorException(String message) {
        super(message);
    }

    public HypervisorException(String message, Throwable cause) {
        super(message, cause);
    }
}
