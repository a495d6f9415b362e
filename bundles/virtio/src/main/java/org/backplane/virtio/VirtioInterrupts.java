package org.backplane.virtio;

import java.util.concurrent.atomic.AtomicIntegerArray;
import org.backplane.pci.PciWires;

/**
 * How the function interrupts the driver: by an MSI-X vector for each queue and one for the
 * configuration, or by INTx and the ISR byte while MSI-X is off (virtio 1.2, sections 4.1.4.5 and
 * 4.1.5.3 to 4.1.5.4).
 *
 * <p>Thread-safe. The lock keeps ISR and the level of INTx in step; pulling a wire waits for
 * nothing.
 */
final class VirtioInterrupts {
    private final int vectors;

    /** By queue; the last is the configuration's. */
    private final AtomicIntegerArray vector;

    /** Null until the function is plugged: nobody can be interrupted yet. */
    private volatile PciWires wires;

    private int isr;

    VirtioInterrupts(int queues) {
        vectors = queues + 1;
        vector = new AtomicIntegerArray(queues + 1);
        clear();
    }

    void connect(PciWires to) {
        wires = to;
    }

    boolean msixEnabled() {
        PciWires to = wires;
        return to != null && to.msixEnabled();
    }

    /** The place of the configuration's vector. */
    int configuration() {
        return vectors - 1;
    }

    int vector(int place) {
        return vector.get(place);
    }

    /** One out of range reads back as "no vector": that is how a driver learns of it. */
    void setVector(int place, int value) {
        vector.set(place, value < vectors ? value : VirtioPciLayout.NO_VECTOR);
    }

    void usedBuffers(int queue) {
        interrupt(queue, VirtioPciLayout.ISR_QUEUE);
    }

    void configurationChanged() {
        interrupt(configuration(), VirtioPciLayout.ISR_CONFIG);
    }

    /** The driver read ISR: clears it and lowers INTx. */
    synchronized int readIsr() {
        int was = isr;
        isr = 0;
        lower();
        return was;
    }

    /** ISR without a side effect. */
    synchronized int isr() {
        return isr;
    }

    synchronized void restoreIsr(int value) {
        isr = value;
        if (isr != 0 && wires != null && !wires.msixEnabled()) {
            wires.interrupt(true);
        }
    }

    /** As after a reset: no vectors, nothing pending. */
    synchronized void clear() {
        for (int i = 0; i < vectors; i++) {
            vector.set(i, VirtioPciLayout.NO_VECTOR);
        }
        isr = 0;
        lower();
    }

    private void interrupt(int place, int bit) {
        PciWires to = wires;
        if (to == null) {
            return;
        }
        if (to.msixEnabled()) {
            int number = vector.get(place);
            if (number != VirtioPciLayout.NO_VECTOR) {
                to.signal(number);
            }
            return;
        }
        synchronized (this) {
            isr |= bit;
            to.interrupt(true);
        }
    }

    private void lower() {
        if (wires != null) {
            wires.interrupt(false);
        }
    }
}
