package org.backplane.machine.console;

import java.util.function.IntConsumer;

/** Takes the monitor's own keys out of what is typed: Ctrl-A and a letter. Used by one thread. */
final class EscapeKeys {
    static final int CTRL_A = 1;

    /** What the keys do. */
    interface Actions {
        void end();

        void help();
    }

    private final IntConsumer guest;
    private final Actions actions;
    private boolean escaped;

    /**
     * @param guest takes what is not for the monitor
     */
    EscapeKeys(IntConsumer guest, Actions actions) {
        this.guest = guest;
        this.actions = actions;
    }

    void typed(int octet) {
        if (!escaped) {
            if (octet == CTRL_A) {
                escaped = true;
            } else {
                guest.accept(octet);
            }
            return;
        }
        escaped = false;
        switch (octet) {
            case 'x', 'X' -> actions.end();
            case 'h', 'H', '?' -> actions.help();
            // Twice is once for the guest, as in screen and QEMU.
            case CTRL_A, 'a' -> guest.accept(CTRL_A);
            default -> guest.accept(octet);
        }
    }
}
