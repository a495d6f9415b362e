package org.backplane.machine.slot;

import java.util.function.BooleanSupplier;
import java.util.function.ObjLongConsumer;
import org.backplane.machine.board.Board;
import org.backplane.machine.board.LeaseStack;

/**
 * What the parts of a slot share.
 *
 * @param calls the control thread's way into a device
 * @param leases the slot's own, closed with the slot
 * @param guestStarted whether a guest has been started: what is plugged later is hot
 * @param failed takes what a device threw, and the ticket of the thread that was inside; posts,
 *     returns at once
 */
record SlotGear(
        SlotSpec spec,
        Board board,
        Bounds bounds,
        Gate gate,
        ControlThread control,
        DeviceCalls calls,
        LeaseStack leases,
        History history,
        BooleanSupplier guestStarted,
        ObjLongConsumer<Throwable> failed) {

    String name() {
        return spec.name();
    }

    /** A device behind the gate now did not do what it must, on a thread that is not inside. */
    void failedNow(Throwable cause) {
        failed.accept(cause, gate.generation());
    }
}
