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

    private final Behaviour behaviour;
    private final int version;
    private final InterruptLine line;
    private volatile long memory;

    private Card(Behaviour behaviour, int version, InterruptLine line) {
        this.behaviour = behaviour;
        this.version = version;
        this.line = line;
    }

    static Card in(DeviceContext context, Behaviour behaviour, int version) throws DeviceException {
        Card card = new Card(behaviour, version, context.line());
        try {
            context.region(Space.MMIO, SIZE, Placement.natural(SIZE), card);
            context.region(Space.IO, SIZE, Placement.natural(SIZE), card);
        } catch (ClaimException refused) {
            throw new DeviceException(refused.getMessage(), refused);
        }
        context.timer(() -> card.line.set(false)).arm(Long.MAX_VALUE);
        if (behaviour == Behaviour.THROWS_IN_CREATE) {
            throw new IllegalStateException("thrown in create");
        }
        return card;
    }

    @Override
    public long read(long offset, int width) {
        if (behaviour == Behaviour.THROWS_IN_READ) {
            throw new IllegalStateException("thrown in read");
        }
        return switch ((int) offset) {
            case MEMORY -> memory;
            case VERSION -> version;
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
        if (behaviour == Behaviour.THROWS_IN_START) {
            throw new IllegalStateException("thrown in start");
        }
        if (behaviour == Behaviour.LEAVES_A_THREAD) {
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
        if (behaviour == Behaviour.THROWS_AT_THE_END) {
            throw new IllegalStateException("thrown in quiesce");
        }
    }

    @Override
    public boolean idle() {
        return true;
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
        if (behaviour == Behaviour.REFUSES_STATE) {
            throw new DeviceException("The card takes no state.");
        }
        state.require(SCHEMA, 1);
        memory = state.number("memory", 0);
    }

    @Override
    public void close() {
        if (behaviour == Behaviour.THROWS_AT_THE_END) {
            throw new IllegalStateException("thrown in close");
        }
    }
}
