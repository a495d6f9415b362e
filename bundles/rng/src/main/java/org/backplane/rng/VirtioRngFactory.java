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

/**
 * Entropy devices. Setting: {@code rate}, most bytes that the guest gets in a second; not limited
 * by default.
 */
@Capability(
        namespace = "org.backplane.device",
        attribute = {
            "kind=" + VirtioRngFactory.KIND,
            "settings:List<String>=\"rate=1.." + VirtioRngFactory.MAX_RATE + "\""
        })
final class VirtioRngFactory implements DeviceFactory {
    static final String KIND = "virtio-rng";
    static final int MAX_RATE = 1_000_000_000;

    /** The host's generator: never waits, never ends. */
    private static final Path SOURCE = Path.of("/dev/urandom");

    private static final String RATE = "rate";

    @Override
    public Device create(DeviceContext context) throws DeviceException {
        return new VirtioRng(
                context, rate(context), context.kept("source", Fd.class, VirtioRngFactory::open));
    }

    /** In bytes a second; 0 is no limit. */
    private static long rate(DeviceContext context) throws DeviceException {
        for (var setting : context.settings().entrySet()) {
            if (!setting.getKey().equals(RATE)) {
                throw new DeviceException(
                        "Slot '%s': %s has no setting '%s' (value '%s'); there are: %s."
                                .formatted(
                                        context.slot(),
                                        KIND,
                                        setting.getKey(),
                                        setting.getValue(),
                                        RATE));
            }
        }
        String text = context.settings().get(RATE);
        if (text == null) {
            return 0;
        }
        long rate = text.matches("[0-9]{1,18}") ? Long.parseLong(text) : 0;
        if (rate < 1 || rate > MAX_RATE) {
            throw new DeviceException(
                    "Slot '%s': rate=%s is no number of bytes from 1 to %d."
                            .formatted(context.slot(), text, MAX_RATE));
        }
        return rate;
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
