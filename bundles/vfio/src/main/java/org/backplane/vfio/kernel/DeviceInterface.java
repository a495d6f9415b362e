package org.backplane.vfio.kernel;

import org.backplane.vfio.VfioException;

/** One of the two ways to a device in the kernel. Used under the container's lock. */
sealed interface DeviceInterface permits GroupInterface, CdevInterface {
    /**
     * Opens a device that is there, bound to VFIO and in a viable group, with the guest's memory
     * mapped for it. If that fails nothing is left open or mapped.
     *
     * @param group the function's
     */
    Opened open(HostFunction function, int group) throws VfioException;
}
