package org.backplane.chipset;

import org.backplane.device.Device;
import org.backplane.device.DeviceException;
import org.backplane.device.DeviceFactory;
import org.backplane.device.context.DeviceContext;
import org.osgi.annotation.bundle.Capability;

/**
 * Serial ports. Settings: {@code base}, {@code space}, {@code irq}, and {@code console}, which the
 * slot reads.
 */
@Capability(
        namespace = "org.backplane.device",
        attribute = {
            "kind=" + Ns16550aFactory.KIND,
            "bus=board",
            "settings:List<String>=\"base=address,console=console,irq="
                    + ChipSettings.LINE
                    + ",space=io|mmio\""
        })
final class Ns16550aFactory implements DeviceFactory {
    static final String KIND = "ns16550a";

    @Override
    public Device create(DeviceContext context) throws DeviceException {
        return Ns16550a.in(context);
    }
}
