package org.backplane.vfio.kernel;

import java.util.List;
import org.backplane.vfio.VfioException;

/** Addresses that devices use for DMA, and what they lead to. Thread-safe. */
interface IoAddressSpace {
    /** Addresses that can be used; empty where the kernel does not tell. */
    List<IovaRange> usable() throws VfioException;

    /**
     * Makes memory of this process reachable, and pins it.
     *
     * @return 0, or the error number, negated
     */
    int map(long iova, long hostAddress, long length, boolean writable);

    /** Takes a run back that was mapped as a whole. */
    int unmap(long iova, long length);
}
