package org.backplane.machine.slot;

import java.time.Duration;
import org.backplane.device.DeviceException;
import org.backplane.pci.Type0Header;
import org.backplane.vfio.VfioDevice;
import org.backplane.vfio.VfioException;

/**
 * Bus mastering of the devices of elsewhere that a slot keeps, as the slot itself switches it: they
 * work by themselves, and code that failed can stop nothing. Control thread.
 */
final class BusMastering {
    private final KeptResources kept;
    private final DeviceCalls calls;

    /** Half of what a call has: the guest is parked meanwhile, and was before. */
    private final Duration bound;

    BusMastering(KeptResources kept, SlotGear gear) {
        this.kept = kept;
        calls = gear.calls();
        bound = gear.bounds().call().dividedBy(2);
    }

    /**
     * Sets Bus Master Enable in each device's own COMMAND (PCI 3.0, section 6.2.2), and leaves the
     * rest of the register as it is. What is gone does no DMA, and whoever finds it again sets it.
     *
     * @throws DeviceException a device that is there does not take it, or not in time
     */
    void set(boolean on) throws DeviceException, InterruptedException {
        for (VfioDevice device : kept.devices()) {
            calls.run("bus mastering", bound, () -> set(device, on));
        }
    }

    private static void set(VfioDevice device, boolean on) throws DeviceException {
        try {
            long before = device.read(VfioDevice.CONFIG, Type0Header.COMMAND, 2);
            long wanted =
                    on
                            ? before | Type0Header.COMMAND_BUS_MASTER
                            : before & ~Type0Header.COMMAND_BUS_MASTER;
            if (wanted != before) {
                device.write(VfioDevice.CONFIG, Type0Header.COMMAND, 2, wanted);
            }
        } catch (VfioException e) {
            if (device.attend()) {
                throw new DeviceException(e.getMessage(), e);
            }
        }
    }
}
