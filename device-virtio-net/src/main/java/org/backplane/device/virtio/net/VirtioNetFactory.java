package org.backplane.device.virtio.net;

import org.backplane.device.Device;
import org.backplane.device.DeviceException;
import org.backplane.device.DeviceFactory;
import org.backplane.device.context.DeviceContext;
import org.osgi.annotation.bundle.Capability;

/** Network cards. Settings: see {@link NetSettings}. */
@Capability(
        namespace = "org.backplane.device",
        attribute = {
            "kind=" + VirtioNetFactory.KIND,
            "settings:List<String>=\"backend!=none|socket|tap|user,if=interface,path=file,listen=flag,hostfwd=forwards,mac=mac,queues=1.."
                    + NetSettings.MAX_QUEUES
                    + ",mtu="
                    + NetSettings.LEAST_MTU
                    + ".."
                    + NetSettings.MOST_MTU
                    + ",transitional=flag\""
        })
final class VirtioNetFactory implements DeviceFactory {
    static final String KIND = "virtio-net";

    @Override
    public Device create(DeviceContext context) throws DeviceException {
        NetSettings settings = NetSettings.of(context);
        return new VirtioNet(context, settings, Backends.of(context, settings));
    }
}
