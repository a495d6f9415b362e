package org.backplane.testdev;

import java.util.Map;
import java.util.TreeSet;
import org.backplane.device.Device;
import org.backplane.device.DeviceException;
import org.backplane.device.DeviceFactory;
import org.backplane.device.context.DeviceContext;
import org.osgi.annotation.bundle.Capability;

/**
 * PCI test devices. Setting: {@code membar}, the size of a third BAR of 64 bits with nothing behind
 * it; there is none by default.
 */
@Capability(
        namespace = "org.backplane.device",
        attribute = {
            "kind=" + PciTestdevFactory.KIND,
            "settings:List<String>=\"membar=4K|1M|256M|1G|4G|64G\""
        })
final class PciTestdevFactory implements DeviceFactory {
    static final String KIND = "pci-testdev";

    private static final String MEMBAR = "membar";
    private static final Map<String, Long> SIZES =
            Map.of(
                    "4K", 1L << 12, "1M", 1L << 20, "256M", 1L << 28, "1G", 1L << 30, "4G",
                    1L << 32, "64G", 1L << 36);

    @Override
    public Device create(DeviceContext context) throws DeviceException {
        for (String name : new TreeSet<>(context.settings().keySet())) {
            if (!name.equals(MEMBAR)) {
                throw refused(
                        context,
                        "%s has no setting '%s' (value '%s'); there are: %s",
                        KIND,
                        name,
                        context.settings().get(name),
                        MEMBAR);
            }
        }
        return new PciTestdev(membar(context), context.slot());
    }

    /** In bytes; 0 is none. */
    private static long membar(DeviceContext context) throws DeviceException {
        String text = context.settings().get(MEMBAR);
        if (text == null) {
            return 0;
        }
        Long size = SIZES.get(text);
        if (size == null) {
            throw refused(context, "membar=%s is none of 4K, 1M, 256M, 1G, 4G and 64G", text);
        }
        return size;
    }

    private static DeviceException refused(DeviceContext context, String format, Object... values) {
        return new DeviceException(
                "Slot '%s': %s.".formatted(context.slot(), format.formatted(values)));
    }
}
