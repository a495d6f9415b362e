package org.backplane.bus;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Hands out the addresses of one window. Made by {@link Bus#addWindow}; addresses are taken and
 * given back through {@link Bus#claim} and {@link RegionLease} only. Thread-safe.
 */
public final class AddressAllocator {
    private final String name;
    private final Space space;
    private final AddressRange range;
    private final ReentrantLock lock;

    /** Size by base of what is free. Two holes never touch: giving back joins neighbours. */
    private final TreeMap<Long, Long> holes = new TreeMap<>();

    /**
     * @param lock guards the holes; the bus's, because a claim changes window and dispatch together
     */
    AddressAllocator(String name, Space space, AddressRange range, ReentrantLock lock) {
        this.name = name;
        this.space = space;
        this.range = range;
        this.lock = lock;
        holes.put(range.base(), range.size());
    }

    /** The window's name, as shown in the address map. */
    public String name() {
        return name;
    }

    public Space space() {
        return space;
    }

    public AddressRange range() {
        return range;
    }

    /** The free ranges, ascending, never adjacent. */
    public List<AddressRange> holes() {
        lock.lock();
        try {
            List<AddressRange> free = new ArrayList<>(holes.size());
            holes.forEach((base, size) -> free.add(new AddressRange(base, size)));
            return List.copyOf(free);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Takes addresses out of the holes.
     *
     * @param size in bytes, at least 1
     * @return what was taken, or null if the placement cannot be had
     */
    AddressRange take(long size, Placement placement) {
        if (placement instanceof Placement.Exact exact) {
            return takeExact(exact.base(), size);
        }
        return takeLowest(((Placement.Lowest) placement).alignment(), size);
    }

    private AddressRange takeLowest(long alignment, long size) {
        for (Map.Entry<Long, Long> hole : holes.entrySet()) {
            long padding = -hole.getKey() & (alignment - 1);
            // Written as differences: base + padding may exceed 63 bits.
            if (padding < hole.getValue() && size <= hole.getValue() - padding) {
                return takeExact(hole.getKey() + padding, size);
            }
        }
        return null;
    }

    private AddressRange takeExact(long base, long size) {
        Map.Entry<Long, Long> hole = holes.floorEntry(base);
        if (hole == null || base < 0) {
            return null;
        }
        long before = base - hole.getKey();
        long after = hole.getValue() - before - size;
        if (before >= hole.getValue() || size > hole.getValue() - before) {
            return null;
        }
        holes.remove(hole.getKey());
        if (before > 0) {
            holes.put(hole.getKey(), before);
        }
        if (after > 0) {
            holes.put(base + size, after);
        }
        return new AddressRange(base, size);
    }

    /** Gives back what {@link #take} returned. */
    void give(AddressRange taken) {
        long base = taken.base();
        long end = taken.end();
        Map.Entry<Long, Long> below = holes.floorEntry(base);
        if (below != null && below.getKey() + below.getValue() == base) {
            base = below.getKey();
        }
        Long above = holes.remove(end);
        if (above != null) {
            end += above;
        }
        holes.put(base, end - base);
    }

    long totalFree() {
        return holes.values().stream().mapToLong(Long::longValue).sum();
    }

    long largestHole() {
        return holes.values().stream().mapToLong(Long::longValue).max().orElse(0);
    }

    /** {@code 'pci-mmio' (0x40000000-0x7fffffff)}. */
    @Override
    public String toString() {
        return "'" + name + "' (" + range + ")";
    }
}
