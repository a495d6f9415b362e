package org.backplane.testdev;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import org.backplane.device.Device;
import org.backplane.device.DeviceException;
import org.backplane.device.DeviceFactory;
import org.backplane.device.context.DeviceContext;
import org.backplane.linux.EventFd;
import org.backplane.linux.LinuxException;
import org.osgi.annotation.bundle.Capability;

/**
 * PCI test devices. Settings: {@code membar}, the size of a third BAR of 64 bits with nothing
 * behind it, {@code memory}, host memory behind it, {@code vectors}, how many vectors there are,
 * and {@code line}, a pin, both with registers in BAR 4; there are none by default.
 */
@Capability(
        namespace = "org.backplane.device",
        attribute = {
            "kind=" + PciTestdevFactory.KIND,
            "settings:List<String>=\"membar=4K|1M|256M|1G|4G|64G,line=flag,memory=flag,vectors=1.."
                    + PciTestdev.MOST_VECTORS
                    + "\""
        })
final class PciTestdevFactory implements DeviceFactory {
    static final String KIND = "pci-testdev";

    private static final String MEMBAR = "membar";
    private static final String VECTORS = "vectors";
    private static final String LINE = "line";
    private static final String MEMORY = "memory";
    private static final List<String> SETTINGS = List.of(LINE, MEMBAR, MEMORY, VECTORS);
    private static final Map<String, Boolean> FLAGS =
            Map.of("on", true, "true", true, "off", false, "false", false);
    private static final Map<String, Long> SIZES =
            Map.of(
                    "4K", 1L << 12, "1M", 1L << 20, "256M", 1L << 28, "1G", 1L << 30, "4G",
                    1L << 32, "64G", 1L << 36);

    @Override
    public Device create(DeviceContext context) throws DeviceException {
        for (String name : new TreeSet<>(context.settings().keySet())) {
            if (!SETTINGS.contains(name)) {
                throw refused(
                        context,
                        "%s has no setting '%s' (value '%s'); there are: %s",
                        KIND,
                        name,
                        context.settings().get(name),
                        String.join(", ", SETTINGS));
            }
        }
        Optional<PciTestdev.Line> line = line(context);
        Optional<BarStore> store = store(context);
        long membar = store.isPresent() ? BarStore.SIZE : membar(context);
        List<EventFd> vectors = vectors(context);
        var device = new PciTestdev(membar, vectors, line, store, context.slot());
        line.ifPresent(pin -> context.onReadable(pin.resample(), device::finished));
        return device;
    }

    private static Optional<PciTestdev.Line> line(DeviceContext context) throws DeviceException {
        return flag(context, LINE)
                ? Optional.of(
                        new PciTestdev.Line(kept(context, "line"), kept(context, "line's end")))
                : Optional.empty();
    }

    private static boolean flag(DeviceContext context, String name) throws DeviceException {
        String text = context.settings().getOrDefault(name, "off");
        if (!FLAGS.containsKey(text)) {
            throw refused(context, "%s=%s is neither on nor off", name, text);
        }
        return FLAGS.get(text);
    }

    private static Optional<BarStore> store(DeviceContext context) throws DeviceException {
        if (!flag(context, MEMORY)) {
            return Optional.empty();
        }
        if (context.settings().containsKey(MEMBAR) && membar(context) != BarStore.SIZE) {
            throw refused(context, "memory=on has membar=1M: give that, or leave membar out");
        }
        return Optional.of(BarStore.of(context));
    }

    private static EventFd kept(DeviceContext context, String name) throws DeviceException {
        return context.kept(name, EventFd.class, () -> eventFd(context.slot()));
    }

    /** The slot's, so that what was signalled before a swap is delivered after. */
    private static List<EventFd> vectors(DeviceContext context) throws DeviceException {
        String text = context.settings().get(VECTORS);
        if (text == null) {
            return List.of();
        }
        if (!text.matches("0{0,18}[1-9]\\d?") || Integer.parseInt(text) > PciTestdev.MOST_VECTORS) {
            throw refused(
                    context,
                    "vectors=%s is no number from 1 to %d; give one",
                    text,
                    PciTestdev.MOST_VECTORS);
        }
        List<EventFd> events = new ArrayList<>();
        for (int vector = 0; vector < Integer.parseInt(text); vector++) {
            events.add(kept(context, "vector " + vector));
        }
        return events;
    }

    private static EventFd eventFd(String slot) throws DeviceException {
        try {
            return EventFd.open();
        } catch (LinuxException e) {
            throw new DeviceException("Slot '%s': %s.".formatted(slot, e.getMessage()), e);
        }
    }

    /** In bytes; 0 is none. */
    private static long membar(DeviceContext context) throws DeviceException {
        String text = context.settings().get(MEMBAR);
        if (text == null) {
            return 0;
        }
        Long size = SIZES.get(text);
        if (size == null) {
            throw refused(
                    context, "membar=%s is none of 4K, 1M, 256M, 1G, 4G and 64G; give one", text);
        }
        return size;
    }

    private static DeviceException refused(DeviceContext context, String format, Object... values) {
        return new DeviceException(
                "Slot '%s': %s.".formatted(context.slot(), format.formatted(values)));
    }
}
