package org.backplane.virtio;

/**
 * The device's side of a split virtqueue (virtio 1.2, section 2.7), owned by the slot. Used by one
 * worker at a time; {@link #complete} may come from another thread.
 */
public final class SplitQueue {
    SplitQueue() {}

    public int index() {
        throw new AssertionError("skeleton");
    }

    /**
     * Takes the next available chain into the ledger; null if there is none, or if the ring is
     * broken and the device now needs reset. The chain object is reused after its completion.
     */
    public DescriptorChain poll() {
        throw new AssertionError("skeleton");
    }

    /**
     * Returns a chain to the driver.
     *
     * @param written bytes stored into its writable part
     */
    public void complete(DescriptorChain chain, int written) {
        throw new AssertionError("skeleton");
    }

    /** Interrupts the driver if it asked for that since the last time. */
    public void interrupt() {
        throw new AssertionError("skeleton");
    }

    /** Suppresses doorbells while the worker is busy. */
    public void disableNotifications() {
        throw new AssertionError("skeleton");
    }

    /**
     * Wants doorbells again; true if chains came in between, so that the caller polls once more.
     */
    public boolean enableNotifications() {
        throw new AssertionError("skeleton");
    }

    /** The driver broke the protocol: DEVICE_NEEDS_RESET, this device only. */
    public void broken(String reason) {
        throw new AssertionError("skeleton");
    }
}
