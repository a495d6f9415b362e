package org.backplane.pci;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * A {@link PciDevice} that follows what the guest makes of its function's interrupts, because it
 * has something to switch that costs.
 */
@ConsumerType
public interface InterruptSwitches {
    /**
     * Something of {@link PciWires#interrupts} changed: which kind is on, what is granted, masked
     * or programmed, or whether the function may write to memory.
     *
     * <p>On a processor's thread, inside of the guest's access, which is complete when this
     * returns; under no lock, and on several threads at once if several processors write. A device
     * that holds a lock of its own while it looks and acts sees the last write in the last call.
     * Besides that, once each time the device is put behind its function, after {@link
     * PciDevice#start} and before the guest reaches it. Not for a reset, which leaves everything
     * off: {@link PciDevice#reset} is called for that.
     */
    void interruptsChanged();
}
