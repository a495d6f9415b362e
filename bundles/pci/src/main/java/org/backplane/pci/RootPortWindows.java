package org.backplane.pci;

import org.backplane.bus.AddressRange;

/**
 * What firmware gives a root port before a kernel runs; the guest may change it. Functions of bus 0
 * are placed by firmware outside of these ranges.
 *
 * @param secondary number of the bus behind the port, 1 to 255
 * @param subordinate last bus number behind it
 * @param io multiple of 4 KiB in base and size, or null for none
 * @param memory below 4 GiB, multiple of 1 MiB in base and size, or null
 * @param prefetchable multiple of 1 MiB in base and size, or null; the only one that may lie above
 *     4 GiB, and only prefetchable BARs go there
 */
public record RootPortWindows(
        int secondary,
        int subordinate,
        AddressRange io,
        AddressRange memory,
        AddressRange prefetchable) {
    public RootPortWindows {
        if (secondary < 1 || subordinate < secondary || subordinate > 255) {
            throw new IllegalArgumentException(
                    "no bus numbers of a root port: %d to %d".formatted(secondary, subordinate));
        }
        require("I/O", io, Type1Header.IO_GRANULE, 1L << 16);
        require("memory", memory, Type1Header.MEMORY_GRANULE, 1L << 32);
        require("prefetchable", prefetchable, Type1Header.MEMORY_GRANULE, Long.MAX_VALUE);
    }

    private static void require(String what, AddressRange range, long granule, long end) {
        if (range != null
                && (range.base() % granule != 0
                        || range.size() % granule != 0
                        || range.end() > end)) {
            throw new IllegalArgumentException(
                    "no %s window of a root port: %s".formatted(what, range));
        }
    }
}
