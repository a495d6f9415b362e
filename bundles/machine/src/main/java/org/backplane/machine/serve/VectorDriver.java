package org.backplane.machine.serve;

import java.util.function.IntPredicate;

/**
 * Programs message-signalled interrupts of the function as its driver would: each vector that the
 * client has an eventfd for sends a message of its number, the others are masked where they can be.
 * One thread at a time.
 */
abstract class VectorDriver {
    private final int kind;
    private final boolean[] open;
    private boolean enabled;

    /**
     * @param kind as VFIO numbers it
     */
    VectorDriver(int kind, int vectors) {
        this.kind = kind;
        open = new boolean[vectors];
    }

    /** Writes what a vector sends and whether it may. */
    abstract void program(int vector, boolean opens);

    /** Switches the kind on or off; also called while it is on, after other vectors are open. */
    abstract void enable(boolean on);

    /** Whether a register of configuration space is this driver's. */
    abstract boolean owns(int offset);

    final int kind() {
        return kind;
    }

    final int vectors() {
        return open.length;
    }

    /**
     * Opens the vectors that can be signalled and masks the others; the kind is on while there is
     * one that can.
     */
    final void settle(IntPredicate signalled) {
        boolean some = false;
        boolean others = false;
        for (int vector = 0; vector < open.length; vector++) {
            boolean opens = signalled.test(vector);
            some |= opens;
            if (opens != open[vector]) {
                others = true;
                open[vector] = opens;
                program(vector, opens);
            }
        }
        if (others) {
            enabled = some;
            enable(some);
        }
    }

    /** The function was reset: makes it again what it was. */
    final void again() {
        for (int vector = 0; vector < open.length; vector++) {
            if (open[vector]) {
                program(vector, true);
            }
        }
        if (enabled) {
            enable(true);
        }
    }
}
