package org.backplane.vfio.kernel;

import static org.backplane.vfio.kernel.IommufdAbi.*;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.backplane.linux.Fd;
import org.backplane.linux.Ioctl;
import org.backplane.memory.MemoryChanges;
import org.backplane.vfio.VfioException;

/**
 * Devices by their own files, in one address space of {@code /dev/iommu}
 * (Documentation/userspace-api/iommufd.rst, Documentation/driver-api/vfio.rst). The address space
 * is there while a device is.
 */
final class CdevInterface implements DeviceInterface {
    private static final Logger LOG = System.getLogger(CdevInterface.class.getName());

    private final HostPci host;
    private final HostKernel kernel;
    private final MemoryChanges memory;

    /** Devices open, by group. */
    private final Map<Integer, Integer> devices = new HashMap<>();

    private Space space;

    private record Space(Fd file, int id, DmaMaps maps) {}

    CdevInterface(HostPci host, HostKernel kernel, MemoryChanges memory) {
        this.host = host;
        this.kernel = kernel;
        this.memory = memory;
    }

    @Override
    public Opened open(HostFunction function, int group) throws VfioException {
        Path path =
                host.ownFile(function.address())
                        .orElseThrow(
                                () ->
                                        new VfioException(
                                                "The host's kernel gives %s no file of its own, which iommu=iommufd needs (CONFIG_VFIO_DEVICE_CDEV, Linux 6.6); leave iommu= out."
                                                        .formatted(function.address())));
        Deque<Runnable> undo = new ArrayDeque<>();
        try {
            var reserved = host.reserved(group);
            if (space == null) {
                space = openSpace();
            }
            undo.push(this::closeSpaceIfUnused);
            space.maps.admit(reserved);
            Fd file = openFile(function, path);
            undo.push(file::close);
            bind(function, group, path, file);
            attach(function, file);
            undo.push(() -> detach(function, file));
            devices.merge(group, 1, Integer::sum);
            undo.push(() -> leave(group));
            space.maps.join(reserved);
            return new Opened(file, file, () -> undo(undo));
        } catch (VfioException | RuntimeException e) {
            undo(undo);
            throw e;
        }
    }

    private static void undo(Deque<Runnable> undo) {
        while (!undo.isEmpty()) {
            undo.pop().run();
        }
    }

    private Space openSpace() throws VfioException {
        Path path = host.iommuFile();
        Fd file;
        try {
            file = kernel.open(path);
        } catch (HostKernel.Refusal e) {
            throw new VfioException(
                    "%s cannot be opened: %s; load it with 'modprobe iommufd', and let this user read and write it, or leave iommu= out."
                            .formatted(path, e.getMessage()),
                    e);
        }
        int id = allocate(file);
        if (id < 0) {
            file.close();
            throw new VfioException(
                    "%s gives no address space: %s; see 'dmesg'."
                            .formatted(path, Ioctl.reason(-id)));
        }
        return new Space(file, id, new DmaMaps(new IommufdSpace(kernel, file, id), memory));
    }

    /** A new address space's number, or the error number, negated. */
    private int allocate(Fd file) {
        ByteBuffer alloc = Structures.sized(IOAS_ALLOC_BYTES);
        int result = kernel.call(file, IOMMU_IOAS_ALLOC, alloc);
        return result < 0 ? result : alloc.getInt(IOAS_ALLOC_ID);
    }

    private Fd openFile(HostFunction function, Path path) throws VfioException {
        try {
            return kernel.open(path);
        } catch (HostKernel.Refusal e) {
            throw OpenFailures.of(host, function, path, e);
        }
    }

    private void bind(HostFunction function, int group, Path path, Fd file) throws VfioException {
        ByteBuffer bind = Structures.sized(BIND_BYTES).putInt(BIND_IOMMUFD, space.file.number());
        int result = kernel.call(file, VFIO_DEVICE_BIND_IOMMUFD, bind);
        if (result < 0) {
            // Or this process would be found to hold it.
            file.close();
            Optional<String> holder =
                    host.holder(path).or(() -> host.holder(host.groupFile(group)));
            // A device that another file of it has bound already is invalid to the kernel.
            if (holder.isPresent() || result == -HostKernel.EBUSY || result == -HostKernel.EPERM) {
                throw new VfioException(
                        "%s is busy: it, or another device of its group %d, is held by %s; end that, or give this machine another device."
                                .formatted(
                                        function.address(),
                                        group,
                                        holder.orElse("a process that this user does not see")));
            }
        }
        check(result, function, "be bound to its address space");
    }

    private void attach(HostFunction function, Fd file) throws VfioException {
        int result = attach(file, space.id);
        if (result < 0) {
            space.maps.admitReach(reach(function, file));
        }
        check(result, function, "share the address space of this machine's devices");
    }

    private int attach(Fd file, int to) {
        ByteBuffer attach = Structures.sized(ATTACH_BYTES).putInt(ATTACH_SPACE, to);
        return kernel.call(file, VFIO_DEVICE_ATTACH_IOMMUFD_PT, attach);
    }

    /**
     * Which addresses a device can use, as an address space of its own shows; empty if it cannot be
     * had.
     */
    private List<IovaRange> reach(HostFunction function, Fd file) {
        int alone = allocate(space.file);
        if (alone < 0) {
            return List.of();
        }
        boolean attached = attach(file, alone) >= 0;
        try {
            return attached ? new IommufdSpace(kernel, space.file, alone).usable() : List.of();
        } catch (VfioException e) {
            LOG.log(
                    Level.DEBUG,
                    () -> "reach of %s: %s".formatted(function.address(), e.getMessage()));
            return List.of();
        } finally {
            if (attached) {
                detach(function, file);
            }
            destroy(alone);
        }
    }

    private static void check(int result, HostFunction function, String what) throws VfioException {
        if (result < 0) {
            throw new VfioException(
                    "%s cannot %s: %s; see 'dmesg', or give it with iommu=group."
                            .formatted(function.address(), what, Ioctl.reason(-result)));
        }
    }

    private void detach(HostFunction function, Fd file) {
        int result =
                kernel.call(file, VFIO_DEVICE_DETACH_IOMMUFD_PT, Structures.sized(DETACH_BYTES));
        if (result < 0) {
            // Closing the file detaches it in any case.
            LOG.log(
                    Level.DEBUG,
                    () -> function.address() + " is not detached: " + Ioctl.reason(-result));
        }
    }

    /** The maps go with the last device, before it does. */
    private void leave(int group) {
        if (devices.merge(group, -1, Integer::sum) == 0) {
            devices.remove(group);
            space.maps.leave(group);
        }
        if (devices.isEmpty()) {
            space.maps.close();
        }
    }

    private void closeSpaceIfUnused() {
        if (space == null || !devices.isEmpty()) {
            return;
        }
        space.maps.close();
        destroy(space.id);
        space.file.close();
        space = null;
    }

    private void destroy(int id) {
        int result =
                kernel.call(
                        space.file,
                        IOMMU_DESTROY,
                        Structures.sized(DESTROY_BYTES).putInt(DESTROY_ID, id));
        if (result < 0) {
            // Closing the file destroys it in any case.
            LOG.log(Level.DEBUG, () -> "an address space stays: " + Ioctl.reason(-result));
        }
    }
}
