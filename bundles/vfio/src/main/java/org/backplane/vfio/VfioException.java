package org.backplane.vfio;

import java.io.IOException;

/** A device elsewhere could not do what was asked; one sentence with the values and the remedy. */
public final class VfioException extends IOException {
    private static final long serialVersionUID = 1L;

    private final boolean absent;

    public VfioException(String message) {
        super(message);
        absent = false;
    }

    public VfioException(String message, Throwable cause) {
        this(message, cause, false);
    }

    private VfioException(String message, Throwable cause, boolean absent) {
        super(message, cause);
        this.absent = absent;
    }

    /** Says that nobody is at the other end. */
    public static VfioException absent(String message, Throwable cause) {
        return new VfioException(message, cause, true);
    }

    /** Whether nobody is at the other end: no fault of anybody's, while a server is ended. */
    public boolean isAbsent() {
        return absent;
    }
}
