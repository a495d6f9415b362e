package org.backplane.chipset;

import org.backplane.device.DeviceException;
import org.backplane.device.state.SavedState;

/**
 * What the fixed hardware of ACPI remembers.
 *
 * @param events status in the low half, enable in the high one
 * @param control the bits that read back as written
 * @param timerHigh the timer's highest bit when TMR_STS was last right
 */
record PmState(int events, int control, boolean timerHigh) {
    private static final String SCHEMA = "acpi-pm";
    private static final int VERSION = 1;

    SavedState saved() {
        return SavedState.of(SCHEMA, VERSION)
                .number("status", events & 0xffff)
                .number("enable", events >>> PmRegisters.ENABLE_SHIFT)
                .number("control", control)
                .number("timer-high", timerHigh ? 1 : 0)
                .build();
    }

    static PmState of(SavedState state) throws DeviceException {
        state.require(SCHEMA, VERSION);
        int status = events(state, "status", PmRegisters.EVENTS);
        int enable = events(state, "enable", PmRegisters.ENABLES);
        int control = (int) state.number("control", 0, 0, 0xffff);
        if ((control & ~PmRegisters.CONTROL_KEPT) != 0) {
            throw state.damaged("'control' is 0x%04x, which the register never keeps", control);
        }
        return new PmState(
                status | enable << PmRegisters.ENABLE_SHIFT,
                control,
                state.flag("timer-high", false));
    }

    private static int events(SavedState state, String name, int known) throws DeviceException {
        int events = (int) state.number(name, 0, 0, 0xffff);
        if ((events & ~known) != 0) {
            throw state.damaged("'%s' is 0x%04x, which has unknown events", name, events);
        }
        return events;
    }
}
