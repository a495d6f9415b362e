package org.backplane.machine.slot;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import org.backplane.bus.ClaimException;
import org.backplane.bus.IoHandler;
import org.backplane.bus.Placement;
import org.backplane.bus.Space;
import org.backplane.device.Device;
import org.backplane.device.DeviceException;
import org.backplane.device.DeviceFactory;
import org.backplane.device.context.DeviceContext;
import org.backplane.device.context.FirmwareNode;
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
        UNSAVABLE,
        SAVE,
        NEVER_IDLE,
        /** Does not return from create, quiesce, a register or close until it is released. */
        HANGS_IN_CREATE,
        HANGS_IN_QUIESCE,
        HANGS_IN_HANDLER,
        HANGS_IN_CLOSE
    }

    /** Makes devices of one version. */
    static final class Factory implements DeviceFactory {
        final List<CounterDevice> made = new CopyOnWriteArrayList<>();
        final CountDownLatch release = new CountDownLatch(1);
        private final int version;
        private final Fault fault;

        Factory(int version, Fault fault) {
            this.version = version;
            this.fault = fault;
        }

        @Override
        public Device create(DeviceContext context) throws DeviceException {
            var device = new CounterDevice(version, fault, release);
            made.add(device);
            device.hang(Fault.HANGS_IN_CREATE);
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
            context.describe(new FirmwareNode("counter", List.of("test"), Map.of(), List.of()));
            if (fault == Fault.CREATE) {
                throw new DeviceException("it does not want to");
            }
            return device;
        }
    }

    final List<String> calls = new ArrayList<>();
    private final int version;
    private final Fault fault;
    private final CountDownLatch release;
    private InterruptLine line;
    private volatile long value;
    private volatile boolean throwing;

    private CounterDevice(int version, Fault fault, CountDownLatch release) {
        this.release = release;
        this.version = version;
        this.fault = fault;
    }

    /** Its registers throw, those that hang when they are released. */
    void throwFromNowOn() {
        throwing = true;
    }

    /** As code in a loop does: it listens to no interrupt. */
    private void hang(Fault when) {
        while (fault == when && release.getCount() > 0) {
            LockSupport.parkNanos(100_000);
        }
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
        hang(Fault.HANGS_IN_HANDLER);
        if (throwing) {
            throw new IllegalStateException("broken handler, late");
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
        hang(Fault.HANGS_IN_QUIESCE);
        call("quiesce", Fault.QUIESCE);
    }

    @Override
    public boolean idle() {
        return fault != Fault.NEVER_IDLE;
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
                () -> {
                    call("save", Fault.SAVE);
                    return SavedState.of("counter", 1).number("value", value).build();
                },
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
        hang(Fault.HANGS_IN_CLOSE);
        call("close", Fault.CLOSE);
    }
}
