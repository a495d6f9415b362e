package org.backplane.device.vfio;

import org.backplane.device.DeviceException;
import org.backplane.device.context.DeviceContext;
import org.backplane.vfio.VfioDevice;

/** How the device of a slot is reached. */
@FunctionalInterface
interface Transport {
    /**
     * Reaches the device that the settings name; the one that the slot keeps, if it does already.
     *
     * @return the slot's, closed with it
     * @throws DeviceException it cannot be reached; the sentence has the setting and the remedy
     */
    VfioDevice open(DeviceContext context, VfioSettings settings) throws DeviceException;
}
