package org.backplane.machine.boot;

import java.util.List;
import org.backplane.bus.AddressRange;

/**
 * What a kernel is told of physical addresses, ascending and without overlaps: the types are those
 * of ACPI 6.5, table 15.4 (E820), which Multiboot and PVH share.
 */
public record MemoryMap(List<Entry> entries) {
    /** Usable RAM. */
    public static final int USABLE = 1;

    public static final int RESERVED = 2;

    /** One run of addresses. */
    public record Entry(AddressRange range, int type) {}

    public MemoryMap {
        entries = List.copyOf(entries);
    }

    /** Bytes of usable RAM from an address on without a gap; 0 if there is none. */
    long usableFrom(long address) {
        return entries.stream()
                .filter(entry -> entry.type == USABLE && entry.range.contains(address))
                .mapToLong(entry -> entry.range.end() - address)
                .findFirst()
                .orElse(0);
    }
}
