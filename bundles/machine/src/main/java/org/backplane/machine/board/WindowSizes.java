package org.backplane.machine.board;

import org.backplane.machine.MachineException;

/**
 * How large the windows are in which PCI devices have their memory BARs.
 *
 * @param mmio32 in bytes, below 4 GiB; 0 for the board's own choice
 * @param mmio64 in bytes, above; 0 for the board's own choice
 */
public record WindowSizes(long mmio32, long mmio64) {
    /** What every board has unless it is told. */
    public static final WindowSizes OWN = new WindowSizes(0, 0);

    /** The option by which the size below 4 GiB is given. */
    static final String MMIO_32 = "--mmio32";

    static final String MMIO_64 = "--mmio64";

    static final long MEGABYTE = 1L << 20;

    private static final String UNITS = "MGT";

    /**
     * A size that was asked for, or the board's own.
     *
     * @throws MachineException it is none of a window of the board
     */
    static long judged(String option, long asked, long own, long least, long most)
            throws MachineException {
        if (asked == 0) {
            return own;
        }
        if (asked < least || asked > most || asked % MEGABYTE != 0) {
            throw new MachineException(
                    "%s: this board's window has from %s to %s; give a size between, in whole M."
                            .formatted(option, text(least), text(most)));
        }
        return asked;
    }

    /** As an option takes it: {@code 3008M}, {@code 2G}. */
    static String text(long size) {
        long amount = size / MEGABYTE;
        int unit = 0;
        while (amount % 1024 == 0 && amount > 0 && unit < UNITS.length() - 1) {
            amount /= 1024;
            unit++;
        }
        return amount + UNITS.substring(unit, unit + 1);
    }
}
