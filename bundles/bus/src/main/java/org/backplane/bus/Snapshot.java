package org.backplane.bus;

import java.util.List;

/**
 * What one space decodes at one time. Immutable, so that processors search it without a lock;
 * parallel arrays, so that the search touches one run of memory and allocates nothing.
 */
final class Snapshot {
    static final Snapshot EMPTY = new Snapshot(List.of());

    private final long[] bases;
    private final long[] sizes;
    private final RegionLease[] leases;

    /**
     * @param decoding disjoint, by ascending base
     */
    Snapshot(List<RegionLease> decoding) {
        leases = decoding.toArray(RegionLease[]::new);
        bases = new long[leases.length];
        sizes = new long[leases.length];
        for (int i = 0; i < leases.length; i++) {
            bases[i] = leases[i].range().base();
            sizes[i] = leases[i].range().size();
        }
    }

    /** The region in which the whole access lies, or -1. */
    int find(long address, int width) {
        int low = 0;
        int high = bases.length - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            if (bases[middle] <= address) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        // The last region that starts at or below the address. A difference instead of a sum: the
        // access may reach beyond 63 bits. An address with bit 63 set is negative, below them all.
        return high >= 0 && address - bases[high] <= sizes[high] - width ? high : -1;
    }

    RegionLease lease(int region) {
        return leases[region];
    }

    /** The base at the time of the snapshot: the lease may have moved on meanwhile. */
    long base(int region) {
        return bases[region];
    }
}
