package org.backplane.memory;

/**
 * A slot's revocable way to guest memory. A translated address stays valid while the caller holds a
 * pin; once revoked every translation is refused.
 */
public final class MemoryView {
    MemoryView() {}

    /** Host address of the whole run, or 0: refused. No allocation. */
    public long translate(long guestAddress, long length, Access access) {
        throw new AssertionError("skeleton");
    }

    /** How many bytes from the address lie in one range that permits the access; 0 if none. */
    public long contiguous(long guestAddress, Access access) {
        throw new AssertionError("skeleton");
    }

    /** Holds off the unmapping of ranges until {@link #unpin} with the returned ticket. */
    public long pin() {
        throw new AssertionError("skeleton");
    }

    public void unpin(long ticket) {
        throw new AssertionError("skeleton");
    }

    public void revoke() {
        throw new AssertionError("skeleton");
    }
}
