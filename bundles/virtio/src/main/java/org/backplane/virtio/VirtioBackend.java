package org.backplane.virtio;

import java.util.List;
import org.backplane.device.context.Lease;
import org.backplane.linux.EventFd;
import org.osgi.annotation.versioning.ConsumerType;

/** The slot behind a virtio-pci function: gates, posts, and holds the doorbells. */
@ConsumerType
public interface VirtioBackend {
    /** Gated; on a processor's thread. */
    long readConfig(int offset, int width);

    /** Gated; on a processor's thread. */
    void writeConfig(int offset, int width, long value);

    /**
     * DRIVER_OK was set, or a legacy driver uses the device already: posts the activation and
     * returns at once.
     */
    void driverOk(long features, List<SplitQueue> queues);

    /**
     * The driver wrote 0 to device_status: posts the reset and returns at once. device_status reads
     * as before until {@link VirtioPciFunction#resetDone}.
     */
    void resetRequested();

    /**
     * Waits until a reset that was requested is done, because a legacy driver does not look; on a
     * processor's thread, which counts as parked meanwhile. A backend that has done it inside of
     * {@link #resetRequested} has nothing to wait for.
     */
    default void awaitReset() {}

    /** The event that wakes the queue's worker. */
    EventFd doorbell(int queue);

    /** Makes stores to an address signal the queue's event, until closed. */
    Lease bindDoorbell(int queue, long address);

    /** A ring is broken: one line for the log; the function has set DEVICE_NEEDS_RESET. */
    void broken(int queue, String reason);
}
