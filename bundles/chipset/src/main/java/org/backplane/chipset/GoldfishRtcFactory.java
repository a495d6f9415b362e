package org.backplane.chipset;

import org.backplane.device.Device;
import org.backplane.device.DeviceException;
import org.backplane.device.DeviceFactory;
import org.backplane.device.context.DeviceContext;
import org.osgi.annotation.bundle.Capability;

/** Real-time clocks. Setting: {@code base}. */
@Capability(
        namespace = "org.backplane.device",
        attribute = {
            "kind=" + GoldfishRtcFactory.KIND,
            "bus=board",
            "settings:List<String>=\"base=address\""
        })
final class GoldfishRtcFactory implements DeviceFactory {
    static final String KIND = "goldfish-rtc";

    @Override
    public Device create(DeviceContext context) throws DeviceException {
        return GoldfishRtc.in(context);
    }
}
