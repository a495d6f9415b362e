package org.backplane.vfio;

import java.io.IOException;

/** A device elsewhere could not do what was asked; one sentence with the values and the remedy. */
public final class VfioException extends IOException {
    private static final long serialVersionUID = 1L;

    public VfioException(String message) {
        super(message);
    }

    public VfioException(String message, Throwable cause) {
        super(message, cause);
    }
}
