package org.backplane.vfio.user;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.backplane.memory.MemoryChanges;
import org.backplane.vfio.VfioException;

/**
 * The devices in other processes that one machine has. Of the same server there is one at a time:
 * most have one client, and a second would wait for the first until it gives up. Thread-safe.
 */
public final class VfioUserDevices implements AutoCloseable {
    private final MemoryChanges memory;

    /** By the path that a socket is at whichever way it is spelled; whose it is. */
    private final Map<Path, Object> taken = new HashMap<>();

    private VfioUserDevices(MemoryChanges memory) {
        this.memory = memory;
    }

    /**
     * Of a machine that has none.
     *
     * @param memory of the guest; each device listens to it until closed
     */
    public static VfioUserDevices open(MemoryChanges memory) {
        return new VfioUserDevices(memory);
    }

    /**
     * As {@link VfioUserDevice#connect}. The device is the caller's; its server can be connected to
     * again once it is closed.
     *
     * @throws VfioException nobody serves there, or no device that can be used, or the machine has
     *     it already, which is told without asking the server
     */
    public VfioUserDevice connect(Path socket) throws VfioException {
        Path place = place(socket);
        Object claim = new Object();
        synchronized (taken) {
            if (taken.putIfAbsent(place, claim) != null) {
                throw new VfioException(
                        "The device at '%s' is in another slot of this machine; unplug that first, or give another socket."
                                .formatted(socket.toAbsolutePath()));
            }
        }
        boolean connected = false;
        try {
            VfioUserDevice device =
                    VfioUserDevice.connect(socket, memory, () -> release(place, claim));
            connected = true;
            return device;
        } finally {
            if (!connected) {
                release(place, claim);
            }
        }
    }

    private static Path place(Path socket) {
        try {
            return socket.toRealPath();
        } catch (IOException e) {
            // There is no such file, or it cannot be reached: connecting has the sentence for that.
            return socket.toAbsolutePath().normalize();
        }
    }

    /** Not of who came later, where a device is closed twice. */
    private void release(Path place, Object claim) {
        synchronized (taken) {
            taken.remove(place, claim);
        }
    }

    /** Devices stay as they are, and who connects is not compared with them any more. */
    @Override
    public void close() {
        synchronized (taken) {
            taken.clear();
        }
    }
}
