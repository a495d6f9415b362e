package org.backplane.pci;

import java.io.IOException;
import org.backplane.device.context.Lease;
import org.backplane.linux.Fd;
import org.osgi.annotation.versioning.ConsumerType;

/** What makes host memory appear where a BAR decodes: the machine's. Thread-safe. */
@ConsumerType
@FunctionalInterface
public interface BarMemory {
    /**
     * Maps part of a descriptor, for loads and stores. The guest reaches it when this returns, and
     * does not any more when the lease has been closed.
     *
     * @param guestAddress a multiple of the host's page, as are offset and length
     * @param offset in bytes into the descriptor, which may be closed before the lease
     * @param length in bytes
     * @throws IOException the host cannot map that
     */
    Lease map(long guestAddress, Fd descriptor, long offset, long length) throws IOException;
}
