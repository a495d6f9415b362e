package org.backplane.vfio.user;

import java.io.IOException;

/** Nothing came from the peer in time: the connection is over. */
final class SilenceException extends IOException {
    private static final long serialVersionUID = 1L;

    SilenceException(String message) {
        super(message);
    }
}
