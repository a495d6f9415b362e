package org.backplane.chipset;

import org.backplane.device.DeviceException;
import org.backplane.device.state.SavedState;

/**
 * What a clock remembers.
 *
 * @param offset what the guest added to the host's time, in nanoseconds, modulo 2^64
 * @param latchedHigh the high half of the time at the last read of the low half
 * @param alarm the time of the alarm in nanoseconds, unsigned
 * @param armed whether the alarm is still to come
 * @param enabled whether an alarm interrupts
 * @param pending whether an alarm has come and was not cleared
 */
record RtcState(
        long offset, int latchedHigh, long alarm, boolean armed, boolean enabled, boolean pending) {
    private static final String SCHEMA = "goldfish-rtc";
    private static final int VERSION = 1;

    SavedState saved() {
        return SavedState.of(SCHEMA, VERSION)
                .number("offset", offset)
                .number("latched-high", Integer.toUnsignedLong(latchedHigh))
                .number("alarm", alarm)
                .number("armed", armed ? 1 : 0)
                .number("enabled", enabled ? 1 : 0)
                .number("pending", pending ? 1 : 0)
                .build();
    }

    /** Every time is one that a guest could have set. */
    static RtcState of(SavedState state) throws DeviceException {
        state.require(SCHEMA, VERSION);
        return new RtcState(
                state.number("offset", 0),
                (int) state.number("latched-high", 0, 0, 0xffff_ffffL),
                state.number("alarm", 0),
                state.flag("armed", false),
                state.flag("enabled", false),
                state.flag("pending", false));
    }
}
