package org.backplane.bus;

import java.util.List;

/**
 * The address spaces of one machine. Claims change under one lock; an access is dispatched from an
 * immutable snapshot without it. Unclaimed addresses, and accesses that do not lie wholly inside
 * one region, read all ones and swallow writes.
 */
public final class Bus {
    /** Adds a window; it must not overlap one of the same space. */
    public AddressAllocator addWindow(String name, Space space, AddressRange range) {
        throw new AssertionError("skeleton");
    }

    public List<AddressAllocator> windows() {
        throw new AssertionError("skeleton");
    }

    /** Claims addresses and starts to decode them. */
    public RegionLease claim(
            AddressAllocator window,
            String owner,
            long size,
            Placement placement,
            IoHandler handler)
            throws ClaimException {
        throw new AssertionError("skeleton");
    }

    /** Every claim, by window and address. */
    public List<RegionLease> regions() {
        throw new AssertionError("skeleton");
    }

    /**
     * Runs after every change of a claim in the window, on the changing thread, without the lock.
     */
    public AutoCloseable onChange(AddressAllocator window, Runnable listener) {
        throw new AssertionError("skeleton");
    }

    public long read(Space space, long address, int width) {
        throw new AssertionError("skeleton");
    }

    public void write(Space space, long address, int width, long value) {
        throw new AssertionError("skeleton");
    }
}
