package org.backplane.device.vfio;

import org.backplane.device.Device;
import org.backplane.device.DeviceException;
import org.backplane.device.DeviceFactory;
import org.backplane.device.context.DeviceContext;
import org.backplane.vfio.VfioDevice;
import org.osgi.annotation.bundle.Capability;

/** Passed-through PCI devices. Settings: see {@link VfioSettings}. */
@Capability(
        namespace = "org.backplane.device",
        attribute = {
            "kind=" + VfioFactory.KIND,
            "settings:List<String>=\"host=pci-address,socket=file,iommu=auto|group|iommufd\""
        })
final class VfioFactory implements DeviceFactory {
    static final String KIND = "vfio";

    private final Transport transport;

    VfioFactory(Transport transport) {
        this.transport = transport;
    }

    @Override
    public Device create(DeviceContext context) throws DeviceException {
        VfioDevice device = transport.open(context, VfioSettings.of(context));
        return new VfioPci(context, device, HostFunction.shape(context.slot(), device));
    }
}
