package org.backplane.testkit.vfio;

import java.util.Map;

/** What a write to a register does, besides storing. All are carried out before the write ends. */
public sealed interface Action {
    /** Signals the vector whose number was written; one that there is not is passed over. */
    record SignalWritten(int irq) implements Action {}

    /** Signals a vector, whatever was written. */
    record Signal(int irq, int vector) implements Action {}

    /** Drives INTx: high for anything but 0. */
    record Level() implements Action {}

    /**
     * Copies in the client's memory.
     *
     * @param source offset of the register in the same BAR, 8 bytes wide, with the address from
     * @param destination likewise, to
     * @param length likewise, bytes; at most 1 MiB
     * @param status offset of a register of 4 bytes: 1 after a copy, 2 if it could not be made
     * @param byMessages whether the client is asked for the bytes even where its memory is mapped
     */
    record Copy(long source, long destination, long length, long status, boolean byMessages)
            implements Action {}

    /**
     * Registers behind a register, as of a PHY behind its MAC: what is written holds the number of
     * one, and the flag to write it or to have it read. The flag is the other way round once that
     * is done, which it is at once.
     *
     * @param shift where the number begins
     * @param numbers how many there are, a power of two
     * @param data mask of the value, from bit 0 on
     * @param flag one bit: set to write
     * @param cells by number; what is not there reads as 0 and takes what is written
     */
    record Mailbox(int shift, int numbers, long data, long flag, Map<Integer, Cell> cells)
            implements Action {
        public Mailbox {
            cells = Map.copyOf(cells);
        }
    }

    /**
     * @param value at first
     * @param writable mask
     */
    record Cell(long value, long writable) {}
}
