package org.backplane.kvm;

import static org.backplane.kvm.KvmAbi.*;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.linux.Fd;
import org.backplane.linux.OpenFlag;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** What can be had without a device of the host: the rig has those. */
class AssignedDevicesTest {
    private static final int KVM_CAP_DEVICE_CTRL = 89;
    private static final int KVM_CREATE_DEVICE_TEST = 1;

    /** Skips the test where KVM has no VFIO device, which kernels may be built without. */
    private static void assumeVfioDevice() throws Exception {
        try (KvmFd kvm = new KvmFd(Fd.open(Path.of("/dev/kvm"), OpenFlag.READ, OpenFlag.WRITE));
                KvmFd vm = new KvmFd(kvm.open(KVM_CREATE_VM, 0, "VM"));
                Struct create = Struct.of(CREATE_DEVICE_BYTES)) {
            int devices = kvm.attempt(KVM_CHECK_EXTENSION, KVM_CAP_DEVICE_CTRL);
            create.u32(CREATE_DEVICE_TYPE, KVM_DEV_TYPE_VFIO)
                    .u32(CREATE_DEVICE_FLAGS, KVM_CREATE_DEVICE_TEST);
            int test = vm.attempt(KVM_CREATE_DEVICE, create.address());
            boolean there = devices > 0 && test == 0;
            String reason =
                    "this host's KVM has no VFIO device (KVM_CAP_DEVICE_CTRL gives %d, KVM_CREATE_DEVICE_TEST %d)"
                            .formatted(devices, test);
            if (!there) {
                System.out.println("AssignedDevicesTest: skipped, " + reason);
            }
            Assumptions.assumeTrue(there, reason);
        }
    }

    @Test
    void aKernelWithoutTheDeviceGivesALeaseWithoutEffect() throws Exception {
        try (Fd none = Fd.open(Path.of("/dev/null"), OpenFlag.READ);
                AssignedDevices devices = new AssignedDevices(new KvmFd(none))) {
            devices.assign(none).close();
            devices.assign(none).close();
        }
    }

    @Test
    void refusesAFileThatIsNoDeviceWithASentence() throws Exception {
        try (KvmRig rig = KvmRig.open();
                Fd file = Fd.open(Path.of("/dev/null"), OpenFlag.READ)) {
            assumeVfioDevice();
            HypervisorException e =
                    assertThrows(HypervisorException.class, () -> rig.vm.assign(file));
            assertTrue(
                    e.getMessage().contains("KVM_SET_DEVICE_ATTR (add '/dev/null')"),
                    e::getMessage);
        }
    }
}
