package org.backplane.chipset;

import java.time.Clock;
import java.time.Duration;
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
 * The real-time clock and memory of a PC (Motorola MC146818, with the 128 bytes of its successors):
 * the host's time plus what the guest added to it, in UTC, and alarm, update and periodic
 * interrupts. Registers and the timer's callback come on several threads; one lock keeps them
 * apart.
 *
 * <p>Flags are brought up to date when somebody looks: the timer runs only for an interrupt that is
 * enabled and not pending, so a guest cannot make it run faster than it reads register C. Alarm and
 * update follow the clock, which goes on while the machine is paused; the periodic interrupt
 * follows guest time.
 *
 * <p>A reset is that of a PC: memory and time stay, as the battery keeps them, and the registers
 * are as firmware leaves them.
 */
final class CmosRtc implements Device, IoHandler {
    /** From the end of the divider's reset to the first update ("Divider control"). */
    private static final int FIRST_UPDATE = 500_000_000;

    /** How long before an update UIP is up, in nanoseconds ("Update cycle"). */
    private static final int UPDATE_AHEAD = 244_000;

    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
    private static final int CRYSTAL = 32_768;
    private static final int NO_NMI_MASK = 0xff;

    private final SaveSupport saveSupport = new SaveSupport.Saveable(this::save, this::restore);
    private final DeviceContext context;
    private final Clock wallClock;
    private final GuestErrors errors;
    private final InterruptLine line;
    private final TimerLease timer;

    private final Object lock = new Object();
    private byte[] memory = CmosState.fresh();
    private int index = CmosRegisters.D;
    private int flags;
    private Duration offset = Duration.ZERO;
    private long seenSecond;
    private long seenTick;

    private CmosRtc(DeviceContext context, ChipSettings settings) throws DeviceException {
        this.context = context;
        wallClock = context.wallClock();
        errors = new GuestErrors(context.slot());
        line = settings.line(ChipSettings.IRQ);
        timer = context.timer(this::expired);
        seenSecond = now().getEpochSecond();
        seenTick = context.guestTime();
    }

    static CmosRtc in(DeviceContext context) throws DeviceException {
        ChipSettings settings = ChipSettings.of(context, Set.of(ChipSettings.IRQ));
        CmosRtc rtc = new CmosRtc(context, settings);
        settings.claim(Space.IO, CmosRegisters.BASE, 0, CmosRegisters.PORTS, rtc);
        context.describe(
                new FirmwareNode(
                        "rtc", List.of("motorola,mc146818"), Map.of(), List.of(), "PNP0B00"));
        return rtc;
    }

    /** A wide access is one to each port, as the bus of these ports makes it. */
    @Override
    public long read(long port, int width) {
        long value = 0;
        synchronized (lock) {
            for (int i = 0; i < width; i++) {
                value |= (long) readPort((int) port + i) << Byte.SIZE * i;
            }
        }
        return value;
    }

    @Override
    public void write(long port, int width, long value) {
        synchronized (lock) {
            for (int i = 0; i < width; i++) {
                writePort((int) port + i, (int) (value >>> Byte.SIZE * i) & 0xff);
            }
        }
    }

    private int readPort(int port) {
        return port == CmosRegisters.DATA ? readByte(index) : NO_NMI_MASK;
    }

    private void writePort(int port, int value) {
        if (port == CmosRegisters.INDEX) {
            index = value & CmosRegisters.ADDRESS_MASK;
        } else {
            writeByte(index, value);
        }
    }

    private int readByte(int address) {
        return switch (address) {
            case CmosRegisters.A ->
                    memory[address] & 0xff | (updateIsNear() ? CmosRegisters.A_UIP : 0);
            case CmosRegisters.C -> readFlags();
            case CmosRegisters.D -> CmosRegisters.D_VALID;
            default -> (CmosRegisters.isTime(address) ? time() : memory)[address] & 0xff;
        };
    }

    /** The bytes with the time in them. */
    private byte[] time() {
        if (stopped()) {
            return memory;
        }
        byte[] bytes = memory.clone();
        calendar().write(now().getEpochSecond(), bytes);
        return bytes;
    }

    /** Reading takes all flags back, and the interrupt with them. */
    private int readFlags() {
        look();
        int value = flags | (interrupting() ? CmosRegisters.C_IRQ : 0);
        flags = 0;
        follow();
        return value;
    }

    private void writeByte(int address, int value) {
        switch (address) {
            case CmosRegisters.A -> control(value & ~CmosRegisters.A_UIP, b());
            case CmosRegisters.B -> {
                boolean stops = (value & ~b() & CmosRegisters.B_SET) != 0;
                // Setting SET takes the update's interrupt back ("Register B").
                control(a(), stops ? value & ~CmosRegisters.B_UPDATE : value);
            }
            case CmosRegisters.C, CmosRegisters.D ->
                    errors.add("a write of register 0x%x, which is read only", address);
            case CmosRegisters.SECONDS_ALARM,
                    CmosRegisters.MINUTES_ALARM,
                    CmosRegisters.HOURS_ALARM -> {
                look();
                memory[address] = (byte) value;
                follow();
            }
            default -> {
                if (!CmosRegisters.isTime(address) || stopped()) {
                    memory[address] = (byte) value;
                } else {
                    look();
                    byte[] bytes = time();
                    bytes[address] = (byte) value;
                    setTime(bytes, now().getNano());
                    follow();
                }
            }
        }
    }

    /** New values of A and B: the time may come to a stop, or go on from where it was set. */
    private void control(int a, int b) {
        look();
        boolean stoodStill = stopped();
        boolean dividerWasOff = (a() & CmosRegisters.A_DIVIDER) != CmosRegisters.A_DIVIDER_ON;
        byte[] last = CmosRegisters.stopped(a, b) ? time() : memory;
        memory[CmosRegisters.A] = (byte) a;
        memory[CmosRegisters.B] = (byte) b;
        if (!stoodStill && stopped()) {
            last[CmosRegisters.A] = (byte) a;
            last[CmosRegisters.B] = (byte) b;
            memory = last;
        } else if (stoodStill && !stopped()) {
            setTime(memory, dividerWasOff ? FIRST_UPDATE : now().getNano());
        }
        follow();
    }

    /** The time is what the bytes say, that many nanoseconds into the second. */
    private void setTime(byte[] bytes, int nanos) {
        Instant time = Instant.ofEpochSecond(calendar().read(bytes), nanos);
        offset = Duration.between(wallClock.instant(), time);
        seenSecond = time.getEpochSecond();
    }

    private int a() {
        return memory[CmosRegisters.A] & 0xff;
    }

    private int b() {
        return memory[CmosRegisters.B] & 0xff;
    }

    private boolean stopped() {
        return CmosRegisters.stopped(a(), b());
    }

    private CmosCalendar calendar() {
        return CmosCalendar.of(b());
    }

    private Instant now() {
        return wallClock.instant().plus(offset);
    }

    private boolean updateIsNear() {
        return !stopped() && now().getNano() >= SECOND - UPDATE_AHEAD;
    }

    /** Of the periodic interrupt, in nanoseconds; 0 if there is none ("Rate selection bits"). */
    private long period() {
        int rate = a() & CmosRegisters.A_RATE;
        if (rate == 0 || (a() & CmosRegisters.A_DIVIDER) != CmosRegisters.A_DIVIDER_ON) {
            return 0;
        }
        // With this crystal the two fastest rates are those of 256 and 128 Hz.
        int shift = (rate < 3 ? rate + 7 : rate) - 1;
        return (SECOND << shift) / CRYSTAL;
    }

    /** Raises the flags of what has happened since somebody looked last. */
    private void look() {
        if (!stopped()) {
            long second = now().getEpochSecond();
            if (second > seenSecond) {
                int alarm = calendar().untilAlarm(seenSecond, memory);
                flags |= CmosRegisters.B_UPDATE;
                flags |= alarm > 0 && alarm <= second - seenSecond ? CmosRegisters.B_ALARM : 0;
            }
            seenSecond = second;
        }
        long period = period();
        long tick = context.guestTime();
        if (period > 0 && tick / period > seenTick / period) {
            flags |= CmosRegisters.B_PERIODIC;
        }
        seenTick = tick;
    }

    private boolean interrupting() {
        return (flags & b() & CmosRegisters.INTERRUPTS) != 0;
    }

    /** Brings line and timer up to date, after {@link #look}. */
    private void follow() {
        boolean pending = interrupting();
        line.set(pending);
        long next = pending ? Long.MAX_VALUE : untilInterrupt();
        if (next == Long.MAX_VALUE) {
            timer.disarm();
        } else {
            timer.arm(context.guestTime() + next);
        }
    }

    /** How long it is to the next interrupt that is enabled, in nanoseconds. */
    private long untilInterrupt() {
        int enabled = b();
        long next = Long.MAX_VALUE;
        long period = period();
        if ((enabled & CmosRegisters.B_PERIODIC) != 0 && period > 0) {
            next = period - context.guestTime() % period;
        }
        if (!stopped()) {
            int nanos = now().getNano();
            if ((enabled & CmosRegisters.B_UPDATE) != 0) {
                next = Math.min(next, SECOND - nanos);
            }
            if ((enabled & CmosRegisters.B_ALARM) != 0) {
                int alarm = calendar().untilAlarm(seenSecond, memory);
                next = alarm < 0 ? next : Math.min(next, alarm * SECOND - nanos);
            }
        }
        return next;
    }

    private void expired() {
        synchronized (lock) {
            look();
            follow();
        }
    }

    @Override
    public void start() {
        expired();
    }

    @Override
    public void quiesce() {
        // An interrupt is no request: the slot's gate holds the timer's callback back.
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
            control(CmosRegisters.A_INITIAL, CmosRegisters.B_INITIAL);
            index = CmosRegisters.D;
            flags = 0;
            follow();
        }
    }

    @Override
    public SaveSupport saveSupport() {
        return saveSupport;
    }

    private SavedState save() {
        synchronized (lock) {
            return new CmosState(
                            index,
                            memory.clone(),
                            flags,
                            offset.getSeconds(),
                            offset.getNano(),
                            seenSecond,
                            seenTick)
                    .saved();
        }
    }

    private void restore(SavedState saved) throws DeviceException {
        CmosState state = CmosState.of(saved);
        synchronized (lock) {
            index = state.index();
            memory = state.memory();
            flags = state.flags();
            offset = Duration.ofSeconds(state.offsetSeconds(), state.offsetNanos());
            seenSecond = state.seenSecond();
            seenTick = state.seenTick();
        }
    }

    @Override
    public void close() {
        // Everything held is a lease.
    }
}
