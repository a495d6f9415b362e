package org.backplane.machine.slot;

import org.backplane.bus.IoHandler;

/**
 * The way of the guest's accesses into a device: through the slot's gate, contained. A device that
 * throws fails its slot, and the access reads all ones.
 */
final class GatedHandler implements IoHandler {
    private final SlotGear gear;
    private volatile IoHandler target;

    GatedHandler(SlotGear gear) {
        this.gear = gear;
    }

    /** Puts a handler behind, or none; with the gate closed, or before it first opens. */
    void connect(IoHandler handler) {
        target = handler;
    }

    @Override
    public long read(long offset, int width) {
        Gate gate = gear.gate();
        if (!gate.enter()) {
            return -1;
        }
        try {
            return target.read(offset, width);
        } catch (Throwable e) {
            gear.failed().accept(e);
            return -1;
        } finally {
            gate.leave();
        }
    }

    @Override
    public void write(long offset, int width, long value) {
        Gate gate = gear.gate();
        if (!gate.enter()) {
            return;
        }
        try {
            target.write(offset, width, value);
        } catch (Throwable e) {
            gear.failed().accept(e);
        } finally {
            gate.leave();
        }
    }
}
