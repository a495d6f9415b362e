package org.backplane.virtio;

import java.util.List;
import org.backplane.bus.ClaimException;
import org.backplane.device.DeviceException;
import org.backplane.device.state.SavedState;
import org.backplane.memory.MemoryView;
import org.backplane.pci.HostBridge;
import org.backplane.pci.PciFunction;

/**
 * A modern virtio device on PCI (virtio 1.2, section 4.1): capabilities, common configuration, ISR,
 * notification area, MSI-X vectors and the queues. Owned by the slot.
 */
public final class VirtioPciFunction implements AutoCloseable {
    /**
     * Plugs the function into the bridge.
     *
     * @param device PCI device number, -1 for any
     */
    public VirtioPciFunction(
            HostBridge bridge,
            String slot,
            int device,
            VirtioShape shape,
            MemoryView memory,
            VirtioBackend backend)
            throws ClaimException {
        throw new AssertionError("skeleton");
    }

    public PciFunction function() {
        throw new AssertionError("skeleton");
    }

    public VirtioShape shape() {
        throw new AssertionError("skeleton");
    }

    /**
     * Whether a device of that shape can take over: equal, or offering more features, which the
     * driver sees after its next reset.
     */
    public boolean accepts(VirtioShape other) {
        throw new AssertionError("skeleton");
    }

    /** Adopts the shape of the device that took over. */
    public void adopt(VirtioShape other) {
        throw new AssertionError("skeleton");
    }

    /** Status as the driver set it (virtio 1.2, section 2.1). */
    public int status() {
        throw new AssertionError("skeleton");
    }

    public boolean active() {
        throw new AssertionError("skeleton");
    }

    public long negotiatedFeatures() {
        throw new AssertionError("skeleton");
    }

    /** By index, null where disabled. */
    public List<SplitQueue> queues() {
        throw new AssertionError("skeleton");
    }

    /** The device is drained and reset: clears rings, vectors and status. */
    public void resetDone() {
        throw new AssertionError("skeleton");
    }

    /** A machine reset: the function and its PCI half as after plugging. */
    public void reset() {
        throw new AssertionError("skeleton");
    }

    /** Requests taken and not completed, over all queues. */
    public int outstanding() {
        throw new AssertionError("skeleton");
    }

    /** Presents the ledger's requests again to the next device: for one that could not save. */
    public void presentAgain() {
        throw new AssertionError("skeleton");
    }

    /** Asks the driver for a reset: DEVICE_NEEDS_RESET and a configuration interrupt. */
    public void needsReset() {
        throw new AssertionError("skeleton");
    }

    public SavedState save() {
        throw new AssertionError("skeleton");
    }

    public void restore(SavedState state) throws DeviceException {
        throw new AssertionError("skeleton");
    }

    @Override
    public void close() {
        throw new AssertionError("skeleton");
    }
}
