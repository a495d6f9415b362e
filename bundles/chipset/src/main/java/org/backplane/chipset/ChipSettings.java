package org.backplane.chipset;

import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.backplane.bus.ClaimException;
import org.backplane.bus.IoHandler;
import org.backplane.bus.Placement;
import org.backplane.bus.RegionLease;
import org.backplane.bus.Space;
import org.backplane.device.DeviceException;
import org.backplane.device.context.DeviceContext;

/**
 * What can be set of a chip.
 *
 * @param base the address of the first register, or empty for the lowest that is free
 */
record ChipSettings(OptionalLong base) {
    private static final String BASE = "base";
    private static final Pattern ADDRESS = Pattern.compile("(?:0[xX])?([0-9a-fA-F]+)");

    /**
     * Reads and checks a slot's settings.
     *
     * @param others settings that the chip knows besides {@code base}
     */
    static ChipSettings of(DeviceContext context, Set<String> others) throws DeviceException {
        Map<String, String> settings = context.settings();
        for (String name : new TreeSet<>(settings.keySet())) {
            if (!name.equals(BASE) && !others.contains(name)) {
                Set<String> known = new TreeSet<>(others);
                known.add(BASE);
                throw new DeviceException(
                        "Slot '%s': %s has no setting '%s' (value '%s'); there are: %s."
                                .formatted(
                                        context.slot(),
                                        context.kind(),
                                        name,
                                        settings.get(name),
                                        String.join(", ", known)));
            }
        }
        String base = settings.get(BASE);
        return new ChipSettings(
                base == null ? OptionalLong.empty() : OptionalLong.of(address(context, base)));
    }

    private static long address(DeviceContext context, String text) throws DeviceException {
        Matcher digits = ADDRESS.matcher(text);
        if (!digits.matches()) {
            throw badAddress(context, text, null);
        }
        try {
            return Long.parseLong(digits.group(1), 16);
        } catch (NumberFormatException tooLarge) {
            throw badAddress(context, text, tooLarge);
        }
    }

    private static DeviceException badAddress(
            DeviceContext context, String text, NumberFormatException cause) {
        return new DeviceException(
                "Slot '%s': the setting base=%s is no hexadecimal address such as 0x10000000."
                        .formatted(context.slot(), text),
                cause);
    }

    /**
     * Claims the chip's registers.
     *
     * @param size in bytes
     */
    RegionLease claim(DeviceContext context, long size, IoHandler registers)
            throws DeviceException {
        Placement placement =
                base.isPresent() ? new Placement.Exact(base.getAsLong()) : Placement.natural(size);
        try {
            return context.region(Space.MMIO, size, placement, registers);
        } catch (ClaimException refused) {
            throw new DeviceException(refused.getMessage(), refused);
        }
    }
}
