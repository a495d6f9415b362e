package org.backplane.chipset;

import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.backplane.bus.IoHandler;
import org.backplane.bus.Space;
import org.backplane.device.Device;
import org.backplane.device.DeviceException;
import org.backplane.device.GuestErrors;
import org.backplane.device.context.DeviceContext;
import org.backplane.device.context.FirmwareNode;
import org.backplane.device.context.InterruptLine;
import org.backplane.device.context.TimerLease;
import org.backplane.device.state.SaveSupport;
import org.backplane.device.state.SavedState;

/**
 * The Goldfish real-time clock: the host's time plus what the guest set, and one alarm. Registers
 * and the timer's callback come on several threads; one lock keeps them apart.
 *
 * @see RtcRegisters
 */
final class GoldfishRtc implements Device, IoHandler {
    private static final long LOW_HALF = 0xffff_ffffL;

    private final SaveSupport saveSupport = new SaveSupport.Saveable(this::save, this::restore);
    private final DeviceContext context;
    private final Clock wallClock;
    private final GuestErrors errors;
    private final InterruptLine line;
    private final TimerLease timer;

    private final Object lock = new Object();
    private long offset;
    private int latchedHigh;
    private long alarm;
    private boolean armed;
    private boolean enabled;
    private boolean pending;

    private GoldfishRtc(DeviceContext context) throws DeviceException {
        this.context = context;
        wallClock = context.wallClock();
        errors = new GuestErrors(context.slot());
        line = context.line();
        timer = context.timer(this::expired);
    }

    static GoldfishRtc in(DeviceContext context) throws DeviceException {
        ChipSettings settings = ChipSettings.of(context, Set.of());
        GoldfishRtc rtc = new GoldfishRtc(context);
        settings.claim(Space.MMIO, RtcRegisters.SIZE, rtc);
        context.describe(
                new FirmwareNode("rtc", List.of("google,goldfish-rtc"), Map.of(), List.of()));
        return rtc;
    }

    @Override
    public long read(long register, int width) {
        if (width != RtcRegisters.WIDTH) {
            errors.add("a read of %d bytes at offset 0x%x", width, register);
            return -1;
        }
        synchronized (lock) {
            return switch ((int) register) {
                case RtcRegisters.TIME_LOW -> {
                    long now = now();
                    latchedHigh = (int) (now >>> 32);
                    yield now & LOW_HALF;
                }
                case RtcRegisters.TIME_HIGH -> Integer.toUnsignedLong(latchedHigh);
                case RtcRegisters.ALARM_LOW -> alarm & LOW_HALF;
                case RtcRegisters.ALARM_HIGH -> alarm >>> 32;
                case RtcRegisters.IRQ_ENABLED -> enabled ? 1 : 0;
                case RtcRegisters.ALARM_STATUS -> armed ? 1 : 0;
                default -> {
                    errors.add("a read of %d bytes at offset 0x%x", width, register);
                    yield 0;
                }
            };
        }
    }

    @Override
    public void write(long register, int width, long value) {
        if (width != RtcRegisters.WIDTH) {
            errors.add("a write of %d bytes at offset 0x%x", width, register);
            return;
        }
        synchronized (lock) {
            switch ((int) register) {
                case RtcRegisters.TIME_LOW -> setTime(withLow(now(), value));
                case RtcRegisters.TIME_HIGH -> setTime(withHigh(now(), value));
                case RtcRegisters.ALARM_LOW -> {
                    alarm = withLow(alarm, value);
                    armed = true;
                    follow();
                }
                case RtcRegisters.ALARM_HIGH -> alarm = withHigh(alarm, value);
                case RtcRegisters.IRQ_ENABLED -> {
                    enabled = (value & 1) != 0;
                    drive();
                }
                case RtcRegisters.CLEAR_ALARM -> {
                    armed = false;
                    follow();
                }
                case RtcRegisters.CLEAR_INTERRUPT -> {
                    pending = false;
                    drive();
                }
                default -> errors.add("a write of %d bytes at offset 0x%x", width, register);
            }
        }
    }

    private static long withLow(long time, long half) {
        return time & ~LOW_HALF | half & LOW_HALF;
    }

    private static long withHigh(long time, long half) {
        return time & LOW_HALF | half << 32;
    }

    /** The guest's time in nanoseconds. Modulo 2^64, as the registers are. */
    private long now() {
        Instant host = wallClock.instant();
        return host.getEpochSecond() * TimeUnit.SECONDS.toNanos(1) + host.getNano() + offset;
    }

    private void setTime(long time) {
        offset += time - now();
        follow();
    }

    private void expired() {
        synchronized (lock) {
            follow();
        }
    }

    /**
     * Brings timer and line up to date. The timer counts guest time, which stands still while the
     * machine is paused, and the clock does not: so every expiry compares the clock again.
     */
    private void follow() {
        if (armed) {
            long now = now();
            if (Long.compareUnsigned(now, alarm) >= 0) {
                armed = false;
                pending = true;
            } else {
                timer.arm(later(context.guestTime(), alarm - now));
            }
        }
        if (!armed) {
            timer.disarm();
        }
        drive();
    }

    /** The sum, or the end of time: the guest may ask for an alarm in 500 years. */
    private static long later(long time, long span) {
        return span < 0 || time + span < time ? Long.MAX_VALUE : time + span;
    }

    private void drive() {
        line.set(enabled && pending);
    }

    @Override
    public void start() {
        synchronized (lock) {
            follow();
        }
    }

    @Override
    public void quiesce() {
        // An alarm is no request: the slot's gate holds its callback back.
    }

    @Override
    public boolean idle() {
        return true;
    }

    @Override
    public void resume() {
        synchronized (lock) {
            follow();
        }
    }

    @Override
    public void reset() {
        synchronized (lock) {
            become(new RtcState(0, 0, 0, false, false, false));
            follow();
        }
    }

    @Override
    public SaveSupport saveSupport() {
        return saveSupport;
    }

    private SavedState save() {
        synchronized (lock) {
            return new RtcState(offset, latchedHigh, alarm, armed, enabled, pending).saved();
        }
    }

    private void restore(SavedState saved) throws DeviceException {
        RtcState state = RtcState.of(saved);
        synchronized (lock) {
            become(state);
        }
    }

    private void become(RtcState state) {
        offset = state.offset();
        latchedHigh = state.latchedHigh();
        alarm = state.alarm();
        armed = state.armed();
        enabled = state.enabled();
        pending = state.pending();
    }

    @Override
    public void close() {
        // Everything held is a lease.
    }
}
