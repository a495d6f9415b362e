package org.backplane.machine.console;

import java.util.function.IntConsumer;

/** Takes the monitor's own keys out of what is typed: Ctrl-A and a letter. Used by one thread. */
final class EscapeKeys {
    static final int CTRL_A = 1;

    /** What the keys do. */
    interface Actions {
        void end();

        void help();

        /** To the shell, or back. */
        void toggle();
    }

    private final IntConsumer shown;
    private final Actions actions;
    private boolean escaped;

    /**
     * @param shown takes what is not for the monitor: it is for whoever is shown
     */
    EscapeKeys(IntConsumer shown, Actions actions) {
        this.shown = shown;
        this.actions = actions;
    }

    void typed(int octet) {
        if (!escaped) {
            if (octet == CTRL_A) {
                escaped = true;
            } else {
                shown.accept(octet);
            }
            return;
        }
        escaped = false;
        switch (octet) {
            case 'x', 'X' -> actions.end();
            case 'h', 'H', '?' -> actions.help();
            case 's', 'S' -> actions.toggle();
            // Twice is once for who is shown, as in screen and QEMU.
            case CTRL_A, 'a' -> shown.accept(CTRL_A);
            default -> shown.accept(octet);
        }
    }
}
