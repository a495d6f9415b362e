package org.backplane.memory;

import java.time.Duration;
import org.backplane.linux.Mapping;

/**
 * A range that is part of the layout until closed. Thread-safe.
 *
 * <p>Closing takes the range out of the layout and tells the listeners; it waits for no request.
 * The host mapping goes when the last pin that may cover it is given back, which may be at once.
 */
public final class MemoryLease implements AutoCloseable {
    private final GuestMemory memory;
    private final MemoryRange range;
    private final Mapping mapping;

    MemoryLease(GuestMemory memory, MemoryRange range, Mapping mapping) {
        this.memory = memory;
        this.range = range;
        this.mapping = mapping;
    }

    public MemoryRange range() {
        return range;
    }

    /**
     * Waits, after {@link #close}, until the host mapping is gone: for whoever must reset or close
     * what is behind it.
     *
     * @return false if the time was over first; {@link GuestMemory#pinned} says who holds it
     */
    public boolean awaitUnmapped(Duration atMost) throws InterruptedException {
        return memory.awaitUnmapped(mapping, atMost);
    }

    /** Closing again does nothing. */
    @Override
    public void close() {
        memory.remove(range, mapping);
    }
}
