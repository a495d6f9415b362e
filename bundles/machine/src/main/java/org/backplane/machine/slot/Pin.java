package org.backplane.machine.slot;

import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.backplane.machine.MachineException;
import org.backplane.machine.slot.Factories.Offer;
import org.osgi.framework.Version;
import org.osgi.framework.VersionRange;

/**
 * Which code may fill a slot: {@code SYMBOLIC-NAME[@VERSIONS]}. Versions are those that begin as
 * written, {@code 1.2} for every 1.2.x, or a range as OSGi Core 3.2.6 writes it, {@code [1.2,2)}.
 *
 * @param text as written
 * @param bundle symbolic name
 */
public record Pin(String text, String bundle, VersionRange versions) {
    /** The setting of a slot; its device does not see it. */
    public static final String SETTING = "pin";

    /** Stands for no pin. */
    public static final String NONE = "none";

    private static final Pattern WRITTEN =
            Pattern.compile("([\\w-]+(?:\\.[\\w-]+)*)(?:@([\\w.,()\\[\\]-]+))?");
    private static final Pattern BEGINNING =
            Pattern.compile("(\\d{1,9})(?:\\.(\\d{1,9})(?:\\.(\\d{1,9}))?)?");
    private static final VersionRange ANY = new VersionRange("0.0.0");

    /**
     * Reads a pin.
     *
     * @return empty if it is {@link #NONE}
     */
    public static Optional<Pin> parse(String text) throws MachineException {
        if (text.equals(NONE)) {
            return Optional.empty();
        }
        Matcher written = WRITTEN.matcher(text);
        try {
            if (written.matches()) {
                VersionRange versions = versions(written.group(2));
                if (!versions.isEmpty()) {
                    return Optional.of(new Pin(text, written.group(1), versions));
                }
            }
        } catch (IllegalArgumentException e) {
            throw malformed(text, e);
        }
        throw malformed(text, null);
    }

    private static MachineException malformed(String text, IllegalArgumentException cause) {
        return new MachineException(
                "'%s' is no pin: give a bundle's symbolic name and, if wanted, versions: org.acme.disk, org.acme.disk@1.2 or org.acme.disk@[1.2,2)."
                        .formatted(text),
                cause);
    }

    private static VersionRange versions(String text) {
        if (text == null) {
            return ANY;
        }
        Matcher beginning = BEGINNING.matcher(text);
        if (!beginning.matches()) {
            return text.startsWith("[") || text.startsWith("(")
                    ? new VersionRange(text)
                    : exactly(Version.parseVersion(text));
        }
        Version least = Version.parseVersion(text);
        Version beyond;
        if (beginning.group(2) == null) {
            beyond = new Version(least.getMajor() + 1, 0, 0);
        } else if (beginning.group(3) == null) {
            beyond = new Version(least.getMajor(), least.getMinor() + 1, 0);
        } else {
            beyond = new Version(least.getMajor(), least.getMinor(), least.getMicro() + 1);
        }
        return new VersionRange(VersionRange.LEFT_CLOSED, least, beyond, VersionRange.RIGHT_OPEN);
    }

    private static VersionRange exactly(Version version) {
        return new VersionRange(
                VersionRange.LEFT_CLOSED, version, version, VersionRange.RIGHT_CLOSED);
    }

    /** The pin among a slot's settings. */
    static Optional<Pin> of(SlotSpec spec) throws MachineException {
        String text = spec.settings().get(SETTING);
        if (text == null) {
            return Optional.empty();
        }
        try {
            return parse(text);
        } catch (MachineException e) {
            throw new MachineException("%s: %s".formatted(spec.source(), e.getMessage()), e);
        }
    }

    /** The settings that are the device's. */
    static Map<String, String> without(Map<String, String> settings) {
        Map<String, String> others = new TreeMap<>(settings);
        others.remove(SETTING);
        return Map.copyOf(others);
    }

    /** The settings with another pin, or none. */
    static Map<String, String> with(Optional<Pin> pin, Map<String, String> settings) {
        Map<String, String> all = new TreeMap<>(without(settings));
        pin.ifPresent(given -> all.put(SETTING, given.text));
        return Map.copyOf(all);
    }

    boolean fits(String symbolicName, Version version) {
        return bundle.equals(symbolicName) && versions.includes(version);
    }

    boolean fits(Offer offer) {
        return fits(offer.bundle().getSymbolicName(), offer.bundle().getVersion());
    }

    @Override
    public String toString() {
        return text;
    }
}
