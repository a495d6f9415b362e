package org.backplane.pci;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * A {@link PciDevice} that can tell the level of its pin, whose eventfds ({@link
 * PciWires#attach(org.backplane.linux.EventFd, org.backplane.linux.EventFd)}) may therefore be
 * carried by the host's kernel, where nobody else knows it.
 */
@ConsumerType
public interface PinStatus {
    /**
     * Whether the device asks for service: what STATUS.Interrupt Status shows (PCI 3.0, section
     * 6.2.3). On a processor's thread, inside of the guest's read of STATUS.
     */
    boolean pinAsserted();
}
