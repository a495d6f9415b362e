package org.backplane.itests.card;

import java.util.concurrent.locks.LockSupport;
import org.backplane.bus.ClaimException;
import org.backplane.bus.IoHandler;
import org.backplane.bus.Placement;
import org.backplane.bus.Space;
import org.backplane.device.Device;
import org.backplane.device.DeviceException;
import org.backplane.device.context.DeviceContext;
import org.backplane.device.context.InterruptLine;
import org.backplane.device.context.TimerLease;
import org.backplane.device.state.SaveSupport;
import org.backplane.device.state.SavedState;

/**
 * A device with a register of 4 bytes in each address space. Register 0 remembers and raises the
 * interrupt while it is odd; register 4 tells the version of the code. It never gives anything
 * back: that is the machine's work.
 */
final class Card implements Device, IoHandler {
    private static final int SIZE = 0x100;
    private static final int MEMORY = 0;
    private static final int VERSION = 4;
    private static final String SCHEMA = "card";

    private final Conduct conduct;
    private final InterruptLine line;
    private volatile long memory;
    private TimerLease timer;

    private Card(Conduct conduct, InterruptLine line) {
        this.conduct = conduct;
        this.line = line;
    }

    static Card in(DeviceContext context, Conduct conduct) throws DeviceException {
        Card card = new Card(conduct, context.line());
        long size = conduct.is(Behaviour.OTHER_SHAPE) ? 2 * SIZE : SIZE;
        try {
            context.region(Space.MMIO, size, Placement.natural(size), card);
            context.region(Space.IO, size, Placement.natural(size), card);
        } catch (ClaimException refused) {
            throw new DeviceException(refused.getMessage(), refused);
        }
        card.timer = context.timer(card::expired);
        card.timer.arm(conduct.is(Behaviour.FLOODS) ? 0 : Long.MAX_VALUE);
        conduct.hangIf(Behaviour.HANGS_IN_CREATE);
        conduct.throwIf(Behaviour.THROWS_IN_CREATE, "create");
        return card;
    }

    private void expired() {
        timer.arm(0);
    }

    @Override
    public long read(long offset, int width) {
        conduct.hangIf(Behaviour.HANGS_IN_READ);
        conduct.throwIf(Behaviour.THROWS_IN_READ, "read");
        return switch ((int) offset) {
            case MEMORY -> memory;
            case VERSION -> conduct.version();
            default -> -1;
        };
    }

    @Override
    public void write(long offset, int width, long value) {
        if (offset == MEMORY) {
            memory = value;
            line.set((value & 1) != 0);
        }
    }

    @Override
    public void start() {
        conduct.throwIf(Behaviour.THROWS_IN_START, "start");
        if (conduct.is(Behaviour.LEAVES_A_THREAD)) {
            Thread thread = new Thread(Card::linger, Behaviour.LEFT_BEHIND);
            thread.setDaemon(true);
            thread.start();
        }
        line.set((memory & 1) != 0);
    }

    private static void linger() {
        while (!Thread.interrupted()) {
            LockSupport.park();
        }
    }

    @Override
    public void quiesce() {
        conduct.hangIf(Behaviour.HANGS_IN_QUIESCE);
        conduct.throwIf(Behaviour.THROWS_AT_THE_END, "quiesce");
    }

    @Override
    public boolean idle() {
        return !conduct.is(Behaviour.NEVER_RESTS);
    }

    @Override
    public void resume() {
        line.set((memory & 1) != 0);
    }

    @Override
    public void reset() {
        memory = 0;
        line.set(false);
    }

    @Override
    public SaveSupport saveSupport() {
        return new SaveSupport.Saveable(
                () -> SavedState.of(SCHEMA, 1).number("memory", memory).build(), this::restore);
    }

    private void restore(SavedState state) throws DeviceException {
        if (conduct.is(Behaviour.REFUSES_STATE)) {
            throw new DeviceException("The card takes no state.");
        }
        state.require(SCHEMA, 1);
        memory = state.number("memory", 0);
    }

    @Override
    public void close() {
        conduct.throwIf(Behaviour.THROWS_AT_THE_END, "close");
    }
}
