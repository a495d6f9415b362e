package org.backplane.machine.dial;

import org.backplane.bus.ClaimException;
import org.backplane.bus.IoHandler;
import org.backplane.bus.Placement;
import org.backplane.bus.Space;
import org.backplane.device.Device;
import org.backplane.device.DeviceException;
import org.backplane.device.context.DeviceContext;

/**
 * The example of docs/save-state.md: a dial that the guest turns up to a ceiling, 32 bits at offset
 * 0. Its second release lets the guest set the ceiling, 32 bits at offset 4.
 */
public abstract class Dial implements Device, IoHandler {
    public static final int TOP = 100;
    public static final int LEVEL = 0;
    public static final int CEILING = 4;
    private static final int SIZE = 0x1000;

    protected volatile int level;
    protected volatile int ceiling = TOP;

    protected Dial(DeviceContext context) throws DeviceException {
        try {
            context.region(Space.MMIO, SIZE, Placement.natural(SIZE), this);
        } catch (ClaimException e) {
            throw new DeviceException(e.getMessage(), e);
        }
    }

    @Override
    public long read(long offset, int width) {
        return offset == LEVEL ? level : offset == CEILING ? ceiling : 0;
    }

    @Override
    public void write(long offset, int width, long value) {
        if (offset == LEVEL && value >= 0 && value <= ceiling) {
            level = (int) value;
        }
    }

    @Override
    public void start() {
        // Acts only when written to.
    }

    @Override
    public void quiesce() {
        // A turn is over when the write is.
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
        level = 0;
        ceiling = TOP;
    }

    @Override
    public void close() {
        // Everything held is a lease.
    }
}
