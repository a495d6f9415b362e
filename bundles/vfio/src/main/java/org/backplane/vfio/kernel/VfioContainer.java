package org.backplane.vfio.kernel;

import java.nio.file.Files;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import org.backplane.memory.MemoryChanges;
import org.backplane.vfio.PciHostAddress;
import org.backplane.vfio.VfioException;

/**
 * The devices of this host that one machine uses, and what of the kernel they share: one address
 * space, in which the guest's memory is at the guest's addresses, while there is a device.
 * Thread-safe; devices are opened and closed one at a time.
 */
public final class VfioContainer implements AutoCloseable {
    private final HostPci host;
    private final HostKernel kernel;
    private final DeviceInterface groups;
    private final DeviceInterface files;

    /** The latest first. */
    private final Deque<KernelDevice> devices = new ArrayDeque<>();

    private boolean closed;

    VfioContainer(HostPci host, HostKernel kernel, MemoryChanges memory) {
        this.host = host;
        this.kernel = kernel;
        groups = new GroupInterface(host, kernel, memory);
        files = new CdevInterface(host, kernel, memory);
    }

    /**
     * One without devices, which costs nothing.
     *
     * @param memory of the guest; listened to while there is a device
     */
    public static VfioContainer open(MemoryChanges memory) {
        return new VfioContainer(HostPci.ofThisHost(), new HostKernel.OfThisHost(), memory);
    }

    /** As {@link #open(PciHostAddress, IommuChoice)}, by whichever interface the kernel has. */
    public KernelDevice open(PciHostAddress address) throws VfioException {
        return open(address, IommuChoice.AUTO);
    }

    /**
     * Opens a device. It stays open until it is closed, or this container is.
     *
     * @throws VfioException the device is not there, not bound to VFIO, in a group that is not
     *     viable, busy, or cannot reach the guest's memory; nothing is left open or mapped
     */
    public synchronized KernelDevice open(PciHostAddress address, IommuChoice choice)
            throws VfioException {
        if (closed) {
            throw new VfioException("%s comes too late: the machine is ending.".formatted(address));
        }
        HostFunction function = host.function(address);
        if (devices.stream().anyMatch(device -> device.address().equals(address))) {
            throw new VfioException(
                    "%s is in another slot of this machine; unplug that first, or give another device."
                            .formatted(address));
        }
        requireUsable(function);
        int group = function.group().getAsInt();
        Opened opened = by(choice, function, group).open(function, group);
        try {
            KernelDevice device = new KernelDevice(this, address, kernel, opened);
            devices.push(device);
            return device;
        } catch (VfioException | RuntimeException e) {
            opened.release().run();
            throw e;
        }
    }

    private void requireUsable(HostFunction function) throws VfioException {
        List<String> reasons = new Usability(host).reasons(function);
        if (!reasons.isEmpty()) {
            throw new VfioException(reasons.get(0));
        }
    }

    private DeviceInterface by(IommuChoice choice, HostFunction function, int group)
            throws VfioException {
        return switch (choice) {
            case GROUP -> groups;
            case IOMMUFD -> files;
            case AUTO ->
                    !Files.exists(host.groupFile(group))
                                    && host.ownFile(function.address()).isPresent()
                            ? files
                            : groups;
        };
    }

    synchronized void closed(KernelDevice device) {
        if (devices.remove(device)) {
            device.release();
        }
    }

    /** Closes the devices, the latest first. Closing again does nothing. */
    @Override
    public synchronized void close() {
        closed = true;
        for (Iterator<KernelDevice> each = devices.iterator(); each.hasNext(); ) {
            KernelDevice device = each.next();
            each.remove();
            device.release();
        }
    }
}
