package org.backplane.machine.slot;

import java.util.HashMap;
import java.util.Map;
import org.backplane.device.DeviceException;
import org.backplane.device.context.DeviceContext.Opener;
import org.backplane.linux.Fd;
import org.backplane.machine.board.LeaseStack;

/**
 * What a slot keeps for the versions of its device that follow each other. Only classes of the
 * {@code linux} bundle: an object of a device's class would keep that version's loader.
 */
final class KeptResources {
    private final LeaseStack leases;
    private final Map<String, AutoCloseable> kept = new HashMap<>();

    KeptResources(LeaseStack leases) {
        this.leases = leases;
    }

    synchronized <T extends AutoCloseable> T get(String name, Class<T> type, Opener<T> opener)
            throws DeviceException {
        if (type.getClassLoader() != Fd.class.getClassLoader()) {
            throw new DeviceException(
                    "'%s' cannot be kept: %s is no class of org.backplane.linux."
                            .formatted(name, type.getName()));
        }
        AutoCloseable there = kept.get(name);
        if (there == null) {
            there = leases.push("kept " + name, opener.open());
            kept.put(name, there);
        }
        if (!type.isInstance(there)) {
            throw new DeviceException(
                    "'%s' is kept as a %s, not as a %s."
                            .formatted(name, there.getClass().getName(), type.getName()));
        }
        return type.cast(there);
    }
}
