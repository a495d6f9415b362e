package org.backplane.kvm;

import static org.backplane.kvm.KvmAbi.*;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.Vm;
import org.backplane.linux.Fd;

/**
 * Devices of the host that a VM uses, told to KVM by its VFIO device
 * (Documentation/virt/kvm/devices/vfio.rst): KVM then honours what the guest says of caching, and
 * keeps the VM's devices apart from others'. Several functions of one group are one file.
 * Thread-safe.
 */
final class AssignedDevices implements AutoCloseable {
    private static final Logger LOG = System.getLogger(AssignedDevices.class.getName());

    private final KvmFd vm;

    /** How often each file was told. */
    private final Map<Fd, Integer> told = new IdentityHashMap<>();

    /** Made with the first device. */
    private KvmFd device;

    private boolean refused;

    AssignedDevices(KvmFd vm) {
        this.vm = vm;
    }

    /**
     * @param file of a VFIO group or device; open until the lease is closed
     */
    synchronized Vm.Lease assign(Fd file) throws HypervisorException {
        if (!there()) {
            return () -> {};
        }
        if (!told.containsKey(file)) {
            tell(KVM_DEV_VFIO_GROUP_ADD, file);
        }
        told.merge(file, 1, Integer::sum);
        AtomicBoolean closed = new AtomicBoolean();
        return () -> {
            if (closed.compareAndSet(false, true)) {
                release(file);
            }
        };
    }

    /** A kernel without the device is no worse off than before there was one. */
    private boolean there() {
        if (device == null && !refused) {
            ByteBuffer create =
                    ByteBuffer.allocateDirect(CREATE_DEVICE_BYTES)
                            .order(ByteOrder.nativeOrder())
                            .putInt(CREATE_DEVICE_TYPE, KVM_DEV_TYPE_VFIO);
            try {
                device =
                        new KvmFd(
                                vm.openInto(
                                        KVM_CREATE_DEVICE, create, CREATE_DEVICE_FD, "kvm-vfio"));
            } catch (HypervisorException e) {
                refused = true;
                LOG.log(
                        Level.INFO,
                        "KVM is not told of the host''s devices, and caches for all of them: {0}",
                        e.getMessage());
            }
        }
        return device != null;
    }

    private synchronized void release(Fd file) {
        if (told.merge(file, -1, Integer::sum) > 0) {
            return;
        }
        told.remove(file);
        if (device == null) {
            return;
        }
        try {
            tell(KVM_DEV_VFIO_GROUP_DEL, file);
        } catch (HypervisorException e) {
            // Only if the file was closed before the lease: KVM then keeps its own hold to the end.
            LOG.log(Level.WARNING, e.getMessage(), e);
        }
    }

    private void tell(int attribute, Fd file) throws HypervisorException {
        try (Struct number = Struct.of(Integer.BYTES);
                Struct argument = Struct.of(DEVICE_ATTR_BYTES)) {
            number.u32(0, file.number());
            argument.u32(DEVICE_ATTR_GROUP, KVM_DEV_VFIO_GROUP)
                    .u64(DEVICE_ATTR_NUMBER, attribute)
                    .u64(DEVICE_ATTR_ADDRESS, number.address());
            device.call(
                    KVM_SET_DEVICE_ATTR,
                    argument,
                    (attribute == KVM_DEV_VFIO_GROUP_ADD ? "add " : "remove ") + file.name());
        }
    }

    /** Closing again does nothing; leases have no effect any more. */
    @Override
    public synchronized void close() {
        if (device != null) {
            device.close();
            device = null;
        }
        refused = true;
    }
}
