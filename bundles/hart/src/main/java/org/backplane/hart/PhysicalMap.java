package org.backplane.hart;

import java.util.ArrayList;
import java.util.List;
import org.backplane.memory.MemoryRange;

/** One immutable picture of which guest-physical addresses are host memory. */
final class PhysicalMap {
    static final PhysicalMap EMPTY = new PhysicalMap(List.of());

    private final List<MemoryRange> ranges;
    private final long[] starts;
    private final long[] lengths;
    private final long[] deltas;
    private final boolean[] writable;
    private final boolean[] device;

    private PhysicalMap(List<MemoryRange> ranges) {
        this.ranges = ranges;
        int count = ranges.size();
        starts = new long[count];
        lengths = new long[count];
        deltas = new long[count];
        writable = new boolean[count];
        device = new boolean[count];
        for (int i = 0; i < count; i++) {
            MemoryRange range = ranges.get(i);
            starts[i] = range.guestAddress();
            lengths[i] = range.length();
            deltas[i] = range.hostAddress() - range.guestAddress();
            writable[i] = range.writable();
            device[i] = range.kind() == MemoryRange.Kind.DEVICE;
        }
    }

    PhysicalMap with(MemoryRange range) {
        List<MemoryRange> next = new ArrayList<>(ranges);
        next.add(range);
        return new PhysicalMap(List.copyOf(next));
    }

    PhysicalMap without(MemoryRange range) {
        List<MemoryRange> next = new ArrayList<>(ranges);
        next.remove(range);
        return new PhysicalMap(List.copyOf(next));
    }

    /** Host address of a guest address, or 0 where there is no memory that may be loaded. */
    long read(long address) {
        for (int i = 0; i < starts.length; i++) {
            if (Long.compareUnsigned(address - starts[i], lengths[i]) < 0) {
                return address + deltas[i];
            }
        }
        return 0;
    }

    /**
     * Host address of a guest address in RAM or ROM, or 0: what may be read at any time and more
     * than once, as fetches and walks of page tables do.
     */
    long main(long address) {
        for (int i = 0; i < starts.length; i++) {
            if (Long.compareUnsigned(address - starts[i], lengths[i]) < 0) {
                return device[i] ? 0 : address + deltas[i];
            }
        }
        return 0;
    }

    /** Host address of a guest address, or 0 where there is no memory that may be stored to. */
    long write(long address) {
        for (int i = 0; i < starts.length; i++) {
            if (Long.compareUnsigned(address - starts[i], lengths[i]) < 0) {
                return writable[i] ? address + deltas[i] : 0;
            }
        }
        return 0;
    }
}
