package org.backplane.pci;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.backplane.bus.AddressRange;
import org.backplane.device.context.Lease;
import org.backplane.linux.Fd;
import org.backplane.linux.Mapping;

/** Remembers what is mapped where; refuses what the guest's memory would refuse. */
final class MappedMemory implements BarMemory {
    /** What the guest finds at an address. */
    record Found(AddressRange range, Fd descriptor, long offset) {
        @Override
        public String toString() {
            return "%x+%x=%s+%x".formatted(range.base(), range.size(), descriptor.name(), offset);
        }
    }

    final Map<Long, Found> mapped = new TreeMap<>();

    /** What was mapped and unmapped, in order. */
    final List<String> events = Collections.synchronizedList(new ArrayList<>());

    /** Null, or what the host says of all that comes. */
    volatile String refusal;

    @Override
    public synchronized Lease map(long guestAddress, Fd descriptor, long offset, long length)
            throws IOException {
        if (refusal != null) {
            throw new IOException(refusal);
        }
        long page = Mapping.pageSize();
        if ((guestAddress | offset | length) % page != 0 || length <= 0) {
            throw new AssertionError(
                    "no whole pages: 0x%x at 0x%x".formatted(length, guestAddress));
        }
        Found found = new Found(new AddressRange(guestAddress, length), descriptor, offset);
        for (Found other : mapped.values()) {
            if (other.range().overlaps(found.range())) {
                throw new AssertionError(found + " overlaps " + other);
            }
        }
        mapped.put(guestAddress, found);
        events.add("+" + found);
        return () -> remove(guestAddress, found);
    }

    private synchronized void remove(long guestAddress, Found found) {
        if (mapped.remove(guestAddress, found)) {
            events.add("-" + found);
        }
    }

    @Override
    public synchronized String toString() {
        return mapped.values().toString();
    }
}
