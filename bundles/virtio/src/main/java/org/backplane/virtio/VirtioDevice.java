package org.backplane.virtio;

import java.util.List;
import org.backplane.device.Device;
import org.osgi.annotation.versioning.ConsumerType;

/** The delegate behind a virtio function. */
@ConsumerType
public interface VirtioDevice extends Device {
    /** Constant for the life of the device. */
    VirtioShape shape();

    /** Hands the device its wires; once, before restore and start. */
    default void wired(VirtioWires wires) {}

    /** Reads the device-specific configuration; on a processor's thread. */
    long readConfig(int offset, int width);

    /** Writes the device-specific configuration; on a processor's thread. */
    void writeConfig(int offset, int width, long value);

    /**
     * The driver is ready (DRIVER_OK), or the device takes over queues in use. Called on the
     * control thread, after restore in a swap; before it {@link #work} is not called.
     *
     * @param features as negotiated; without VIRTIO_F_VERSION_1 the driver is a legacy one, which
     *     only a transitional device has
     * @param queues by index; null where the driver left one disabled
     */
    void activate(long features, List<SplitQueue> queues);

    /** A queue has, or may have, new buffers; on the queue's worker, one call at a time a queue. */
    void work(int queue);
}
