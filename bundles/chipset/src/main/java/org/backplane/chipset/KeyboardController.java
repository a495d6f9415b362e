package org.backplane.chipset;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.backplane.bus.IoHandler;
import org.backplane.bus.Space;
import org.backplane.device.Device;
import org.backplane.device.DeviceException;
import org.backplane.device.GuestErrors;
import org.backplane.device.context.DeviceContext;
import org.backplane.device.context.DeviceContext.PowerRequest;
import org.backplane.device.context.FirmwareNode;
import org.backplane.device.context.InterruptLine;
import org.backplane.device.state.SaveSupport;
import org.backplane.device.state.SavedState;

/**
 * The keyboard controller of a PC with nothing plugged into it. It resets the machine by a pulse on
 * its output port; it answers what a driver asks in search of it, and tells of either device that
 * it does not answer. Address line 20 is never masked, whatever its gate says.
 *
 * <p>The output buffer holds a byte; one that nobody fetched is replaced by the next. Registers
 * come on several threads; one lock keeps them apart.
 *
 * @see KeyboardRegisters
 */
final class KeyboardController implements Device {
    static final String AUX_IRQ = "aux-irq";

    /** What of the status does not follow from the command byte. */
    static final int REMEMBERED =
            KeyboardRegisters.STATUS_OUTPUT_FULL
                    | KeyboardRegisters.STATUS_COMMAND
                    | KeyboardRegisters.STATUS_AUX
                    | KeyboardRegisters.STATUS_TIME_OUT;

    private final SaveSupport saveSupport = new SaveSupport.Saveable(this::save, this::restore);
    private final DeviceContext context;
    private final GuestErrors errors;
    private final InterruptLine line;
    private final InterruptLine auxLine;

    private final Object lock = new Object();
    private int mode;
    private int status;
    private int output;
    private boolean a20;
    private int command;

    private KeyboardController(DeviceContext context, ChipSettings settings)
            throws DeviceException {
        this.context = context;
        errors = new GuestErrors(context.slot());
        line = settings.line(ChipSettings.IRQ);
        auxLine = settings.line(AUX_IRQ);
        become(KeyboardState.afterReset());
    }

    static KeyboardController in(DeviceContext context) throws DeviceException {
        ChipSettings settings = ChipSettings.of(context, Set.of(ChipSettings.IRQ, AUX_IRQ));
        KeyboardController controller = new KeyboardController(context, settings);
        settings.claim(Space.IO, KeyboardRegisters.BASE, 0, 1, controller.new Data());
        settings.claim(
                Space.IO,
                KeyboardRegisters.BASE,
                KeyboardRegisters.CONTROL_OFFSET,
                1,
                controller.new Control());
        context.describe(
                new FirmwareNode("8042", List.of("intel,8042"), Map.of(), List.of(), "PNP0303"));
        return controller;
    }

    /** The data port. */
    private final class Data implements IoHandler {
        @Override
        public long read(long offset, int width) {
            synchronized (lock) {
                status &=
                        ~(KeyboardRegisters.STATUS_OUTPUT_FULL
                                | KeyboardRegisters.STATUS_AUX
                                | KeyboardRegisters.STATUS_TIME_OUT);
                drive();
                return output;
            }
        }

        @Override
        public void write(long offset, int width, long value) {
            synchronized (lock) {
                status &= ~KeyboardRegisters.STATUS_COMMAND;
                int awaiting = command;
                command = 0;
                take(awaiting, (int) value & 0xff);
                drive();
            }
        }
    }

    /** Status and commands. */
    private final class Control implements IoHandler {
        @Override
        public long read(long offset, int width) {
            synchronized (lock) {
                return status
                        | KeyboardRegisters.STATUS_UNLOCKED
                        | ((mode & KeyboardRegisters.MODE_SYSTEM) != 0
                                ? KeyboardRegisters.STATUS_SYSTEM
                                : 0);
            }
        }

        @Override
        public void write(long offset, int width, long value) {
            synchronized (lock) {
                status |= KeyboardRegisters.STATUS_COMMAND;
                int given = (int) value & 0xff;
                command = takesData(given) ? given : 0;
                if (command == 0) {
                    obey(given);
                }
                drive();
            }
        }
    }

    static boolean takesData(int command) {
        return isMemoryCommand(command, KeyboardRegisters.WRITE_MEMORY)
                || command >= KeyboardRegisters.WRITE_OUTPUT_PORT
                        && command <= KeyboardRegisters.WRITE_AUX;
    }

    private static boolean isMemoryCommand(int command, int first) {
        return command >= first && command < first + KeyboardRegisters.MEMORY_COMMANDS;
    }

    /** A command without data. */
    private void obey(int given) {
        if (isMemoryCommand(given, KeyboardRegisters.READ_MEMORY)) {
            answer(given == KeyboardRegisters.READ_MEMORY ? mode : 0);
            return;
        }
        if (given >= KeyboardRegisters.PULSE) {
            pulse(given);
            return;
        }
        switch (given) {
            case KeyboardRegisters.DISABLE_AUX -> mode |= KeyboardRegisters.MODE_AUX_DISABLE;
            case KeyboardRegisters.ENABLE_AUX -> mode &= ~KeyboardRegisters.MODE_AUX_DISABLE;
            case KeyboardRegisters.DISABLE_KEYBOARD -> mode |= KeyboardRegisters.MODE_DISABLE;
            case KeyboardRegisters.ENABLE_KEYBOARD -> mode &= ~KeyboardRegisters.MODE_DISABLE;
            case KeyboardRegisters.TEST_AUX, KeyboardRegisters.TEST_KEYBOARD ->
                    answer(KeyboardRegisters.TEST_PASSED);
            case KeyboardRegisters.SELF_TEST -> {
                mode |= KeyboardRegisters.MODE_SYSTEM;
                answer(KeyboardRegisters.SELF_TEST_PASSED);
            }
            case KeyboardRegisters.READ_INPUT_PORT -> answer(KeyboardRegisters.INPUT_UNLOCKED);
            case KeyboardRegisters.READ_OUTPUT_PORT -> answer(outputPort());
            case KeyboardRegisters.READ_TEST_INPUTS -> answer(0);
            default -> errors.add("the unknown command 0x%02x", given);
        }
    }

    private void pulse(int given) {
        if ((given & KeyboardRegisters.OUTPUT_NO_RESET) == 0) {
            context.power(PowerRequest.REBOOT);
        }
    }

    /** The data of a command, or a byte for the keyboard. */
    private void take(int awaiting, int octet) {
        switch (awaiting) {
            case 0 -> {
                // Data for the keyboard turns it on.
                mode &= ~KeyboardRegisters.MODE_DISABLE;
                fill(KeyboardRegisters.NO_ANSWER, KeyboardRegisters.STATUS_TIME_OUT);
            }
            case KeyboardRegisters.WRITE_MEMORY -> mode = octet & KeyboardRegisters.MODE_WRITABLE;
            case KeyboardRegisters.WRITE_OUTPUT_PORT -> {
                a20 = (octet & KeyboardRegisters.OUTPUT_A20) != 0;
                pulse(octet);
            }
            case KeyboardRegisters.LOOP_KEYBOARD -> answer(octet);
            case KeyboardRegisters.LOOP_AUX -> fill(octet, KeyboardRegisters.STATUS_AUX);
            case KeyboardRegisters.WRITE_AUX -> {
                mode &= ~KeyboardRegisters.MODE_AUX_DISABLE;
                fill(
                        KeyboardRegisters.NO_ANSWER,
                        KeyboardRegisters.STATUS_AUX | KeyboardRegisters.STATUS_TIME_OUT);
            }
            default -> errors.add("a write of the controller's memory by 0x%02x", awaiting);
        }
    }

    private int outputPort() {
        return KeyboardRegisters.OUTPUT_NO_RESET
                | (a20 ? KeyboardRegisters.OUTPUT_A20 : 0)
                | (full(false) ? KeyboardRegisters.OUTPUT_INTERRUPT : 0)
                | (full(true) ? KeyboardRegisters.OUTPUT_AUX_INTERRUPT : 0);
    }

    private void answer(int octet) {
        fill(octet, 0);
    }

    private void fill(int octet, int bits) {
        output = octet;
        status =
                status & KeyboardRegisters.STATUS_COMMAND
                        | KeyboardRegisters.STATUS_OUTPUT_FULL
                        | bits;
    }

    private boolean full(boolean fromAux) {
        return (status & KeyboardRegisters.STATUS_OUTPUT_FULL) != 0
                && (status & KeyboardRegisters.STATUS_AUX) != 0 == fromAux;
    }

    private void drive() {
        line.set((mode & KeyboardRegisters.MODE_INTERRUPT) != 0 && full(false));
        auxLine.set((mode & KeyboardRegisters.MODE_AUX_INTERRUPT) != 0 && full(true));
    }

    @Override
    public void start() {
        synchronized (lock) {
            drive();
        }
    }

    @Override
    public void quiesce() {
        // Nothing takes time here.
    }

    @Override
    public boolean idle() {
        return true;
    }

    @Override
    public void resume() {
        // See quiesce.
    }

    @Override
    public void reset() {
        synchronized (lock) {
            become(KeyboardState.afterReset());
            drive();
        }
    }

    @Override
    public SaveSupport saveSupport() {
        return saveSupport;
    }

    private SavedState save() {
        synchronized (lock) {
            return new KeyboardState(mode, status, output, a20, command).saved();
        }
    }

    private void restore(SavedState saved) throws DeviceException {
        KeyboardState state = KeyboardState.of(saved);
        synchronized (lock) {
            become(state);
        }
    }

    private void become(KeyboardState state) {
        mode = state.mode();
        status = state.status();
        output = state.output();
        a20 = state.a20();
        command = state.command();
    }

    @Override
    public void close() {
        // Everything held is a lease.
    }
}
