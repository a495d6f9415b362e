package org.backplane.device.state;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.backplane.device.DeviceException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class SavedStateTest {
    private static final SavedState STATE =
            SavedState.of("counter", 2)
                    .number("count", 300)
                    .number("on", 1)
                    .number("half", 2)
                    .bytes("octets", new byte[] {1, 2, 3})
                    .build();

    private static void refuses(String clause, Executable reading) {
        DeviceException refusal = assertThrows(DeviceException.class, reading);
        assertEquals(
                "The state of 'counter', version 2, is damaged or of another device: "
                        + clause
                        + ".",
                refusal.getMessage());
    }

    @Test
    void readsWhatIsWithinBounds() throws DeviceException {
        assertEquals(300, STATE.number("count", 0, 0, 300));
        assertEquals(300, STATE.number("count", 0, 300, 400));
        assertTrue(STATE.flag("on", false));
        assertArrayEquals(new byte[] {1, 2, 3}, STATE.bytes("octets", 3, 3));
    }

    @Test
    void refusesWhatIsNotWithASentenceOfSchemaVersionAndValue() {
        refuses(
                "'count' is 300, and only 0 to 255 are possible",
                () -> STATE.number("count", 0, 0, 255));
        refuses(
                "'count' is 300, and only 301 to 400 are possible",
                () -> STATE.number("count", 301, 301, 400));
        refuses("'half' is 2, and only 0 to 1 are possible", () -> STATE.flag("half", true));
        refuses(
                "'octets' has 3 bytes, and only 4 to 8 are possible",
                () -> STATE.bytes("octets", 4, 8));
        refuses(
                "'octets' has 3 bytes, and only 0 to 2 are possible",
                () -> STATE.bytes("octets", 0, 2));
    }

    @Test
    void givesDefaultsForWhatIsMissing() throws DeviceException {
        // The default may be one that says "none", outside of what can be saved.
        assertEquals(-1, STATE.number("missing", -1, 0, 255));
        assertTrue(STATE.flag("missing", true));
        assertNull(STATE.bytes("missing", 1, 2));
    }

    @Test
    void refusesOtherSchemasAndVersionsThatAreNewerOrNone() throws DeviceException {
        STATE.require("counter", 2);
        STATE.require("counter", 3);
        assertEquals(
                "The state is of 'counter', not of 'clock'.",
                assertThrows(DeviceException.class, () -> STATE.require("clock", 2)).getMessage());
        assertEquals(
                "The state of 'counter' has version 2 and this code reads 1 at most; newer code saved it, and reads it.",
                assertThrows(DeviceException.class, () -> STATE.require("counter", 1))
                        .getMessage());
        assertThrows(
                DeviceException.class,
                () -> SavedState.of("counter", 0).build().require("counter", 1));
    }

    @Test
    void keepsNoHoldOnTheWritersArrays() {
        byte[] octets = {1};
        SavedState state = SavedState.of("counter", 1).bytes("octets", octets).build();
        octets[0] = 2;
        state.bytes("octets")[0] = 3;
        assertArrayEquals(new byte[] {1}, state.bytes("octets"));
    }
}
