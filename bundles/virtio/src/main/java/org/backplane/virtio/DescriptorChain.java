package org.backplane.virtio;

/**
 * One request: readable segments, then writable ones, each contiguous in host memory. Addresses are
 * checked and pinned until the chain is completed.
 */
public final class DescriptorChain {
    DescriptorChain() {}

    public int head() {
        throw new AssertionError("skeleton");
    }

    public int segments() {
        throw new AssertionError("skeleton");
    }

    /** How many of the segments, counted from the first, are device-readable. */
    public int readableSegments() {
        throw new AssertionError("skeleton");
    }

    public long address(int segment) {
        throw new AssertionError("skeleton");
    }

    public int length(int segment) {
        throw new AssertionError("skeleton");
    }

    public long readableLength() {
        throw new AssertionError("skeleton");
    }

    public long writableLength() {
        throw new AssertionError("skeleton");
    }
}
