package org.backplane.rng;

import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.backplane.device.DeviceException;

/**
 * What can be set of an entropy device.
 *
 * @param rate most bytes that the guest gets in a second; 0, the default, is no limit
 * @param transitional whether drivers of before virtio 1.0 can use it, too; off by default
 */
record RngSettings(long rate, boolean transitional) {
    static final int MAX_RATE = 1_000_000_000;

    private static final String RATE = "rate";
    private static final String TRANSITIONAL = "transitional";
    private static final List<String> KNOWN = List.of(RATE, TRANSITIONAL);

    /** Reads and checks a slot's settings. */
    static RngSettings of(String slot, Map<String, String> settings) throws DeviceException {
        for (String name : new TreeSet<>(settings.keySet())) {
            if (!KNOWN.contains(name)) {
                throw new DeviceException(
                        "Slot '%s': %s has no setting '%s' (value '%s'); there are: %s."
                                .formatted(
                                        slot,
                                        VirtioRngFactory.KIND,
                                        name,
                                        settings.get(name),
                                        String.join(", ", KNOWN)));
            }
        }
        return new RngSettings(
                rate(slot, settings.get(RATE)),
                flag(slot, TRANSITIONAL, settings.getOrDefault(TRANSITIONAL, "off")));
    }

    private static long rate(String slot, String text) throws DeviceException {
        if (text == null) {
            return 0;
        }
        long rate = text.matches("[0-9]{1,18}") ? Long.parseLong(text) : 0;
        if (rate < 1 || rate > MAX_RATE) {
            throw new DeviceException(
                    "Slot '%s': rate=%s is no number of bytes from 1 to %d."
                            .formatted(slot, text, MAX_RATE));
        }
        return rate;
    }

    private static boolean flag(String slot, String name, String text) throws DeviceException {
        return switch (text) {
            case "on", "true" -> true;
            case "off", "false" -> false;
            default ->
                    throw new DeviceException(
                            "Slot '%s': %s=%s is neither on nor off.".formatted(slot, name, text));
        };
    }
}
