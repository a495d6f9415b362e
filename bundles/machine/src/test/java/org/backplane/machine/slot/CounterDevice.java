package org.backplane.machine.slot;

import java.util.ArrayList;
import java.util.List;
import org.backplane.bus.ClaimException;
import org.backplane.bus.IoHandler;
import org.backplane.bus.Placement;
import org.backplane.bus.Space;
import org.backplane.device.Device;
import org.backplane.device.DeviceException;
import org.backplane.device.DeviceFactory;
import org.backplane.device.context.DeviceContext;
import org.backplane.device.context.InterruptLine;
import org.backplane.device.state.SaveSupport;
import org.backplane.device.state.SavedState;

/**
 * A device for tests: one register that keeps what was written, and faults that the test turns on.
 * Reads of offset 8 give the version.
 */
final class CounterDevice implements Device, IoHandler {
    enum Fault {
        CREATE,
        RESTORE,
        START,
        QUIESCE,
        RESUME,
        HANDLER,
        CLOSE,
        LARGER_REGION,
        UNSAVABLE
    }

    /** Makes devices of one version. */
    static final class Factory implements DeviceFactory {
        final List<CounterDevice> made = new ArrayList<>();
        private final int version;
        private final Fault fault;

        Factory(int version, Fault fault) {
            this.version = version;
            this.fault = fault;
        }

        @Override
        public Device create(DeviceContext context) throws DeviceException {
            var device = new CounterDevice(version, fault);
            made.add(device);
            try {
                context.region(
                        Space.MMIO,
                        fault == Fault.LARGER_REGION ? 0x2000 : 0x1000,
                        Placement.natural(0x1000),
                        device);
                context.region(Space.IO, 8, Placement.natural(8), device);
            } catch (ClaimException e) {
                throw new DeviceException(e.getMessage(), e);
            }
            device.line = context.line();
            if (fault == Fault.CREATE) {
                throw new DeviceException("it does not want to");
            }
            return device;
        }
    }

    final List<String> calls = new ArrayList<>();
    private final int version;
    private final Fault fault;
    private InterruptLine line;
    private volatile long value;

    private CounterDevice(int version, Fault fault) {
        this.version = version;
        this.fault = fault;
    }

    private void call(String name, Fault when) {
        synchronized (calls) {
            calls.add(name);
        }
        if (when != null && fault == when) {
            throw new IllegalStateException("broken " + name);
        }
    }

    @Override
    public long read(long offset, int width) {
        if (fault == Fault.HANDLER) {
            throw new IllegalStateException("broken handler");
        }
        return offset == 8 ? version : value;
    }

    @Override
    public void write(long offset, int width, long newValue) {
        value = newValue;
        line.set(newValue != 0);
    }

    @Override
    public void start() {
        call("start", Fault.START);
    }

    @Override
    public void quiesce() {
        call("quiesce", Fault.QUIESCE);
    }

    @Override
    public boolean idle() {
        return true;
    }

    @Override
    public void resume() {
        call("resume", Fault.RESUME);
    }

    @Override
    public void reset() {
        call("reset", null);
        value = 0;
        line.set(false);
    }

    @Override
    public SaveSupport saveSupport() {
        if (fault == Fault.UNSAVABLE) {
            return new SaveSupport.Unsupported("it has a secret");
        }
        return new SaveSupport.Saveable(
                () -> SavedState.of("counter", 1).number("value", value).build(),
                state -> {
                    state.require("counter", 1);
                    if (fault == Fault.RESTORE) {
                        throw new DeviceException("it does not like the state");
                    }
                    value = state.number("value", 0);
                    line.set(value != 0);
                });
    }

    @Override
    public void close() {
        call("close", Fault.CLOSE);
    }
}
