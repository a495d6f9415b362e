package org.backplane.device.context;

import org.osgi.annotation.versioning.ProviderType;

/** A one-shot timer on guest time. */
@ProviderType
public interface TimerLease extends Lease {
    /**
     * Sets the expiry, replacing an earlier one.
     *
     * @param guestTime in nanoseconds, as {@link DeviceContext#guestTime}
     */
    void arm(long guestTime);

    void disarm();
}
