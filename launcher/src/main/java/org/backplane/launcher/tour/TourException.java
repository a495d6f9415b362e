package org.backplane.launcher.tour;

/** A step of the tour did not hold; the message says in one sentence what was found instead. */
public final class TourException extends Exception {
    private static final long serialVersionUID = 1L;

    public TourException(String message) {
        super(message);
    }
}
