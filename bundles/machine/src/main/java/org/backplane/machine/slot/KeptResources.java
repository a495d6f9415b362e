package org.backplane.machine.slot;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.backplane.device.DeviceException;
import org.backplane.device.context.DeviceContext.Opener;
import org.backplane.linux.Fd;
import org.backplane.machine.board.LeaseStack;
import org.backplane.vfio.VfioDevice;

/**
 * What a slot keeps for the versions of its device that follow each other. Only classes of bundles
 * that are fixed for the life of the process: an object of a device's class would keep that
 * version's loader.
 */
final class KeptResources {
    private static final Set<ClassLoader> FIXED =
            Stream.of(Fd.class, VfioDevice.class)
                    .map(Class::getClassLoader)
                    .collect(Collectors.toUnmodifiableSet());

    private final LeaseStack leases;
    private final SharedResources shared;
    private final Map<String, AutoCloseable> kept = new ConcurrentHashMap<>();
    private final AtomicInteger opening = new AtomicInteger();

    KeptResources(LeaseStack leases, SharedResources shared) {
        this.leases = leases;
        this.shared = shared;
    }

    <T extends AutoCloseable> T get(String name, Class<T> type, Opener<T> opener)
            throws DeviceException {
        return held(name, type, () -> leases.push("kept " + name, open(opener)));
    }

    <T extends AutoCloseable> T shared(String name, Class<T> type, Opener<T> opener)
            throws DeviceException {
        return held(
                "shared " + name,
                type,
                () ->
                        leases.push("shared " + name, shared.take(name, () -> open(opener)))
                                .resource());
    }

    /**
     * Whether something is being opened just now, which the host may take its time for: a device
     * that reaches the guest's memory has all of it pinned.
     */
    boolean opening() {
        return opening.get() > 0;
    }

    /** Devices of elsewhere that are kept: they work on while no code is there. */
    List<VfioDevice> devices() {
        return kept.values().stream()
                .filter(VfioDevice.class::isInstance)
                .map(VfioDevice.class::cast)
                .toList();
    }

    /**
     * Closes devices of elsewhere that are kept: there is no code that could stop what they do to
     * the guest's memory. Everything else stays; who asks for a device again has it opened anew.
     * Waits for no opener.
     *
     * @return whether there was one
     */
    boolean endDevices() {
        boolean some = false;
        for (Map.Entry<String, AutoCloseable> each : kept.entrySet()) {
            if (each.getValue() instanceof VfioDevice) {
                kept.remove(each.getKey());
                leases.release(each.getValue());
                some = true;
            }
        }
        return some;
    }

    private <T extends AutoCloseable> T open(Opener<T> opener) throws DeviceException {
        opening.incrementAndGet();
        try {
            return opener.open();
        } finally {
            opening.decrementAndGet();
        }
    }

    private synchronized <T extends AutoCloseable> T held(
            String name, Class<T> type, Opener<AutoCloseable> opener) throws DeviceException {
        if (!FIXED.contains(type.getClassLoader())) {
            throw new DeviceException(
                    "'%s' cannot be kept: %s is no class of org.backplane.linux or vfio."
                            .formatted(name, type.getName()));
        }
        AutoCloseable there = kept.get(name);
        if (there == null) {
            there = opener.open();
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
