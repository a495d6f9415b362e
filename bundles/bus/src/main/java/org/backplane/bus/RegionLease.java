package org.backplane.bus;

/**
 * A claim on addresses together with what answers there. Closing it stops new accesses and does not
 * wait for those under way.
 */
public final class RegionLease implements AutoCloseable {
    RegionLease() {}

    public String owner() {
        throw new AssertionError("skeleton");
    }

    public AddressAllocator window() {
        throw new AssertionError("skeleton");
    }

    public AddressRange range() {
        throw new AssertionError("skeleton");
    }

    /** Whether accesses are dispatched; a claim that does not decode keeps its addresses. */
    public boolean decoding() {
        throw new AssertionError("skeleton");
    }

    public void decode(boolean on) {
        throw new AssertionError("skeleton");
    }

    /** Moves to another base, or another window, in one step; on refusal nothing changed. */
    public void moveTo(AddressAllocator window, Placement placement) throws ClaimException {
        throw new AssertionError("skeleton");
    }

    /** Accesses dispatched so far. */
    public long reads() {
        throw new AssertionError("skeleton");
    }

    public long writes() {
        throw new AssertionError("skeleton");
    }

    @Override
    public void close() {
        throw new AssertionError("skeleton");
    }
}
