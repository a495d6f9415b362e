package org.backplane.device.virtio.blk;

import org.backplane.device.Device;
import org.backplane.device.DeviceException;
import org.backplane.device.DeviceFactory;
import org.backplane.device.context.DeviceContext;
import org.osgi.annotation.bundle.Capability;

/** Disks. Settings: see {@link BlkSettings}. */
@Capability(
        namespace = "org.backplane.device",
        attribute = {
            "kind=" + VirtioBlkFactory.KIND,
            "settings:List<String>=\"path!=file,ro=flag,serial=text("
                    + BlkWire.ID_BYTES
                    + "),queues=1.."
                    + BlkSettings.MAX_QUEUES
                    + ",discard=flag,transitional=flag\""
        })
final class VirtioBlkFactory implements DeviceFactory {
    static final String KIND = "virtio-blk";

    @Override
    public Device create(DeviceContext context) throws DeviceException {
        BlkSettings settings = BlkSettings.of(context.slot(), context.settings());
        return new VirtioBlk(context.slot(), settings, Image.kept(context, settings));
    }
}
