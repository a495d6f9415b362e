package org.backplane.device.context;

import org.osgi.annotation.versioning.ProviderType;

/** One input of a wired OR; low when closed. */
@ProviderType
public interface InterruptLine extends Lease {
    /** Sets this input. Thread-safe, does not wait. */
    void set(boolean high);
}
