package org.backplane.bus;

import java.util.concurrent.atomic.LongAdder;

/**
 * A claim on addresses together with what answers there. Closing it stops new accesses and does not
 * wait for those under way. Thread-safe.
 */
public final class RegionLease implements AutoCloseable {
    private final Bus bus;
    private final String owner;
    private final IoHandler handler;
    private final LongAdder reads = new LongAdder();
    private final LongAdder writes = new LongAdder();

    // Written under the bus's lock.
    private volatile AddressAllocator window;
    private volatile AddressRange range;
    private volatile boolean decoding;
    private volatile boolean closed;

    RegionLease(
            Bus bus,
            String owner,
            IoHandler handler,
            AddressAllocator window,
            AddressRange range,
            boolean decoding) {
        this.bus = bus;
        this.owner = owner;
        this.handler = handler;
        this.window = window;
        this.range = range;
        this.decoding = decoding;
    }

    public String owner() {
        return owner;
    }

    public AddressAllocator window() {
        return window;
    }

    /** Where the claim is, or was when it was closed. */
    public AddressRange range() {
        return range;
    }

    /** Whether accesses are dispatched; a claim that does not decode keeps its addresses. */
    public boolean decoding() {
        return decoding;
    }

    /** Starts or stops dispatch. Nothing happens to a closed lease. */
    public void decode(boolean on) {
        bus.begin();
        try {
            if (!closed && decoding != on) {
                decoding = on;
                bus.decodingChanged(window.space());
            }
        } finally {
            bus.end();
        }
    }

    /**
     * Moves to another base, or another window of the same space, in one step; the addresses held
     * so far count as free. On refusal nothing changed.
     *
     * @throws ClaimException the target is not free
     * @throws IllegalStateException the lease is closed
     */
    public void moveTo(AddressAllocator window, Placement placement) throws ClaimException {
        bus.begin();
        try {
            if (closed) {
                throw new IllegalStateException(owner + " moves a region that it has given back");
            }
            bus.requireOwn(window);
            if (window.space() != this.window.space()) {
                throw new IllegalArgumentException(
                        "a region of %s cannot move to window %s"
                                .formatted(this.window.space(), window));
            }
            move(window, placement);
        } finally {
            bus.end();
        }
    }

    private void move(AddressAllocator target, Placement placement) throws ClaimException {
        AddressAllocator source = window;
        AddressRange taken = null;
        source.give(range);
        try {
            taken = bus.take(target, owner, range.size(), placement);
        } finally {
            if (taken == null) {
                source.take(range.size(), new Placement.Exact(range.base()));
            }
        }
        if (target != source || !taken.equals(range)) {
            window = target;
            range = taken;
            bus.changed(source);
            bus.changed(target);
        }
    }

    /** Accesses dispatched so far. */
    public long reads() {
        return reads.sum();
    }

    public long writes() {
        return writes.sum();
    }

    /** Gives the addresses back; closing twice is closing once. */
    @Override
    public void close() {
        bus.begin();
        try {
            if (!closed) {
                closed = true;
                decoding = false;
                window.give(range);
                bus.forget(this);
                bus.changed(window);
            }
        } finally {
            bus.end();
        }
    }

    long read(long offset, int width) {
        reads.increment();
        return handler.read(offset, width);
    }

    void write(long offset, int width, long value) {
        writes.increment();
        handler.write(offset, width, value);
    }

    /** {@code disk0 at 0x40000000-0x40003fff}. */
    @Override
    public String toString() {
        return owner + " at " + range;
    }
}
