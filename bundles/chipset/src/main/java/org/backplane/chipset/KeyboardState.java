package org.backplane.chipset;

import org.backplane.device.DeviceException;
import org.backplane.device.state.SavedState;

/**
 * What a keyboard controller remembers.
 *
 * @param mode the command byte
 * @param status without the bits that follow from the command byte
 * @param output what the data port reads, also after it was read
 * @param a20 gate of address line 20
 * @param command whose data is still to come, 0 if none
 */
record KeyboardState(int mode, int status, int output, boolean a20, int command) {
    private static final String SCHEMA = "i8042";
    private static final int VERSION = 1;

    static KeyboardState afterReset() {
        return new KeyboardState(KeyboardRegisters.MODE_INITIAL, 0, 0, true, 0);
    }

    SavedState saved() {
        return SavedState.of(SCHEMA, VERSION)
                .number("mode", mode)
                .number("status", status)
                .number("output", output)
                .number("a20", a20 ? 1 : 0)
                .number("command", command)
                .build();
    }

    static KeyboardState of(SavedState state) throws DeviceException {
        state.require(SCHEMA, VERSION);
        int status = (int) state.number("status", 0, 0, 0xff);
        if ((status & ~KeyboardController.REMEMBERED) != 0) {
            throw state.damaged("'status' is 0x%02x, of which not every bit is kept", status);
        }
        int command = (int) state.number("command", 0, 0, 0xff);
        if (command != 0 && !KeyboardController.takesData(command)) {
            throw state.damaged("'command' is 0x%02x, which takes no data", command);
        }
        return new KeyboardState(
                (int)
                        state.number(
                                "mode",
                                KeyboardRegisters.MODE_INITIAL,
                                0,
                                KeyboardRegisters.MODE_WRITABLE),
                status,
                (int) state.number("output", 0, 0, 0xff),
                state.flag("a20", true),
                command);
    }
}
