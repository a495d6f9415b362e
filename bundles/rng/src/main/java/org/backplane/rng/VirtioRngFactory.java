package org.backplane.rng;

import java.nio.file.Path;
import org.backplane.device.Device;
import org.backplane.device.DeviceException;
import org.backplane.device.DeviceFactory;
import org.backplane.device.context.DeviceContext;
import org.backplane.linux.Fd;
import org.backplane.linux.LinuxException;
import org.backplane.linux.OpenFlag;
import org.osgi.annotation.bundle.Capability;

/** Entropy devices. Settings: see {@link RngSettings}. */
@Capability(
        namespace = "org.backplane.device",
        attribute = {
            "kind=" + VirtioRngFactory.KIND,
            "settings:List<String>=\"rate=1.." + RngSettings.MAX_RATE + ",transitional=flag\""
        })
final class VirtioRngFactory implements DeviceFactory {
    static final String KIND = "virtio-rng";

    /** The host's generator: never waits, never ends. */
    private static final Path SOURCE = Path.of("/dev/urandom");

    @Override
    public Device create(DeviceContext context) throws DeviceException {
        return new VirtioRng(
                context,
                RngSettings.of(context.slot(), context.settings()),
                context.kept("source", Fd.class, VirtioRngFactory::open));
    }

    private static Fd open() throws DeviceException {
        try {
            return Fd.open(SOURCE, OpenFlag.READ);
        } catch (LinuxException e) {
            throw new DeviceException(
                    "The host's entropy cannot be used: " + e.getMessage() + ".", e);
        }
    }
}
