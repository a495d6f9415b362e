package org.backplane.chipset;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.backplane.bus.IoHandler;
import org.backplane.bus.Space;
import org.backplane.device.Device;
import org.backplane.device.DeviceException;
import org.backplane.device.GuestErrors;
import org.backplane.device.context.Console;
import org.backplane.device.context.DeviceContext;
import org.backplane.device.context.FirmwareNode;
import org.backplane.device.context.InterruptLine;
import org.backplane.device.context.Lease;
import org.backplane.device.state.SaveSupport;
import org.backplane.device.state.SavedState;

/**
 * A 16550A serial port (National Semiconductor PC16550D). Registers and the console's callback come
 * on several threads; one lock keeps them apart, and nothing under it waits.
 *
 * <p>The line has no speed: a byte written has left when the write returns, so the transmitter is
 * always empty, and bytes come as fast as the guest reads. Hence the character time-out (section
 * 8.4, four character times without a read) has always passed: bytes below the trigger level
 * interrupt at once, with the time-out's identification. Bytes stay in the console while the
 * receiver has no room for them, or while loopback cuts the receiver off.
 *
 * <p>The line is high as long as any enabled interrupt is pending (section 8.6). A controller that
 * takes it for edges, as that of a PC does for line 4, misses none: a driver reads IIR until
 * nothing is pending, the line is low then, and what comes afterwards is a new edge. OUT2, which
 * gates the line on a PC's card, does not gate it here, because a driver without a card need not
 * know of it.
 */
final class Ns16550a implements Device, IoHandler {
    private static final int CLOCK = 3_686_400;
    private static final int SPEED = 115_200;

    /** A 16550A-compatible serial port. */
    private static final String HARDWARE_ID = "PNP0501";

    /** The cable: always connected, ready to send, no ring. */
    private static final int CONNECTED =
            UartRegisters.MSR_CTS | UartRegisters.MSR_DSR | UartRegisters.MSR_DCD;

    private final SaveSupport saveSupport = new SaveSupport.Saveable(this::save, this::restore);
    private final Console console;
    private final InterruptLine line;
    private final GuestErrors errors;

    private final Object lock = new Object();
    private final ReceiveFifo receiver = new ReceiveFifo();
    private int ier;
    private int lcr;
    private int mcr;
    private int scratch;
    private int divisor;
    private boolean overrun;
    private boolean transmitterPending;
    private int modemDeltas;

    /** Whether bytes may be taken from the console: between start and quiesce. */
    private boolean listening;

    /** The line as last driven: most accesses do not change it. */
    private boolean high;

    /**
     * The console's callback, or null; for the control thread. A console has one: it is given back
     * in quiesce, so that during a swap the next version can have it and, should that fail, this
     * one again.
     */
    private Lease input;

    private Ns16550a(DeviceContext context, ChipSettings settings) throws DeviceException {
        console = context.console();
        line = settings.line(ChipSettings.IRQ);
        errors = new GuestErrors(context.slot());
    }

    static Ns16550a in(DeviceContext context) throws DeviceException {
        ChipSettings settings =
                ChipSettings.of(context, Set.of("console", ChipSettings.IRQ, ChipSettings.SPACE));
        Space space = settings.space();
        Ns16550a uart = new Ns16550a(context, settings);
        settings.claim(space, UartRegisters.SIZE, uart);
        context.describe(
                new FirmwareNode(
                        "serial",
                        List.of("ns16550a"),
                        Map.of("clock-frequency", CLOCK, "current-speed", SPEED),
                        List.of(),
                        HARDWARE_ID));
        return uart;
    }

    @Override
    public long read(long offset, int width) {
        if (width != 1) {
            errors.add("a read of %d bytes at offset 0x%x", width, offset);
            return -1;
        }
        synchronized (lock) {
            boolean latch = (lcr & UartRegisters.LCR_DIVISOR_LATCH) != 0;
            return switch ((int) offset) {
                case UartRegisters.DATA -> latch ? divisor & 0xff : readReceived();
                case UartRegisters.IER -> latch ? divisor >>> 8 : ier;
                case UartRegisters.IIR -> readIdentification();
                case UartRegisters.LCR -> lcr;
                case UartRegisters.MCR -> mcr;
                case UartRegisters.LSR -> readLineStatus();
                case UartRegisters.MSR -> readModemStatus();
                case UartRegisters.SCR -> scratch;
                default -> throw new AssertionError("outside of the region: " + offset);
            };
        }
    }

    @Override
    public void write(long offset, int width, long value) {
        if (width != 1) {
            errors.add("a write of %d bytes at offset 0x%x", width, offset);
            return;
        }
        int octet = (int) value & 0xff;
        synchronized (lock) {
            boolean latch = (lcr & UartRegisters.LCR_DIVISOR_LATCH) != 0;
            switch ((int) offset) {
                case UartRegisters.DATA -> {
                    if (latch) {
                        divisor = divisor & 0xff00 | octet;
                    } else {
                        transmit(octet);
                    }
                }
                case UartRegisters.IER -> {
                    if (latch) {
                        divisor = divisor & 0xff | octet << 8;
                    } else {
                        enableInterrupts(octet & UartRegisters.IER_WRITABLE);
                    }
                }
                case UartRegisters.FCR -> controlFifos(octet);
                case UartRegisters.LCR -> lcr = octet;
                case UartRegisters.MCR -> controlModem(octet & UartRegisters.MCR_WRITABLE);
                case UartRegisters.SCR -> scratch = octet;
                // The status registers' write is for the factory's test only (section 8.3).
                case UartRegisters.LSR, UartRegisters.MSR ->
                        errors.add("a write of %d bytes at offset 0x%x", width, offset);
                default -> throw new AssertionError("outside of the region: " + offset);
            }
        }
    }

    private int readReceived() {
        int octet = receiver.remove();
        takeFromConsole();
        drive();
        return octet;
    }

    /** Identifying the transmitter's interrupt takes it back; the others ask for more. */
    private int readIdentification() {
        int identification = identification();
        if (identification == UartRegisters.IIR_TRANSMITTER_EMPTY) {
            transmitterPending = false;
            drive();
        }
        return identification | (receiver.enabled() ? UartRegisters.IIR_FIFOS_ENABLED : 0);
    }

    private int readLineStatus() {
        int status =
                UartRegisters.LSR_TRANSMITTER_EMPTY
                        | (receiver.isEmpty() ? 0 : UartRegisters.LSR_DATA_READY)
                        | (overrun ? UartRegisters.LSR_OVERRUN : 0);
        overrun = false;
        drive();
        return status;
    }

    private int readModemStatus() {
        int status = modemLines() | modemDeltas;
        modemDeltas = 0;
        drive();
        return status;
    }

    private void transmit(int octet) {
        if (!loopback()) {
            console.write(octet);
        } else if (!receiver.add(octet)) {
            overrun = true;
        }
        transmitterPending = true;
        drive();
    }

    /** Turning the transmitter's interrupt on while it is empty raises it again (table III). */
    private void enableInterrupts(int value) {
        int turnedOn = value & ~ier;
        ier = value;
        if ((turnedOn & UartRegisters.IER_TRANSMITTER_EMPTY) != 0) {
            transmitterPending = true;
        }
        drive();
    }

    /** The other bits count only together with the enable bit (section 8.2). */
    private void controlFifos(int value) {
        boolean enable = (value & UartRegisters.FCR_ENABLE) != 0;
        receiver.configure(enable, enable ? value >>> 6 : 0);
        if (enable && (value & UartRegisters.FCR_CLEAR_RECEIVER) != 0) {
            receiver.clear();
        }
        takeFromConsole();
        drive();
    }

    private void controlModem(int value) {
        int before = modemLines();
        mcr = value;
        int after = modemLines();
        int changed = (before ^ after) >>> 4 & UartRegisters.MSR_DELTAS;
        if ((after & UartRegisters.MSR_RING) != 0) {
            // Only the end of a ring counts.
            changed &= ~UartRegisters.MSR_TRAILING_EDGE_OF_RING;
        }
        modemDeltas |= changed;
        takeFromConsole();
        drive();
    }

    private boolean loopback() {
        return (mcr & UartRegisters.MCR_LOOPBACK) != 0;
    }

    private int modemLines() {
        if (!loopback()) {
            return CONNECTED;
        }
        return ((mcr & UartRegisters.MCR_RTS) != 0 ? UartRegisters.MSR_CTS : 0)
                | ((mcr & UartRegisters.MCR_DTR) != 0 ? UartRegisters.MSR_DSR : 0)
                | ((mcr & UartRegisters.MCR_OUT1) != 0 ? UartRegisters.MSR_RING : 0)
                | ((mcr & UartRegisters.MCR_OUT2) != 0 ? UartRegisters.MSR_DCD : 0);
    }

    /** The pending interrupt of the highest priority (table IV). */
    private int identification() {
        if ((ier & UartRegisters.IER_LINE_STATUS) != 0 && overrun) {
            return UartRegisters.IIR_LINE_STATUS;
        }
        if ((ier & UartRegisters.IER_RECEIVED) != 0 && !receiver.isEmpty()) {
            return receiver.triggered() ? UartRegisters.IIR_RECEIVED : UartRegisters.IIR_TIME_OUT;
        }
        if ((ier & UartRegisters.IER_TRANSMITTER_EMPTY) != 0 && transmitterPending) {
            return UartRegisters.IIR_TRANSMITTER_EMPTY;
        }
        if ((ier & UartRegisters.IER_MODEM_STATUS) != 0 && modemDeltas != 0) {
            return UartRegisters.IIR_MODEM_STATUS;
        }
        return UartRegisters.IIR_NONE;
    }

    private void drive() {
        boolean interrupting = identification() != UartRegisters.IIR_NONE;
        if (interrupting != high) {
            high = interrupting;
            line.set(interrupting);
        }
    }

    private void receive() {
        synchronized (lock) {
            takeFromConsole();
            drive();
        }
    }

    private void takeFromConsole() {
        if (!listening || loopback()) {
            return;
        }
        while (receiver.hasRoom()) {
            int octet = console.read();
            if (octet < 0) {
                return;
            }
            receiver.add(octet);
        }
    }

    @Override
    public void start() {
        listen();
    }

    @Override
    public void quiesce() {
        synchronized (lock) {
            listening = false;
        }
        if (input != null) {
            input.close();
            input = null;
        }
    }

    @Override
    public boolean idle() {
        return true;
    }

    @Override
    public void resume() {
        listen();
    }

    private void listen() {
        if (input == null) {
            input = console.onInput(this::receive);
        }
        synchronized (lock) {
            listening = true;
            takeFromConsole();
            drive();
        }
    }

    @Override
    public void reset() {
        synchronized (lock) {
            become(UartState.afterReset());
            takeFromConsole();
            drive();
        }
    }

    @Override
    public SaveSupport saveSupport() {
        return saveSupport;
    }

    private SavedState save() {
        synchronized (lock) {
            int fcr = receiver.level() << 6 | (receiver.enabled() ? UartRegisters.FCR_ENABLE : 0);
            return new UartState(
                            ier,
                            fcr,
                            lcr,
                            mcr,
                            scratch,
                            divisor,
                            overrun,
                            transmitterPending,
                            modemDeltas,
                            receiver.content())
                    .saved();
        }
    }

    private void restore(SavedState saved) throws DeviceException {
        UartState state = UartState.of(saved);
        synchronized (lock) {
            become(state);
        }
    }

    private void become(UartState state) {
        ier = state.ier();
        lcr = state.lcr();
        mcr = state.mcr();
        scratch = state.scratch();
        divisor = state.divisor();
        overrun = state.overrun();
        transmitterPending = state.transmitterPending();
        modemDeltas = state.modemDeltas();
        boolean enable = (state.fcr() & UartRegisters.FCR_ENABLE) != 0;
        receiver.configure(enable, enable ? state.fcr() >>> 6 : 0);
        receiver.clear();
        for (byte octet : state.received()) {
            receiver.add(octet);
        }
    }

    @Override
    public void close() {
        // Everything held is a lease.
    }
}
