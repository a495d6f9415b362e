package org.backplane.device;

import org.backplane.device.context.DeviceContext;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Makes devices of one kind. A stateless OSGi service with the property {@link #KIND}; the machine
 * picks by pin, service.ranking, bundle version, then the bundle installed last.
 */
@ConsumerType
public interface DeviceFactory {
    /** Service property: the kind, as a slot names it, e.g. {@code virtio-blk}. */
    String KIND = "org.backplane.kind";

    /**
     * Makes the device of a slot. It may take leases from the context; should it throw, the machine
     * closes them. Everything observable on the host waits for {@link Device#start}.
     *
     * @throws DeviceException settings or the host do not permit it; the message names the setting,
     *     its value and the remedy
     */
    Device create(DeviceContext context) throws DeviceException;
}
