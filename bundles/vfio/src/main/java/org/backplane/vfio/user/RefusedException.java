package org.backplane.vfio.user;

/** A command cannot be carried out; the connection goes on. */
final class RefusedException extends Exception {
    private static final long serialVersionUID = 1L;

    private final int errno;

    /**
     * @param errno what the client is told
     * @param message why, for the log
     */
    RefusedException(int errno, String message) {
        super(message);
        this.errno = errno;
    }

    int errno() {
        return errno;
    }
}
