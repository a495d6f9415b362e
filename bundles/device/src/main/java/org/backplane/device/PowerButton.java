package org.backplane.device;

import org.osgi.annotation.versioning.ConsumerType;

/** A device with the button by which an operator asks the guest to shut itself down. */
@ConsumerType
public interface PowerButton {
    /**
     * Pressed and let go. Called on the control thread, between start and close; what the guest
     * makes of it comes later, or never.
     */
    void press();
}
