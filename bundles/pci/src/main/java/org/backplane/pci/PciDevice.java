package org.backplane.pci;

import org.backplane.device.Device;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * The delegate behind a PCI function. It describes itself as data; configuration space, BAR
 * placement and MSI-X belong to the slot.
 */
@ConsumerType
public interface PciDevice extends Device {
    /** Constant for the life of the device. */
    PciShape shape();

    /** A read that hits a BAR outside of what the slot answers itself; on a processor's thread. */
    long readBar(int bar, long offset, int width);

    /** A write that hits a BAR outside of what the slot answers itself; on a processor's thread. */
    void writeBar(int bar, long offset, int width, long value);

    /** Hands over the function's wires; once, before restore and {@link #start}. */
    void wired(PciWires wires);
}
