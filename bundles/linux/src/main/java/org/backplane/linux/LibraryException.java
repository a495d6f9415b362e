package org.backplane.linux;

import java.io.IOException;

/** A library of the host is missing, or too old. The message names it and says which it is. */
public final class LibraryException extends IOException {
    private static final long serialVersionUID = 1L;

    LibraryException(String message, Throwable cause) {
        super(message, cause);
    }
}
