package org.backplane.launcher.option;

import java.util.Optional;

/**
 * The setting {@code port}, which slots of every PCI kind have: the number of the root port that
 * their function is in. How many a board has, the machine knows.
 */
final class PortSetting {
    static final String NAME = "port";

    private PortSetting() {}

    /** What would be right, or nothing if the value will do. */
    static Optional<String> remedy(String value) {
        return value.matches("[1-9][0-9]{0,2}")
                ? Optional.empty()
                : Optional.of(
                        "'port=" + value + "' is wrong: give a root port's number, from 1 on");
    }
}
