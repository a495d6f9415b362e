package org.backplane.pci;

import java.util.concurrent.atomic.AtomicBoolean;
import org.backplane.device.context.Lease;
import org.backplane.linux.EventFd;

/**
 * A function's INTx pin between two eventfds: one raises it, and when the guest has finished with
 * the interrupt it falls and the other is signalled. Both ways go over threads: where the end of an
 * interrupt is told on another thread than the processor's, the guest may be interrupted once more
 * before the pin has fallen, and finds nothing to do. Thread-safe.
 */
final class PinEvents implements Lease {
    private final PciWires wires;
    private final EventFd resample;
    private final AtomicBoolean raised = new AtomicBoolean();
    private final VectorTriggers.Trigger trigger;
    private final Lease listening;

    PinEvents(
            PciWires wires,
            PciFunction function,
            VectorTriggers triggers,
            EventFd event,
            EventFd resample) {
        this.wires = wires;
        this.resample = resample;
        listening = function.onPinFinished(this::finished);
        trigger = triggers.open(event, this::raise);
    }

    synchronized void connect() {
        trigger.report();
    }

    synchronized void disconnect() {
        trigger.hold();
    }

    private void raise() {
        // Before the pin: the guest may be through with it at once.
        raised.set(true);
        wires.interrupt(true);
    }

    /** Called for every interrupt of the line, which others may share. */
    private void finished() {
        if (raised.compareAndSet(true, false)) {
            wires.interrupt(false);
            resample.signal();
        }
    }

    /** The pin falls: nobody is left who would. */
    @Override
    public synchronized void close() {
        trigger.close();
        listening.close();
        if (raised.compareAndSet(true, false)) {
            wires.interrupt(false);
        }
    }
}
