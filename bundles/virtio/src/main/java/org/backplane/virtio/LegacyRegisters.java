package org.backplane.virtio;

import org.backplane.bus.IoHandler;
import org.backplane.device.GuestErrors;

/**
 * The legacy interface's registers in BAR 0 of a transitional device, with the device's
 * configuration behind them (virtio 1.2, section 4.1.4.10). What they mean is with {@link
 * CommonConfig}, which both interfaces share; here is where they lie.
 *
 * <p>Has no state and no lock of its own.
 */
final class LegacyRegisters implements IoHandler {
    private final CommonConfig common;
    private final VirtioInterrupts interrupts;
    private final Doorbells doorbells;
    private final VirtioBackend backend;
    private final OrderedCalls calls;
    private final GuestErrors errors;
    private final int configLength;

    LegacyRegisters(
            CommonConfig common,
            VirtioInterrupts interrupts,
            Doorbells doorbells,
            VirtioBackend backend,
            OrderedCalls calls,
            GuestErrors errors,
            int configLength) {
        this.common = common;
        this.interrupts = interrupts;
        this.doorbells = doorbells;
        this.backend = backend;
        this.calls = calls;
        this.errors = errors;
        this.configLength = configLength;
    }

    @Override
    public long read(long offset, int width) {
        int at = (int) offset;
        int config = at - commonBytes();
        if (config >= 0) {
            return inConfig(config, width) ? backend.readConfig(config, width) : -1;
        }
        if (LegacyLayout.width(at) != width) {
            errors.add("read of %d bytes at 0x%x of the legacy registers", width, at);
            return 0;
        }
        return at == LegacyLayout.ISR_STATUS ? interrupts.readIsr() : common.readLegacy(at);
    }

    @Override
    public void write(long offset, int width, long value) {
        int at = (int) offset;
        int config = at - commonBytes();
        if (config >= 0) {
            if (inConfig(config, width)) {
                backend.writeConfig(config, width, value);
            }
        } else if (LegacyLayout.width(at) != width) {
            errors.add("write of %d bytes at 0x%x of the legacy registers", width, at);
        } else if (at == LegacyLayout.QUEUE_NOTIFY) {
            notified((int) value);
        } else {
            common.writeLegacy(at, value);
            calls.make();
            if (at == LegacyLayout.DEVICE_STATUS && common.resetPending()) {
                // A legacy driver does not look whether the reset is over: to wait until the status
                // reads 0 came with virtio 1.0. When its write is done, its memory is its own.
                backend.awaitReset();
            }
        }
    }

    private int commonBytes() {
        return interrupts.msixEnabled()
                ? LegacyLayout.COMMON_BYTES_MSIX
                : LegacyLayout.COMMON_BYTES;
    }

    /** A driver reads and writes there in any width (section 4.1.4.10). */
    private boolean inConfig(int offset, int width) {
        boolean inside = offset + width <= configLength;
        if (!inside) {
            errors.add("%d bytes at 0x%x of the device configuration", width, offset);
        }
        return inside;
    }

    private void notified(int queue) {
        if (common.notifiedByLegacy(queue)) {
            // The device may have to be activated first; it is shown all of its queues then.
            calls.make();
            doorbells.ring(queue);
        }
    }
}
