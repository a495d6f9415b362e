package org.backplane.machine.slot;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.backplane.device.Device;
import org.backplane.machine.board.Board;
import org.backplane.machine.board.LeaseStack;

/**
 * What the parts of a slot share.
 *
 * @param leases the slot's own, closed with the slot
 * @param failed takes what a device threw; posts, returns at once
 */
record SlotGear(
        SlotSpec spec,
        Board board,
        Gate gate,
        ControlThread control,
        LeaseStack leases,
        History history,
        Consumer<Throwable> failed) {
    /** How long a device may take to finish its requests, and its threads to come out. */
    static final Duration DRAIN_BOUND = Duration.ofSeconds(5);

    private static final long IDLE_POLL_NANOS = 20_000;

    String name() {
        return spec.name();
    }

    /** Waits, bounded, until a quiesced device has nothing under way. */
    static boolean drained(Device device) {
        long deadline = System.nanoTime() + DRAIN_BOUND.toNanos();
        while (!device.idle()) {
            if (System.nanoTime() - deadline > 0) {
                return false;
            }
            LockSupport.parkNanos(IDLE_POLL_NANOS);
        }
        return true;
    }
}
