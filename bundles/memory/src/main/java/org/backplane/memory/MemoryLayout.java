package org.backplane.memory;

import java.util.Comparator;
import java.util.List;

/**
 * One immutable picture of the guest's memory: ranges that do not overlap, by ascending address.
 * Thread-safe; looking an address up allocates nothing.
 *
 * <p>Guest-physical addresses are below 2^63, so that no sum of an address and a length inside a
 * range can wrap around.
 */
public final class MemoryLayout {
    private final long epoch;
    private final List<MemoryRange> ranges;

    /** The ranges again, taken apart: the look-up touches two arrays and no objects. */
    private final long[] starts;

    private final long[] ends;

    /** Host address less guest address. */
    private final long[] deltas;

    private final boolean[] writable;

    MemoryLayout(long epoch, List<MemoryRange> unsorted) {
        this.epoch = epoch;
        ranges =
                unsorted.stream()
                        .sorted(Comparator.comparingLong(MemoryRange::guestAddress))
                        .toList();
        int count = ranges.size();
        starts = new long[count];
        ends = new long[count];
        deltas = new long[count];
        writable = new boolean[count];
        for (int i = 0; i < count; i++) {
            MemoryRange range = ranges.get(i);
            starts[i] = range.guestAddress();
            ends[i] = range.end();
            deltas[i] = range.hostAddress() - range.guestAddress();
            writable[i] = range.writable();
            if (i > 0 && starts[i] < ends[i - 1]) {
                throw new IllegalArgumentException(
                        "%s overlaps %s".formatted(range, ranges.get(i - 1)));
            }
        }
    }

    /** Number of this picture; each change makes one with the next. */
    public long epoch() {
        return epoch;
    }

    /** By ascending guest address. */
    public List<MemoryRange> ranges() {
        return ranges;
    }

    /**
     * Host address of the whole run, or 0 if it is not inside one range that permits the access. A
     * length of 0 or less is refused.
     *
     * @param guestAddress any value
     * @param length in bytes, any value
     */
    public long translate(long guestAddress, long length, Access access) {
        int at = find(guestAddress, access);
        // The difference cannot wrap: the address is inside the range.
        if (at < 0 || length <= 0 || length > ends[at] - guestAddress) {
            return 0;
        }
        return guestAddress + deltas[at];
    }

    /** How many bytes from the address on lie in one range that permits the access; 0 if none. */
    public long contiguous(long guestAddress, Access access) {
        int at = find(guestAddress, access);
        return at < 0 ? 0 : ends[at] - guestAddress;
    }

    /** Index of the range that holds the address and permits the access, or -1. */
    private int find(long guestAddress, Access access) {
        int low = 0;
        int high = starts.length - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            if (guestAddress < starts[middle]) {
                high = middle - 1;
            } else if (guestAddress >= ends[middle]) {
                low = middle + 1;
            } else {
                return access == Access.READ || writable[middle] ? middle : -1;
            }
        }
        return -1;
    }
}
