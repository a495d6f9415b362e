package org.backplane.pci;

import java.util.List;
import org.backplane.bus.AddressAllocator;
import org.osgi.annotation.versioning.ConsumerType;

/** Knows how the host bridge's windows could be larger: the board's. */
@ConsumerType
@FunctionalInterface
public interface WindowAdvice {
    /**
     * What is to be done so that BARs fit. Under the bus's lock: must not wait.
     *
     * @param window that has no room
     * @param behindPort whether the BARs have the part of the window that a root port has
     * @param sizes of all BARs that are to be there, in the order in which firmware places them
     * @return a clause for the end of a refusal, which names the size that would do and how it is
     *     given; empty if there is nothing to say
     */
    String remedy(AddressAllocator window, boolean behindPort, List<Long> sizes);
}
