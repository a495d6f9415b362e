package org.backplane.bus;

/** A claim that a window refused; the message names owner, size, window and what is left. */
public final class ClaimException extends Exception {
    private static final long serialVersionUID = 1L;

    /**
     * @param message one sentence
     */
    public ClaimException(String message) {
        super(message);
    }
}
