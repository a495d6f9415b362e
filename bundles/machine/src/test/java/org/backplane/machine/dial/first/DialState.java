package org.backplane.machine.dial.first;

import org.backplane.device.DeviceException;
import org.backplane.device.state.SavedState;
import org.backplane.machine.dial.Dial;

/** What a dial of the first release knows. */
record DialState(int level) {
    static final String SCHEMA = "dial";
    static final int VERSION = 1;

    SavedState saved() {
        return SavedState.of(SCHEMA, VERSION).number("level", level).build();
    }

    static DialState of(SavedState state) throws DeviceException {
        state.require(SCHEMA, VERSION);
        return new DialState((int) state.number("level", 0, 0, Dial.TOP));
    }
}
