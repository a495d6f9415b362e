package org.backplane.chipset;

import org.backplane.device.Device;
import org.backplane.device.DeviceException;
import org.backplane.device.DeviceFactory;
import org.backplane.device.context.DeviceContext;
import org.osgi.annotation.bundle.Capability;

/** Keyboard controllers of a PC. Settings: {@code base}, {@code irq}, {@code aux-irq}. */
@Capability(
        namespace = "org.backplane.device",
        attribute = {
            "kind=" + KeyboardControllerFactory.KIND,
            "bus=board",
            "settings:List<String>=\"base=address,irq="
                    + ChipSettings.LINE
                    + ",aux-irq="
                    + ChipSettings.LINE
                    + "\""
        })
final class KeyboardControllerFactory implements DeviceFactory {
    static final String KIND = "i8042";

    @Override
    public Device create(DeviceContext context) throws DeviceException {
        return KeyboardController.in(context);
    }
}
