package org.backplane.pci;

import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import org.backplane.device.context.Lease;
import org.backplane.linux.EventFd;

/**
 * A function's INTx pin between two eventfds: one raises it, and when the guest has finished with
 * the interrupt it falls and the other is signalled. Thread-safe.
 *
 * <p>Two ways lead there. Over threads, one waits for the eventfd and raises the pin, and the
 * engine tells of the end on a thread: where that is another than the processor's, the guest may be
 * interrupted once more before the pin has fallen, and finds nothing to do. Or by a route of the
 * host's kernel, which raises and lowers the line itself. Lines are shared, and a route shares its
 * line correctly: the kernel joins the levels of its routes with the one that this process sets,
 * lowers its own at each end of an interrupt and signals every route's other eventfd, so that each
 * device that still needs service raises the line again; a device that is no route's keeps its
 * level by itself.
 *
 * <p>The kernel does not tell whether a route has raised the line, and STATUS has to show it. Hence
 * there is a route only for a device that tells ({@link PinStatus}), and only while the pin may be
 * driven: while the guest has disabled it, or MSI is on, signals take the thread, which shows them
 * in STATUS and nowhere else. Who changes over may not know whether the kernel has taken a signal
 * whose interrupt is not finished with. So the other eventfd is signalled then, which is always
 * right: whoever still needs service signals again.
 */
final class PinEvents {
    private enum State {
        /** The device is not behind the function: signals stay in the eventfd. */
        OFF,
        /** Over threads; nothing is to be finished with. */
        LOW,
        /** Over threads; the guest has not finished. */
        HIGH,
        /** The kernel knows. */
        ROUTED
    }

    private final PciFunction function;
    private final EventFd event;
    private final EventFd resample;
    private final boolean routable;
    private final VectorTriggers.Trigger trigger;
    private final AtomicReference<State> state = new AtomicReference<>(State.OFF);

    /**
     * Held for every change of the way. Closing {@link #listening} under it may wait for {@link
     * #finished}, which therefore never does: it, too, may find itself on the way to {@link
     * #settle}, and only tries.
     */
    private final ReentrantLock changing = new ReentrantLock();

    // Guarded by the lock.

    /** Null while a route is there, or the device is not behind the function. */
    private Lease listening;

    private Lease route;

    /** The engine had no route once. */
    private boolean refused;

    /**
     * @param routable whether the device tells the level of its pin
     */
    PinEvents(
            PciFunction function,
            VectorTriggers triggers,
            boolean routable,
            EventFd event,
            EventFd resample) {
        this.function = function;
        this.routable = routable;
        this.event = event;
        this.resample = resample;
        trigger = triggers.open(event, this::raise);
    }

    /** The device is behind the function now. */
    void connect() {
        changing.lock();
        try {
            listening = function.onPinFinished(this::finished);
            state.set(State.LOW);
            trigger.report();
        } finally {
            changing.unlock();
        }
        function.interrupts().follow(this);
    }

    /**
     * The device has left. A pin that it raised falls; whoever has the eventfds next and still
     * needs service raises it again.
     */
    void disconnect() {
        leave(true);
    }

    /** Nobody has the eventfds next. */
    void close() {
        leave(false);
        trigger.close();
    }

    private void leave(boolean again) {
        function.interrupts().unfollow(this);
        changing.lock();
        try {
            State before = state.getAndSet(State.OFF);
            if (before == State.OFF) {
                return;
            }
            trigger.hold();
            release();
            function.interrupts().status(false);
            if (again && before != State.LOW) {
                resample.signal();
            }
        } finally {
            changing.unlock();
        }
        function.interrupts().sendLevel();
    }

    private void release() {
        if (route != null) {
            route.close();
            route = null;
        }
        if (listening != null) {
            listening.close();
            listening = null;
        }
    }

    /** The function is as it was made: what the guest has not finished with, it never will. */
    void reset() {
        changing.lock();
        try {
            if (state.get() == State.ROUTED) {
                overThreads();
            } else if (state.compareAndSet(State.HIGH, State.LOW)) {
                resample.signal();
            }
        } finally {
            changing.unlock();
        }
    }

    /** The eventfd was signalled, and read. */
    private void raise() {
        State now = state.get();
        while (now == State.LOW && !state.compareAndSet(State.LOW, State.HIGH)) {
            now = state.get();
        }
        if (now == State.ROUTED || now == State.OFF) {
            // Read by a thread that was slow: it is for the route, or for who comes next.
            event.signal();
        } else {
            function.interrupts().sendLevel();
        }
    }

    /** Called for every interrupt of the line, which others may share. */
    private void finished() {
        if (state.compareAndSet(State.HIGH, State.LOW)) {
            function.interrupts().sendLevel();
            resample.signal();
        }
    }

    /** Whether the kernel drives the line, and this process does not know its level. */
    boolean routed() {
        return state.get() == State.ROUTED;
    }

    /**
     * Takes the way that is right, and shows the level in STATUS. Of one thread at a time.
     *
     * @param open whether the pin may be driven
     */
    void settle(boolean open) {
        // Who has it sends the level when it is done, which leads here again.
        if (!changing.tryLock()) {
            return;
        }
        try {
            State now = state.get();
            if (now == State.OFF) {
                return;
            }
            if (open && routable && !refused && now != State.ROUTED) {
                byRoute();
            } else if (!open && now == State.ROUTED) {
                overThreads();
            }
            function.interrupts().status(state.get() == State.HIGH);
        } finally {
            changing.unlock();
        }
    }

    private void byRoute() {
        trigger.hold();
        State before = state.getAndSet(State.ROUTED);
        Optional<Lease> made = function.routePin(event, resample);
        if (made.isPresent()) {
            release();
            route = made.get();
        } else {
            refused = true;
            state.set(State.LOW);
            trigger.report();
        }
        if (before == State.HIGH) {
            resample.signal();
        }
    }

    private void overThreads() {
        release();
        listening = function.onPinFinished(this::finished);
        state.set(State.LOW);
        trigger.report();
        resample.signal();
    }
}
