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
        if (placement instanceof Placement.LowestIn lowest) {
            return takeLowest(lowest.part(), lowest.alignment(), size);
        }
        return takeLowest(range, ((Placement.Lowest) placement).alignment(), size);
    }

    private AddressRange takeLowest(AddressRange part, long alignment, long size) {
        for (AddressRange hole : holes(part)) {
            long padding = -hole.base() & (alignment - 1);
            // Written as differences: base + padding may exceed 63 bits.
            if (padding < hole.size() && size <= hole.size() - padding) {
                return takeExact(hole.base() + padding, size);
            }
        }
        return null;
    }

    /** What is free of a part of the window, ascending. */
    List<AddressRange> holes(AddressRange part) {
        List<AddressRange> free = new ArrayList<>();
        for (Map.Entry<Long, Long> hole : holes.entrySet()) {
            long base = Math.max(hole.getKey(), part.base());
            long end = Math.min(hole.getKey() + hole.getValue(), part.end());
            if (base < end) {
                free.add(new AddressRange(base, end - base));
            }
        }
        return free;
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

    /** {@code 'pci-mmio' (0x40000000-0x7fffffff)}. */
    @Override
    public String toString() {
        return "'" + name + "' (" + range + ")";
    }
}
