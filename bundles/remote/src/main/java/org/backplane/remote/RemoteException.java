package org.backplane.remote;

/** Logins cannot be offered; the message is a sentence with the remedy. */
final class RemoteException extends Exception {
    private static final long serialVersionUID = 1L;

    RemoteException(String message, Throwable cause) {
        super(message, cause);
    }
}
