package org.backplane.pci;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * A {@link PciDevice} that answers registers of configuration space itself: those of {@link
 * PciShape#answered}, and no others. On a processor's thread; may take its time.
 */
@ConsumerType
public interface ConfigDevice {
    /**
     * Reads registers. Where id and next pointer of a capability are among them, the guest gets
     * those of the slot instead.
     *
     * @param offset in configuration space, a multiple of the width
     * @param width in bytes: 1, 2 or 4
     */
    long readConfig(int offset, int width);

    /**
     * Writes registers; the value is in the low bits. Where id and next pointer of a capability are
     * among them, what is written there means nothing.
     */
    void writeConfig(int offset, int width, long value);
}
