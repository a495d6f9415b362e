package org.backplane.machine.serve;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import org.backplane.memory.GuestMemory;
import org.backplane.memory.MemoryLease;
import org.backplane.memory.MemoryRange;
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
    private final Duration bound;
    private final Map<ServedMemory, MemoryLease> leases = new ConcurrentHashMap<>();

    ClientMemory(GuestMemory memory) {
        this(memory, BOUND);
    }

    /**
     * @param bound on the wait for requests under way
     */
    ClientMemory(GuestMemory memory, Duration bound) {
        this.memory = memory;
        this.bound = bound;
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

    /** Waits until no request reaches any of it. */
    void unmap(List<ServedMemory> taken) {
        List<MemoryLease> gone =
                taken.stream().map(leases::remove).filter(Objects::nonNull).toList();
        // All of them before the wait: no request comes to the next while one holds the first.
        gone.forEach(ClientMemory::close);
        try {
            long deadline = System.nanoTime() + bound.toNanos();
            List<MemoryRange> held = new ArrayList<>();
            for (MemoryLease each : gone) {
                if (!each.awaitUnmapped(Duration.ofNanos(deadline - System.nanoTime()))) {
                    held.add(each.range());
                }
            }
            if (!held.isEmpty()) {
                LOG.log(
                        Level.WARNING,
                        "{0} stays mapped until requests of {1} are done with it.",
                        held,
                        memory.pinned());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void close(MemoryLease lease) {
        try {
            lease.close();
        } catch (RuntimeException e) {
            // Of one who listens; the rest of what the client gave goes all the same.
            LOG.log(Level.ERROR, () -> "taking %s back".formatted(lease.range()), e);
        }
    }
}
