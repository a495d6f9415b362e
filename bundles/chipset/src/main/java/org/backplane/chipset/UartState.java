package org.backplane.chipset;

import org.backplane.device.DeviceException;
import org.backplane.device.state.SavedState;

/**
 * What a serial port remembers.
 *
 * @param fcr FIFO enable and trigger level, as in the register
 * @param overrun whether LSR's overrun bit is up
 * @param transmitterPending whether the transmitter's interrupt waits to be identified
 * @param modemDeltas MSR's low half
 * @param received bytes that the guest has not read, the oldest first
 */
record UartState(
        int ier,
        int fcr,
        int lcr,
        int mcr,
        int scratch,
        int divisor,
        boolean overrun,
        boolean transmitterPending,
        int modemDeltas,
        byte[] received) {
    private static final String SCHEMA = "ns16550a";
    private static final int VERSION = 1;

    /** After a master reset (PC16550D, table I). */
    static UartState afterReset() {
        return new UartState(0, 0, 0, 0, 0, 0, false, false, 0, new byte[0]);
    }

    SavedState saved() {
        return SavedState.of(SCHEMA, VERSION)
                .number("ier", ier)
                .number("fcr", fcr)
                .number("lcr", lcr)
                .number("mcr", mcr)
                .number("scratch", scratch)
                .number("divisor", divisor)
                .number("overrun", overrun ? 1 : 0)
                .number("transmitter-pending", transmitterPending ? 1 : 0)
                .number("modem-deltas", modemDeltas)
                .bytes("received", received)
                .build();
    }

    /** Refuses bits that the registers do not have. */
    static UartState of(SavedState state) throws DeviceException {
        state.require(SCHEMA, VERSION);
        int fcr = (int) state.number("fcr", 0, 0, 0xff);
        boolean fifos = (fcr & UartRegisters.FCR_ENABLE) != 0;
        if ((fcr & ~(UartRegisters.FCR_ENABLE | UartRegisters.FCR_TRIGGER)) != 0
                || !fifos && fcr != 0) {
            throw state.damaged("'fcr' is 0x%02x, which the register never keeps", fcr);
        }
        byte[] received = state.bytes("received", 0, fifos ? ReceiveFifo.DEPTH : 1);
        return new UartState(
                (int) state.number("ier", 0, 0, UartRegisters.IER_WRITABLE),
                fcr,
                (int) state.number("lcr", 0, 0, 0xff),
                (int) state.number("mcr", 0, 0, UartRegisters.MCR_WRITABLE),
                (int) state.number("scratch", 0, 0, 0xff),
                (int) state.number("divisor", 0, 0, 0xffff),
                state.flag("overrun", false),
                state.flag("transmitter-pending", false),
                (int) state.number("modem-deltas", 0, 0, UartRegisters.MSR_DELTAS),
                received == null ? new byte[0] : received);
    }
}
