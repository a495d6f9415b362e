package org.backplane.chipset;

import java.util.Set;
import org.backplane.bus.IoHandler;
import org.backplane.bus.Space;
import org.backplane.device.Device;
import org.backplane.device.DeviceException;
import org.backplane.device.context.DeviceContext;
import org.backplane.device.state.SaveSupport;

/**
 * A port for test programs: what is written to it ends the machine, with twice the value plus one
 * as exit status, as QEMU's isa-debug-exit does. So no value is a success by accident. It is not in
 * the firmware's tables.
 */
final class DebugExit implements Device, IoHandler {
    /** Where kvm-unit-tests expect it. */
    private static final long BASE = 0xf4;

    /** In bytes. */
    private static final int SIZE = 4;

    /** What of an exit status a process has. */
    private static final int STATUS_MASK = 0xff;

    private final DeviceContext context;

    private DebugExit(DeviceContext context) {
        this.context = context;
    }

    static DebugExit in(DeviceContext context) throws DeviceException {
        ChipSettings settings = ChipSettings.of(context, Set.of());
        DebugExit exit = new DebugExit(context);
        settings.claim(Space.IO, BASE, 0, SIZE, exit);
        return exit;
    }

    @Override
    public long read(long offset, int width) {
        return 0;
    }

    /** Any width at any of the ports. */
    @Override
    public void write(long offset, int width, long value) {
        context.exit((int) (value << 1 | 1) & STATUS_MASK);
    }

    @Override
    public void start() {
        // Acts only when written to.
    }

    @Override
    public void quiesce() {
        // The end is posted.
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
        // Nothing is remembered.
    }

    @Override
    public SaveSupport saveSupport() {
        return new SaveSupport.Stateless();
    }

    @Override
    public void close() {
        // Everything held is a lease.
    }
}
