package org.backplane.chipset;

import java.util.Map;
import java.util.OptionalInt;
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
import org.backplane.device.context.InterruptLine;

/** A chip's settings: the names that it knows, and values that several chips have. */
final class ChipSettings {
    static final String IRQ = "irq";
    static final String SPACE = "space";

    /** The settings' grammar of a line's number (docs/devices.md). */
    static final String LINE = "1..1023";

    private static final int MOST_LINES = 1023;
    private static final String BASE = "base";
    private static final Pattern ADDRESS = Pattern.compile("(?:0[xX])?([0-9a-fA-F]+)");
    private static final Pattern NUMBER = Pattern.compile("[0-9]{1,18}");

    private final DeviceContext context;
    private final OptionalLong base;

    private ChipSettings(DeviceContext context, OptionalLong base) {
        this.context = context;
        this.base = base;
    }

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
                context,
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

    /** Where the registers are to begin, if it was set. */
    OptionalLong base() {
        return base;
    }

    /** The space of {@code space=io|mmio}; that of memory if it was not set. */
    Space space() throws DeviceException {
        String text = context.settings().getOrDefault(SPACE, "mmio");
        return switch (text) {
            case "io" -> Space.IO;
            case "mmio" -> Space.MMIO;
            default ->
                    throw new DeviceException(
                            "Slot '%s': the setting space=%s is neither io nor mmio."
                                    .formatted(context.slot(), text));
        };
    }

    /** The line whose number is set under that name; one that is free if it was not set. */
    InterruptLine line(String setting) throws DeviceException {
        OptionalInt source = number(setting);
        return source.isPresent() ? context.line(source.getAsInt()) : context.line();
    }

    private OptionalInt number(String setting) throws DeviceException {
        String text = context.settings().get(setting);
        if (text == null) {
            return OptionalInt.empty();
        }
        if (NUMBER.matcher(text).matches()) {
            long number = Long.parseLong(text);
            if (number >= 1 && number <= MOST_LINES) {
                return OptionalInt.of((int) number);
            }
        }
        throw new DeviceException(
                "Slot '%s': the setting %s=%s is no interrupt line; it must be a number from 1 to %d."
                        .formatted(context.slot(), setting, text, MOST_LINES));
    }

    /**
     * Claims the chip's registers at the base that is set, or at the lowest that is free.
     *
     * @param size in bytes
     */
    RegionLease claim(Space space, long size, IoHandler registers) throws DeviceException {
        return claim(
                space,
                size,
                base.isPresent() ? new Placement.Exact(base.getAsLong()) : Placement.natural(size),
                registers);
    }

    /**
     * As {@link #claim(Space, long, IoHandler)}, of a chip that has its registers at the same place
     * in every machine.
     *
     * @param usual the place, unless another base is set
     * @param offset of these registers from the base, in bytes
     */
    RegionLease claim(Space space, long usual, long offset, long size, IoHandler registers)
            throws DeviceException {
        return claim(space, size, new Placement.Exact(base.orElse(usual) + offset), registers);
    }

    private RegionLease claim(Space space, long size, Placement placement, IoHandler registers)
            throws DeviceException {
        try {
            return context.region(space, size, placement, registers);
        } catch (ClaimException refused) {
            String said = refused.getMessage();
            throw new DeviceException(
                    placement instanceof Placement.Exact
                            ? said.replaceAll("\\.$", "") + "; give another " + BASE + "=."
                            : said,
                    refused);
        }
    }
}
