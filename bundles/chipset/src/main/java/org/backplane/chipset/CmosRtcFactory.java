package org.backplane.chipset;

import org.backplane.device.Device;
import org.backplane.device.DeviceException;
import org.backplane.device.DeviceFactory;
import org.backplane.device.context.DeviceContext;
import org.osgi.annotation.bundle.Capability;

/** Clock and memory of a PC. Settings: {@code base}, {@code irq}. */
@Capability(
        namespace = "org.backplane.device",
        attribute = {
            "kind=" + CmosRtcFactory.KIND,
            "bus=board",
            "settings:List<String>=\"base=address,irq=" + ChipSettings.LINE + "\""
        })
final class CmosRtcFactory implements DeviceFactory {
    static final String KIND = "cmos-rtc";

    @Override
    public Device create(DeviceContext context) throws DeviceException {
        return CmosRtc.in(context);
    }
}
