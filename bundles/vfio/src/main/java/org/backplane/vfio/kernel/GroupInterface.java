package org.backplane.vfio.kernel;

import static org.backplane.vfio.kernel.VfioAbi.*;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.backplane.linux.Fd;
import org.backplane.linux.Ioctl;
import org.backplane.memory.MemoryChanges;
import org.backplane.vfio.VfioException;

/**
 * Groups in one container with one address space, IOMMU type 1 version 2
 * (Documentation/driver-api/vfio.rst). The container is there while a group is, a group while a
 * device is.
 */
final class GroupInterface implements DeviceInterface {
    private static final Logger LOG = System.getLogger(GroupInterface.class.getName());

    private final HostPci host;
    private final HostKernel kernel;
    private final MemoryChanges memory;
    private final Map<Integer, Group> groups = new HashMap<>();
    private Container container;

    /** The container with its address space. */
    private record Container(Fd file, IoAddressSpace space, DmaMaps maps) {}

    /** An open group. */
    private static final class Group {
        private final int number;
        private final Fd file;
        private int devices;

        Group(int number, Fd file) {
            this.number = number;
            this.file = file;
        }
    }

    GroupInterface(HostPci host, HostKernel kernel, MemoryChanges memory) {
        this.host = host;
        this.kernel = kernel;
        this.memory = memory;
    }

    @Override
    public Opened open(HostFunction function, int number) throws VfioException {
        Group group = groups.get(number);
        if (group == null) {
            group = join(function, number);
        }
        try {
            Group joined = group;
            Fd file = device(function, group);
            group.devices++;
            return new Opened(file, group.file, () -> release(file, joined));
        } catch (VfioException | RuntimeException e) {
            leaveIfUnused(group);
            throw e;
        }
    }

    private Fd device(HostFunction function, Group group) throws VfioException {
        try {
            return kernel.open(
                    group.file,
                    VFIO_GROUP_GET_DEVICE_FD,
                    Structures.string(function.address().toString()),
                    function.address().toString());
        } catch (HostKernel.Refusal e) {
            throw new VfioException(
                    "%s cannot be taken from its group %d: %s; see 'dmesg' for what the driver says of it."
                            .formatted(function.address(), group.number, e.getMessage()),
                    e);
        }
    }

    private Group join(HostFunction function, int number) throws VfioException {
        var reserved = host.reserved(number);
        Fd file = openGroup(function, number);
        Group group = new Group(number, file);
        boolean first = container == null;
        try {
            requireViable(function, group);
            if (first) {
                container = openContainer();
            }
            container.maps.admit(reserved);
            attach(function, group);
            groups.put(number, group);
            if (first) {
                translate();
            }
            container.maps.join(reserved);
            return group;
        } catch (VfioException | RuntimeException e) {
            if (groups.containsKey(number)) {
                leaveIfUnused(group);
            } else {
                file.close();
                closeContainerIfUnused();
            }
            throw e;
        }
    }

    private Fd openGroup(HostFunction function, int number) throws VfioException {
        Path path = host.groupFile(number);
        try {
            return kernel.open(path);
        } catch (HostKernel.Refusal e) {
            throw OpenFailures.of(host, function, path, e);
        }
    }

    private void requireViable(HostFunction function, Group group) throws VfioException {
        ByteBuffer status = Structures.sized(GROUP_STATUS_BYTES);
        check(
                kernel.call(group.file, VFIO_GROUP_GET_STATUS, status),
                "the status of group " + group.number);
        if ((status.getInt(GROUP_STATUS_FLAGS) & VFIO_GROUP_FLAGS_VIABLE) == 0) {
            throw new VfioException(
                    host.whyNotViable(function)
                            .orElse(
                                    "%s cannot be used: the kernel calls its IOMMU group %d not viable; hand over every device of the group, which 'backplane check' lists."
                                            .formatted(function.address(), group.number)));
        }
    }

    private Container openContainer() throws VfioException {
        Path path = host.files().resolve("vfio");
        Fd file;
        try {
            file = kernel.open(path);
        } catch (HostKernel.Refusal e) {
            throw new VfioException(
                    "%s cannot be opened: %s; load VFIO with 'modprobe vfio-pci', and let this user read and write the file."
                            .formatted(path, e.getMessage()),
                    e);
        }
        int version = kernel.call(file, VFIO_GET_API_VERSION, 0);
        int extension = kernel.call(file, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU);
        if (version != VFIO_API_VERSION || extension <= 0) {
            file.close();
            throw new VfioException(
                    "The host's VFIO (version %d) has no IOMMU of type 1 version 2; load it with 'modprobe vfio_iommu_type1', or take a host with VT-d, AMD-Vi or an SMMU."
                            .formatted(version));
        }
        IoAddressSpace space = new Type1Space(kernel, file);
        return new Container(file, space, new DmaMaps(space, memory));
    }

    private void attach(HostFunction function, Group group) throws VfioException {
        int result = attach(group, container);
        if (result < 0) {
            container.maps.admitReach(reach(group));
            throw new VfioException(
                    "Group %d of %s cannot share the address space of this machine's other devices: %s; see 'dmesg', or run the device in a machine of its own."
                            .formatted(group.number, function.address(), Ioctl.reason(-result)));
        }
    }

    private int attach(Group group, Container to) {
        ByteBuffer number = Structures.of(Integer.BYTES).putInt(0, to.file.number());
        return kernel.call(group.file, VFIO_GROUP_SET_CONTAINER, number);
    }

    /**
     * Which addresses a group can use, as an address space of its own shows; empty if it cannot be
     * had.
     */
    private List<IovaRange> reach(Group group) {
        Container alone = null;
        try {
            alone = openContainer();
            if (attach(group, alone) < 0) {
                return List.of();
            }
            check(
                    kernel.call(alone.file, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU),
                    "an IOMMU of type 1 version 2");
            return alone.space.usable();
        } catch (VfioException e) {
            LOG.log(
                    Level.DEBUG,
                    () -> "reach of group %d: %s".formatted(group.number, e.getMessage()));
            return List.of();
        } finally {
            if (alone != null) {
                // Nothing of it is in use: closing both files does the same if this fails.
                kernel.call(group.file, VFIO_GROUP_UNSET_CONTAINER, 0);
                alone.file.close();
            }
        }
    }

    private void translate() throws VfioException {
        int result = kernel.call(container.file, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU);
        if (result == -HostKernel.EPERM) {
            throw new VfioException(
                    "The host's IOMMU cannot keep interrupts of devices apart, and VFIO refuses it: Operation not permitted; switch interrupt remapping on in the firmware, or accept the risk with the parameter allow_unsafe_interrupts=1 of the module vfio_iommu_type1.");
        }
        check(result, "an IOMMU of type 1 version 2");
    }

    private static void check(int result, String what) throws VfioException {
        if (result < 0) {
            throw new VfioException(
                    "VFIO does not give %s: %s; see 'dmesg'."
                            .formatted(what, Ioctl.reason(-result)));
        }
    }

    private void release(Fd file, Group group) {
        file.close();
        group.devices--;
        leaveIfUnused(group);
    }

    /** The maps go before the last group: with it the kernel drops the address space. */
    private void leaveIfUnused(Group group) {
        if (group.devices > 0) {
            return;
        }
        groups.remove(group.number);
        container.maps.leave(group.number);
        if (groups.isEmpty()) {
            container.maps.close();
        }
        int result = kernel.call(group.file, VFIO_GROUP_UNSET_CONTAINER, 0);
        if (result < 0) {
            // Something of the device is still mapped here: the kernel lets go with the last page.
            LOG.log(
                    Level.DEBUG,
                    () -> "group " + group.number + " leaves later: " + Ioctl.reason(-result));
        }
        group.file.close();
        closeContainerIfUnused();
    }

    private void closeContainerIfUnused() {
        if (container != null && groups.isEmpty()) {
            container.maps.close();
            container.file.close();
            container = null;
        }
    }
}
