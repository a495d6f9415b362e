package org.backplane.machine.slot;

import org.backplane.bus.IoHandler;
import org.backplane.hypervisor.AbandonedExit;

/**
 * The way of the guest's accesses into a device: through the slot's gate, contained. A device that
 * throws fails its slot: the access is made again to the code before, if that takes over, and else
 * reads all ones. A thread that was replaced while it was inside comes back to no processor: {@link
 * AbandonedExit} ends it.
 */
final class GatedHandler implements IoHandler {
    private static final long ALL_ONES = -1;

    private final SlotGear gear;
    private volatile Seat<IoHandler> target;

    GatedHandler(SlotGear gear) {
        this.gear = gear;
    }

    /** Puts a handler behind, or none; with the gate closed, or before it first opens. */
    void connect(IoHandler handler) {
        target = new Seat<>(handler, gear.gate().generation());
    }

    @Override
    public long read(long offset, int width) {
        for (long ticket = enter(); ticket != Gate.REFUSED; ticket = enter()) {
            long value = ALL_ONES;
            Throwable thrown = null;
            try {
                Seat<IoHandler> now = target;
                if (now.admits(ticket)) {
                    value = now.taken().read(offset, width);
                }
            } catch (Throwable e) {
                thrown = e;
            }
            if (leave(ticket, thrown)) {
                return value;
            }
        }
        return ALL_ONES;
    }

    @Override
    public void write(long offset, int width, long value) {
        for (long ticket = enter(); ticket != Gate.REFUSED; ticket = enter()) {
            Throwable thrown = null;
            try {
                Seat<IoHandler> now = target;
                if (now.admits(ticket)) {
                    now.taken().write(offset, width, value);
                }
            } catch (Throwable e) {
                thrown = e;
            }
            if (leave(ticket, thrown)) {
                return;
            }
        }
    }

    private long enter() {
        long ticket = gear.gate().enter();
        if (ticket == Gate.ORPHANED) {
            throw new AbandonedExit();
        }
        return ticket;
    }

    /**
     * @return whether the access was made; if not, the next one to enter parks until it is known
     *     who answers instead, and makes it again
     */
    private boolean leave(long ticket, Throwable thrown) {
        if (!gear.gate().leave(ticket)) {
            throw new AbandonedExit();
        }
        if (thrown != null) {
            gear.gate().shut(ticket);
            gear.failed().accept(thrown, ticket);
        }
        return thrown == null;
    }
}
