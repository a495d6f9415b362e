package org.backplane.pci;

import org.osgi.annotation.versioning.ConsumerType;

/** Takes the memory writes that are message-signalled interrupts. Thread-safe, does not wait. */
@ConsumerType
@FunctionalInterface
public interface MsiSink {
    void signal(long address, int data);
}
