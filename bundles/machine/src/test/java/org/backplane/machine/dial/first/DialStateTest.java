package org.backplane.machine.dial.first;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.backplane.device.DeviceException;
import org.backplane.machine.dial.Dial;
import org.backplane.testkit.GoldenState;
import org.junit.jupiter.api.Test;

class DialStateTest {
    private static final String GOLDEN = "dial-v1.properties";

    @Test
    void savesAndReadsWhatTheGoldenFileHolds() throws DeviceException {
        DialState state = new DialState(42);
        GoldenState.requireSame(Dial.class, GOLDEN, state.saved());
        assertEquals(state, DialState.of(GoldenState.read(Dial.class, GOLDEN)));
    }
}
