package org.backplane.vfio.user;

import java.io.IOException;

/** The peer sent what the protocol does not permit: the connection is over. */
final class ProtocolException extends IOException {
    private static final long serialVersionUID = 1L;

    ProtocolException(String message) {
        super(message);
    }
}
