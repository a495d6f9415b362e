package org.backplane.chipset;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.backplane.bus.IoHandler;
import org.backplane.bus.Space;
import org.backplane.device.Device;
import org.backplane.device.DeviceException;
import org.backplane.device.GuestErrors;
import org.backplane.device.PowerButton;
import org.backplane.device.context.DeviceContext;
import org.backplane.device.context.DeviceContext.PowerRequest;
import org.backplane.device.context.FirmwareNode;
import org.backplane.device.context.InterruptLine;
import org.backplane.device.context.TimerLease;
import org.backplane.device.state.SaveSupport;
import org.backplane.device.state.SavedState;

/**
 * The fixed hardware of ACPI (6.5, 4.8): the power button, soft off, the timer and a reset
 * register. Its line is the SCI, high while an enabled event has its status bit up.
 *
 * <p>Registers, the button and the timer's callback come on several threads; one lock keeps them
 * apart.
 *
 * @see PmRegisters
 */
final class PowerManagement implements Device, PowerButton {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
    private static final int HIGHEST_BIT = PmRegisters.TIMER_BITS - 1;

    private final SaveSupport saveSupport = new SaveSupport.Saveable(this::save, this::restore);
    private final DeviceContext context;
    private final GuestErrors errors;
    private final InterruptLine sci;
    private final TimerLease timer;

    private final Object lock = new Object();

    /** Status in the low half, enable in the high one, as they lie in the block. */
    private int events;

    private int control;

    /** As long as the timer's highest bit is this, TMR_STS is right. */
    private boolean timerHigh;

    private PowerManagement(DeviceContext context, ChipSettings settings) throws DeviceException {
        this.context = context;
        errors = new GuestErrors(context.slot());
        sci = settings.line(ChipSettings.IRQ);
        timer = context.timer(this::expired);
        timerHigh = highNow();
    }

    static PowerManagement in(DeviceContext context) throws DeviceException {
        ChipSettings settings = ChipSettings.of(context, Set.of(ChipSettings.IRQ));
        PowerManagement power = new PowerManagement(context, settings);
        power.claim(settings, PmRegisters.EVENT, PmRegisters.EVENT_SIZE, power.new Events());
        power.claim(settings, PmRegisters.CONTROL, PmRegisters.CONTROL_SIZE, power.new Control());
        power.claim(settings, PmRegisters.TIMER, PmRegisters.TIMER_SIZE, power.new Timer());
        power.claim(settings, PmRegisters.RESET, PmRegisters.RESET_SIZE, power.new Reset());
        // Firmware tells of it in a table of its own, not as a device.
        context.describe(
                new FirmwareNode("power-management", List.of("acpi-pm"), Map.of(), List.of()));
        return power;
    }

    private void claim(ChipSettings settings, int offset, int size, IoHandler registers)
            throws DeviceException {
        settings.claim(Space.IO, PmRegisters.BASE, offset, size, registers);
    }

    /** The bytes of a register that an access reads. */
    private static long part(int register, long offset) {
        return (register & 0xffff_ffffL) >>> Byte.SIZE * offset;
    }

    /** The bits of a register that an access writes. */
    private static int mask(long offset, int width) {
        return (int) ((1L << Byte.SIZE * width) - 1 << Byte.SIZE * offset);
    }

    /** PM1 event grouping (4.8.3.1): a one clears the status bit, and sets the enable bit. */
    private final class Events implements IoHandler {
        @Override
        public long read(long offset, int width) {
            synchronized (lock) {
                look();
                return part(events, offset);
            }
        }

        @Override
        public void write(long offset, int width, long value) {
            synchronized (lock) {
                look();
                int written = mask(offset, width);
                int ones = (int) (value << Byte.SIZE * offset) & written;
                int enable = PmRegisters.ENABLES << PmRegisters.ENABLE_SHIFT;
                events &= ~(ones & PmRegisters.EVENTS);
                events = events & ~(enable & written) | ones & enable;
                drive();
            }
        }
    }

    /** PM1 control grouping (4.8.3.2). */
    private final class Control implements IoHandler {
        @Override
        public long read(long offset, int width) {
            synchronized (lock) {
                return part(control | PmRegisters.CONTROL_SCI_EN, offset);
            }
        }

        @Override
        public void write(long offset, int width, long value) {
            synchronized (lock) {
                int written = mask(offset, width);
                int given = (int) (value << Byte.SIZE * offset) & written;
                control =
                        control & ~(PmRegisters.CONTROL_KEPT & written)
                                | given & PmRegisters.CONTROL_KEPT;
                if ((given & PmRegisters.CONTROL_SLP_EN) != 0) {
                    sleep(
                            (control & PmRegisters.CONTROL_SLP_TYP)
                                    >>> PmRegisters.CONTROL_SLP_TYP_SHIFT);
                }
            }
        }
    }

    private void sleep(int type) {
        if (type == PmRegisters.S5) {
            context.power(PowerRequest.POWER_OFF);
        } else {
            errors.add("a sleep of type %d, which the tables do not offer", type);
        }
    }

    /** The power management timer (4.8.3.3); read only. */
    private final class Timer implements IoHandler {
        @Override
        public long read(long offset, int width) {
            return part((int) ticks(), offset);
        }

        @Override
        public void write(long offset, int width, long value) {
            errors.add("a write of %d bytes to the timer", width);
        }
    }

    /** The reset register (4.8.3.6): whatever is written. */
    private final class Reset implements IoHandler {
        @Override
        public long read(long offset, int width) {
            return 0;
        }

        @Override
        public void write(long offset, int width, long value) {
            context.power(PowerRequest.REBOOT);
        }
    }

    /** The timer, with more bits than a guest sees. Seconds apart: their product would not fit. */
    private long ticks() {
        long time = context.guestTime();
        return time / SECOND * PmRegisters.TIMER_FREQUENCY
                + time % SECOND * PmRegisters.TIMER_FREQUENCY / SECOND;
    }

    private boolean highNow() {
        return (ticks() >>> HIGHEST_BIT & 1) != 0;
    }

    /** Brings TMR_STS up to date; it tells of each change of the highest bit, in either sense. */
    private void look() {
        boolean now = highNow();
        if (now != timerHigh) {
            timerHigh = now;
            events |= PmRegisters.TMR;
        }
    }

    private void drive() {
        sci.set((events & events >>> PmRegisters.ENABLE_SHIFT & PmRegisters.EVENTS) != 0);
    }

    private void expired() {
        synchronized (lock) {
            look();
            drive();
            // The first nanosecond at which the bit has changed: the division rounds down.
            long next = (ticks() >>> HIGHEST_BIT) + 1 << HIGHEST_BIT;
            timer.arm(
                    next / PmRegisters.TIMER_FREQUENCY * SECOND
                            + next
                                    % PmRegisters.TIMER_FREQUENCY
                                    * SECOND
                                    / PmRegisters.TIMER_FREQUENCY
                            + 1);
        }
    }

    @Override
    public void press() {
        synchronized (lock) {
            events |= PmRegisters.PWRBTN;
            drive();
        }
    }

    @Override
    public void start() {
        expired();
    }

    @Override
    public void quiesce() {
        // An event is no request: the slot's gate holds the timer's callback back.
    }

    @Override
    public boolean idle() {
        return true;
    }

    @Override
    public void resume() {
        expired();
    }

    @Override
    public void reset() {
        synchronized (lock) {
            become(new PmState(0, 0, highNow()));
            drive();
        }
    }

    @Override
    public SaveSupport saveSupport() {
        return saveSupport;
    }

    private SavedState save() {
        synchronized (lock) {
            return new PmState(events, control, timerHigh).saved();
        }
    }

    private void restore(SavedState saved) throws DeviceException {
        PmState state = PmState.of(saved);
        synchronized (lock) {
            become(state);
        }
    }

    private void become(PmState state) {
        events = state.events();
        control = state.control();
        timerHigh = state.timerHigh();
    }

    @Override
    public void close() {
        // Everything held is a lease.
    }
}
