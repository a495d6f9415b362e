package org.backplane.chipset;

import org.backplane.device.Device;
import org.backplane.device.DeviceException;
import org.backplane.device.DeviceFactory;
import org.backplane.device.context.DeviceContext;
import org.osgi.annotation.bundle.Capability;

/** Ports that end the process. Setting: {@code base}. */
@Capability(
        namespace = "org.backplane.device",
        attribute = {
            "kind=" + DebugExitFactory.KIND,
            "bus=board",
            "settings:List<String>=\"base=address\""
        })
final class DebugExitFactory implements DeviceFactory {
    static final String KIND = "debug-exit";

    @Override
    public Device create(DeviceContext context) throws DeviceException {
        return DebugExit.in(context);
    }
}
