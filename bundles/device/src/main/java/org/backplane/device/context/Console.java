package org.backplane.device.context;

import org.osgi.annotation.versioning.ProviderType;

/** The host's end of a serial line. Thread-safe; never waits. */
@ProviderType
public interface Console {
    /** Sends a byte to the host; a host end that is full or gone loses it. */
    void write(int octet);

    /** The next byte typed, or -1. */
    int read();

    /** Runs the callback on a worker when bytes have come; one callback a console. */
    Lease onInput(Runnable arrived);
}
