package org.backplane.pci;

import org.osgi.annotation.versioning.ConsumerType;

/** Answers a function's BARs where MSI-X does not; the slot puts its gate in here. */
@ConsumerType
public interface BarHandler {
    long read(int bar, long offset, int width);

    void write(int bar, long offset, int width, long value);

    /**
     * A BAR now decodes at a base, or nowhere (-1); under no lock, on the thread that caused it.
     */
    default void moved(int bar, long base) {}
}
