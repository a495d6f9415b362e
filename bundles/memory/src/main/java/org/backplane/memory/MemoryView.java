package org.backplane.memory;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A slot's revocable way to guest memory. A translated address stays valid while the caller holds a
 * pin taken before the translation; once revoked every translation is refused. Thread-safe; nothing
 * here waits.
 *
 * <p>Pins are counted by the epoch in which they were taken. A range that leaves the layout is
 * unmapped when no pin of an earlier epoch is left, whatever its holder translated: cheap to take,
 * and a request that holds one for long delays only the unmapping. Counts are kept for each view,
 * so that slots do not contend for one.
 */
public final class MemoryView {
    /** Pins taken in one epoch. */
    private static final class Pins {
        private final long epoch;
        private final AtomicInteger held = new AtomicInteger();

        Pins(long epoch) {
            this.epoch = epoch;
        }
    }

    private final GuestMemory memory;
    private final String owner;
    private volatile boolean revoked;

    /** Of the epoch in which somebody pinned last, usually the layout's. */
    private volatile Pins current;

    /** Of epochs before, as long as some are held. Written under this object's lock. */
    private volatile Pins[] older = {};

    MemoryView(GuestMemory memory, String owner, long epoch) {
        this.memory = memory;
        this.owner = owner;
        current = new Pins(epoch);
    }

    /** For whom the view was made. */
    public String owner() {
        return owner;
    }

    /**
     * Host address of the whole run, or 0: refused. No allocation.
     *
     * @param guestAddress any value
     * @param length in bytes, any value; 0 and less are refused
     */
    public long translate(long guestAddress, long length, Access access) {
        return revoked ? 0 : memory.layout().translate(guestAddress, length, access);
    }

    /**
     * How many bytes from the address on lie in one range that permits the access; 0 if none. A run
     * that is longer goes on in the next range, at another host address, or nowhere.
     */
    public long contiguous(long guestAddress, Access access) {
        return revoked ? 0 : memory.layout().contiguous(guestAddress, access);
    }

    /**
     * Holds off the unmapping of ranges until {@link #unpin} with the returned ticket. Pins nest,
     * and may be given back by another thread.
     */
    public long pin() {
        for (; ; ) {
            Pins pins = current;
            pins.held.getAndIncrement();
            // The count was raised before the epoch is read, and a change publishes its epoch
            // before
            // it reads the counts: either this sees the new epoch, or the change sees this pin.
            if (pins.epoch == memory.epoch()) {
                return pins.epoch;
            }
            drop(pins);
            renew();
        }
    }

    /**
     * @param ticket of {@link #pin}, given back once
     */
    public void unpin(long ticket) {
        Pins pins = current;
        if (pins.epoch == ticket) {
            drop(pins);
            return;
        }
        for (Pins earlier : older) {
            if (earlier.epoch == ticket) {
                drop(earlier);
                return;
            }
        }
        throw new IllegalStateException(
                "'%s' gives back a pin of epoch %d that it does not hold".formatted(owner, ticket));
    }

    /** Refuses every translation from now on. Pins taken stay good until given back. */
    public void revoke() {
        revoked = true;
        memory.reap();
    }

    boolean isRevoked() {
        return revoked;
    }

    /** The earliest epoch of which a pin is held, or {@link Long#MAX_VALUE}. */
    long oldestPinned() {
        // In this order: renew() stores the two the other way round, so that no count is missed.
        Pins pins = current;
        long oldest = pins.held.get() > 0 ? pins.epoch : Long.MAX_VALUE;
        for (Pins earlier : older) {
            if (earlier.held.get() > 0) {
                oldest = Math.min(oldest, earlier.epoch);
            }
        }
        return oldest;
    }

    private void drop(Pins pins) {
        int left = pins.held.decrementAndGet();
        if (left < 0) {
            pins.held.getAndIncrement();
            throw new IllegalStateException("'%s' gives a pin back twice".formatted(owner));
        }
        if (left == 0 && (revoked || pins.epoch != memory.epoch())) {
            memory.reap();
        }
    }

    private synchronized void renew() {
        Pins pins = current;
        long epoch = memory.epoch();
        if (pins.epoch == epoch) {
            return;
        }
        Pins[] held =
                Arrays.stream(older).filter(earlier -> earlier.held.get() > 0).toArray(Pins[]::new);
        Pins[] more = Arrays.copyOf(held, held.length + 1);
        more[held.length] = pins;
        older = more;
        current = new Pins(epoch);
    }
}
