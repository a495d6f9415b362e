package org.backplane.device.virtio.blk;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.backplane.device.DeviceException;

/**
 * What can be set of a disk.
 *
 * @param path of an image file or a block device; required
 * @param readOnly {@code ro}: the guest cannot write; off by default
 * @param serial what GET_ID answers, up to 20 printable ASCII characters; the slot's name by
 *     default
 * @param queues number of request queues, 1 to 16; 1 by default
 * @param discard whether the guest may give blocks back to the host; on by default
 * @param transitional whether drivers of before virtio 1.0 can use the disk, too; off by default
 */
record BlkSettings(
        Path path,
        boolean readOnly,
        String serial,
        int queues,
        boolean discard,
        boolean transitional) {
    static final int MAX_QUEUES = 16;

    private static final String PATH = "path";
    private static final String RO = "ro";
    private static final String SERIAL = "serial";
    private static final String QUEUES = "queues";
    private static final String DISCARD = "discard";
    private static final String TRANSITIONAL = "transitional";
    private static final List<String> KNOWN =
            List.of(PATH, RO, SERIAL, QUEUES, DISCARD, TRANSITIONAL);

    /** Reads and checks a slot's settings. */
    static BlkSettings of(String slot, Map<String, String> settings) throws DeviceException {
        for (String name : new TreeSet<>(settings.keySet())) {
            if (!KNOWN.contains(name)) {
                throw refused(
                        slot,
                        "%s has no setting '%s' (value '%s'); there are: %s",
                        VirtioBlkFactory.KIND,
                        name,
                        settings.get(name),
                        String.join(", ", KNOWN));
            }
        }
        return new BlkSettings(
                path(slot, settings.getOrDefault(PATH, "")),
                flag(slot, RO, settings.getOrDefault(RO, "off")),
                serial(slot, settings.get(SERIAL)),
                queues(slot, settings.getOrDefault(QUEUES, "1")),
                flag(slot, DISCARD, settings.getOrDefault(DISCARD, "on")),
                flag(slot, TRANSITIONAL, settings.getOrDefault(TRANSITIONAL, "off")));
    }

    private static Path path(String slot, String text) throws DeviceException {
        if (text.isEmpty()) {
            throw refused(slot, "a disk needs path=FILE, an image file or a block device");
        }
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            throw refused(slot, "path=%s is no file name: %s", text, e.getReason());
        }
    }

    private static boolean flag(String slot, String name, String text) throws DeviceException {
        return switch (text) {
            case "on", "true" -> true;
            case "off", "false" -> false;
            default -> throw refused(slot, "%s=%s is neither on nor off", name, text);
        };
    }

    private static String serial(String slot, String text) throws DeviceException {
        if (text == null) {
            String name = slot.replaceAll("[^!-~]", "_");
            return name.substring(0, Math.min(name.length(), BlkWire.ID_BYTES));
        }
        if (text.isEmpty() || text.length() > BlkWire.ID_BYTES || !text.matches("[!-~]+")) {
            throw refused(
                    slot,
                    "serial=%s is not 1 to %d printable ASCII characters without spaces",
                    text,
                    BlkWire.ID_BYTES);
        }
        return text;
    }

    private static int queues(String slot, String text) throws DeviceException {
        if (text.matches("[0-9]{1,18}")) {
            long queues = Long.parseLong(text);
            if (queues >= 1 && queues <= MAX_QUEUES) {
                return (int) queues;
            }
        }
        throw refused(slot, "queues=%s is no number from 1 to %d", text, MAX_QUEUES);
    }

    private static DeviceException refused(String slot, String format, Object... values) {
        return new DeviceException("Slot '%s': %s.".formatted(slot, format.formatted(values)));
    }
}
