package org.backplane.kvm;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.linux.Fd;
import org.backplane.linux.OpenFlag;
import org.junit.jupiter.api.Test;

/** What can be had without a device of the host: the rig has those. */
class AssignedDevicesTest {
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
            HypervisorException e =
                    assertThrows(HypervisorException.class, () -> rig.vm.assign(file));
            assertTrue(
                    e.getMessage().contains("KVM_SET_DEVICE_ATTR (add '/dev/null')"),
                    e::getMessage);
        }
    }
}
