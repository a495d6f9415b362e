package org.backplane.machine.serve;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.backplane.memory.GuestMemory;
import org.backplane.memory.MemoryLease;
import org.backplane.vfio.VfioException;
import org.backplane.vfio.user.ServedMemory;

/**
 * What a client has given of its memory for the device to reach, at the client's own addresses. One
 * thread at a time.
 */
final class ClientMemory {
    private static final Logger LOG = System.getLogger(ClientMemory.class.getName());

    /** For requests under way to be done with; a client waits 5 s for an answer. */
    private static final Duration BOUND = Duration.ofSeconds(3);

    private final GuestMemory memory;
    private final Map<ServedMemory, MemoryLease> leases = new ConcurrentHashMap<>();

    ClientMemory(GuestMemory memory) {
        this.memory = memory;
    }

    /** What has no descriptor cannot be mapped: a device that goes there finds nothing. */
    void map(ServedMemory given) throws VfioException {
        if (given.descriptor().isEmpty()) {
            return;
        }
        try {
            leases.put(
                    given,
                    memory.mapRam(
                            given.address(),
                            given.descriptor().get(),
                            given.offset(),
                            given.length(),
                            given.writable()));
        } catch (IOException e) {
            throw new VfioException(e.getMessage(), e);
        }
    }

    /** Waits until no request reaches it any more. */
    void unmap(ServedMemory taken) {
        MemoryLease lease = leases.remove(taken);
        if (lease == null) {
            return;
        }
        lease.close();
        try {
            if (!lease.awaitUnmapped(BOUND)) {
                LOG.log(
                        Level.WARNING,
                        "{0} stays mapped until requests of {1} are done with it.",
                        lease.range(),
                        memory.pinned());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
