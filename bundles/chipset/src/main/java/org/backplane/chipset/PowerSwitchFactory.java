package org.backplane.chipset;

import org.backplane.device.Device;
import org.backplane.device.DeviceException;
import org.backplane.device.DeviceFactory;
import org.backplane.device.context.DeviceContext;
import org.osgi.annotation.bundle.Capability;

/** Power switches. Setting: {@code base}. */
@Capability(
        namespace = "org.backplane.device",
        attribute = {
            "kind=" + PowerSwitchFactory.KIND,
            "bus=board",
            "settings:List<String>=\"base=address\""
        })
final class PowerSwitchFactory implements DeviceFactory {
    static final String KIND = "power";

    @Override
    public Device create(DeviceContext context) throws DeviceException {
        return PowerSwitch.in(context);
    }
}
