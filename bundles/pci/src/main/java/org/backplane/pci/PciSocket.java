package org.backplane.pci;

import org.backplane.bus.ClaimException;
import org.osgi.annotation.versioning.ConsumerType;

/** A place on a PCI bus that takes one function: a device number of bus 0, or a root port. */
@ConsumerType
@FunctionalInterface
public interface PciSocket {
    /**
     * Puts a function there. Its BARs are zero until {@link PciFunction#place}, or until the guest
     * writes them.
     *
     * @param slot the slot's name, for messages and the address map
     * @throws ClaimException another function is there
     */
    PciFunction plug(String slot, PciShape shape, BarHandler handler) throws ClaimException;
}
