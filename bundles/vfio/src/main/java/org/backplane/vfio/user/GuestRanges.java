package org.backplane.vfio.user;

import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.Map;
import java.util.TreeMap;
import org.backplane.memory.Access;
import org.backplane.memory.MemoryRange;
import org.backplane.memory.OffHeap;

/**
 * The guest's memory as a server may reach it: what is DMA-mapped, and what it reads and writes by
 * messages. Not thread-safe: whoever adds, removes and copies holds one lock, and so nothing is
 * copied where a range has gone.
 */
final class GuestRanges {
    private final TreeMap<Long, MemoryRange> ranges = new TreeMap<>();

    void add(MemoryRange range) {
        ranges.put(range.guestAddress(), range);
    }

    boolean remove(MemoryRange range) {
        return ranges.remove(range.guestAddress(), range);
    }

    Collection<MemoryRange> all() {
        return ranges.values();
    }

    /** Whether the whole run is mapped for the access, if need be in several ranges. */
    boolean permits(long address, long length, Access access) {
        long at = address;
        long left = length;
        while (left > 0) {
            MemoryRange range = at(at);
            if (range == null || access == Access.WRITE && !range.writable()) {
                return false;
            }
            long piece = Math.min(left, range.end() - at);
            at += piece;
            left -= piece;
        }
        return length >= 0;
    }

    /** Copies a run that is permitted into an array's buffer, from its position to its limit. */
    void read(long address, ByteBuffer to) {
        copy(address, to, Access.READ);
    }

    /** Copies an array's buffer, from its position to its limit, to a run that is permitted. */
    void write(long address, ByteBuffer from) {
        copy(address, from, Access.WRITE);
    }

    private void copy(long address, ByteBuffer buffer, Access access) {
        long at = address;
        while (buffer.hasRemaining()) {
            MemoryRange range = at(at);
            int piece = (int) Math.min(buffer.remaining(), range.end() - at);
            long host = range.hostAddress() + (at - range.guestAddress());
            int index = buffer.arrayOffset() + buffer.position();
            if (access == Access.READ) {
                OffHeap.copy(host, buffer.array(), index, piece);
            } else {
                OffHeap.copy(buffer.array(), index, host, piece);
            }
            buffer.position(buffer.position() + piece);
            at += piece;
        }
    }

    private MemoryRange at(long address) {
        Map.Entry<Long, MemoryRange> entry = ranges.floorEntry(address);
        return entry == null || address >= entry.getValue().end() ? null : entry.getValue();
    }
}
