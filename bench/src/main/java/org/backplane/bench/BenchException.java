package org.backplane.bench;

/** A figure cannot be taken; the message says in one sentence why. */
final class BenchException extends Exception {
    private static final long serialVersionUID = 1L;

    BenchException(String message) {
        super(message);
    }
}
