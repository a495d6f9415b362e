package org.backplane.chipset;

import org.backplane.device.Device;
import org.backplane.device.DeviceException;
import org.backplane.device.DeviceFactory;
import org.backplane.device.context.DeviceContext;
import org.osgi.annotation.bundle.Capability;

/** Power management of a PC. Settings: {@code base}, {@code irq}. */
@Capability(
        namespace = "org.backplane.device",
        attribute = {
            "kind=" + PowerManagementFactory.KIND,
            "bus=board",
            "settings:List<String>=\"base=address,irq=" + ChipSettings.LINE + "\""
        })
final class PowerManagementFactory implements DeviceFactory {
    static final String KIND = "acpi-pm";

    @Override
    public Device create(DeviceContext context) throws DeviceException {
        return PowerManagement.in(context);
    }
}
