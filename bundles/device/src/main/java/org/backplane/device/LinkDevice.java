package org.backplane.device;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * A device with a link that the operator can take down: a network card whose cable is pulled. The
 * slot remembers how the link is, over swaps and in snapshots; it is not part of the device's saved
 * state.
 */
@ConsumerType
public interface LinkDevice {
    /**
     * How the link is from now on. Called on the control thread, once before start, and then at
     * every change.
     */
    void link(boolean up);
}
