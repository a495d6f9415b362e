package org.backplane.hypervisor;

import org.backplane.memory.MemoryRange;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Which pages the guest's processors have stored to. What devices store is not in it. Thread-safe.
 */
@ProviderType
public interface DirtyLog {
    /**
     * Begins to log all writable RAM, from a clean state; costs the guest a fault a page.
     *
     * @throws IllegalStateException somebody logs already
     */
    Vm.Lease start() throws HypervisorException;

    /**
     * Gives the pages stored to since the last call, and forgets them.
     *
     * @param range of the current layout, RAM
     * @return bit n % 64 of element n / 64 is page n of the range, 4 KiB each
     * @throws HypervisorException the range is not logged
     */
    long[] take(MemoryRange range) throws HypervisorException;
}
