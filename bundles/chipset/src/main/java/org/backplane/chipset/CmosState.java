package org.backplane.chipset;

import org.backplane.device.DeviceException;
import org.backplane.device.state.SavedState;

/**
 * What a PC's clock and memory remember.
 *
 * @param index the address last written
 * @param memory all bytes, registers A and B among them; of the time only while it stands still
 * @param flags of register C without its IRQF
 * @param offsetSeconds what the guest added to the host's time
 * @param offsetNanos the same, below a second
 * @param seenSecond up to which second since 1970 of the guest the flags are right
 * @param seenTick up to which guest time in nanoseconds the periodic flag is right
 */
record CmosState(
        int index,
        byte[] memory,
        int flags,
        long offsetSeconds,
        int offsetNanos,
        long seenSecond,
        long seenTick) {
    private static final String SCHEMA = "cmos-rtc";
    private static final int VERSION = 1;

    /** 30,000 years: what the registers can say is far within. */
    private static final long MOST_SECONDS = 1_000_000_000_000L;

    private static final int NANOS = 1_000_000_000;

    SavedState saved() {
        return SavedState.of(SCHEMA, VERSION)
                .number("index", index)
                .bytes("memory", memory)
                .number("flags", flags)
                .number("offset-seconds", offsetSeconds)
                .number("offset-nanos", offsetNanos)
                .number("seen-second", seenSecond)
                .number("seen-tick", seenTick)
                .build();
    }

    /** Every byte is one that a guest could have written, but for those of C and D. */
    static CmosState of(SavedState state) throws DeviceException {
        state.require(SCHEMA, VERSION);
        byte[] memory = state.bytes("memory", CmosRegisters.SIZE, CmosRegisters.SIZE);
        if (memory == null) {
            memory = fresh();
        }
        if (memory[CmosRegisters.C] != 0
                || memory[CmosRegisters.D] != 0
                || (memory[CmosRegisters.A] & CmosRegisters.A_UIP) != 0) {
            throw state.damaged("'memory' has bits that the guest cannot write");
        }
        int flags = (int) state.number("flags", 0, 0, 0xff);
        if ((flags & ~CmosRegisters.INTERRUPTS) != 0) {
            throw state.damaged("'flags' is 0x%02x, which has bits without an interrupt", flags);
        }
        return new CmosState(
                (int) state.number("index", CmosRegisters.D, 0, CmosRegisters.ADDRESS_MASK),
                memory.clone(),
                flags,
                state.number("offset-seconds", 0, -MOST_SECONDS, MOST_SECONDS),
                (int) state.number("offset-nanos", 0, 0, NANOS - 1L),
                state.number("seen-second", 0, -MOST_SECONDS, MOST_SECONDS),
                state.number("seen-tick", 0, 0, Long.MAX_VALUE));
    }

    /** The memory as a PC's firmware leaves it. */
    static byte[] fresh() {
        byte[] memory = new byte[CmosRegisters.SIZE];
        memory[CmosRegisters.A] = CmosRegisters.A_INITIAL;
        memory[CmosRegisters.B] = CmosRegisters.B_INITIAL;
        return memory;
    }
}
