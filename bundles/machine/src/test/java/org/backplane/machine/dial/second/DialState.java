package org.backplane.machine.dial.second;

import org.backplane.device.DeviceException;
import org.backplane.device.state.SavedState;
import org.backplane.machine.dial.Dial;

/**
 * What a dial knows.
 *
 * @param ceiling the highest level; since version 2, before it was always 100
 */
record DialState(int level, int ceiling) {
    static final String SCHEMA = "dial";
    static final int VERSION = 2;

    SavedState saved() {
        return SavedState.of(SCHEMA, VERSION)
                .number("level", level)
                .number("ceiling", ceiling)
                .build();
    }

    /** Reads both versions: what the first did not have is what the first device did. */
    static DialState of(SavedState state) throws DeviceException {
        state.require(SCHEMA, VERSION);
        int ceiling = (int) state.number("ceiling", Dial.TOP, 0, Dial.TOP);
        return new DialState((int) state.number("level", 0, 0, ceiling), ceiling);
    }
}
