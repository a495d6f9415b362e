package org.backplane.launcher.tour;

/** A step of the tour did not hold; the message says in one sentence what was found instead. */
final class TourException extends Exception {
    private static final long serialVersionUID = 1L;

    TourException(String message) {
        super(message);
    }
}
