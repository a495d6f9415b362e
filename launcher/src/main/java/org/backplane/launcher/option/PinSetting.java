package org.backplane.launcher.option;

import java.util.Optional;
import java.util.regex.Pattern;
import org.osgi.framework.VersionRange;

/**
 * The setting {@code pin}, which slots of every kind have: which bundle may fill it, and in which
 * versions. docs/devices.md has the forms; the machine reads it.
 */
final class PinSetting {
    static final String NAME = "pin";

    private static final String VERSION = "\\d{1,9}(?:\\.\\d{1,9}(?:\\.\\d{1,9}(?:\\.[\\w-]+)?)?)?";
    private static final String RANGE = "[\\[(]" + VERSION + "," + VERSION + "[\\])]";
    private static final Pattern WRITTEN =
            Pattern.compile(
                    "[\\w-]+(?:\\.[\\w-]+)*(?:@(?:" + VERSION + "|(?<range>" + RANGE + ")))?");

    private PinSetting() {}

    /** What would be right, or nothing if the value will do. */
    static Optional<String> remedy(String value) {
        var written = WRITTEN.matcher(value);
        if (!written.matches()) {
            return Optional.of(
                    "'pin="
                            + value
                            + "' is wrong: give a bundle's symbolic name and, if wanted, versions:"
                            + " org.acme.disk, org.acme.disk@1.2 or org.acme.disk@[1.2,2), whose comma is"
                            + " written twice in an option");
        }
        String range = written.group("range");
        return range != null && new VersionRange(range).isEmpty()
                ? Optional.of("'pin=" + value + "' is wrong: no version is in " + range)
                : Optional.empty();
    }
}
