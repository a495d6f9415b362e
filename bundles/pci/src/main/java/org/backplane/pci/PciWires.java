package org.backplane.pci;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * What a device pulls on: its function's interrupts. Thread-safe, never waits.
 *
 * <p>A device that is not behind its function yet is heard once it is; one that has left is not.
 */
public final class PciWires {
    private final PciFunction function;

    /** Vectors raised before the device was behind its function. */
    private final Queue<Integer> early = new ConcurrentLinkedQueue<>();

    private volatile boolean connected;

    /** Null until the device sets one: the pin stays as the device before left it. */
    private volatile Boolean level;

    PciWires(PciFunction function, boolean connected) {
        this.function = function;
        this.connected = connected;
    }

    /**
     * Raises an MSI-X vector; pending while masked, or while the guest has not made the function a
     * bus master. Nothing happens if MSI-X is off.
     *
     * @throws IllegalArgumentException the function has no such vector
     */
    public void signal(int vector) {
        function.requireVector(vector);
        if (connected) {
            function.signal(vector);
        } else if (!early.contains(vector)) {
            early.add(vector);
        }
    }

    /**
     * Sets the level of the function's INTx pin; gated by COMMAND.INTX_DISABLE and MSI-X. A
     * function without a pin shows it in STATUS only.
     */
    public void interrupt(boolean high) {
        // Stored before the look: connecting looks the other way round, so one of the two drives.
        level = high;
        if (connected) {
            function.interrupt(high);
        }
    }

    public boolean msixEnabled() {
        return function.msixEnabled();
    }

    void connect() {
        connected = true;
        Boolean last = level;
        if (last != null) {
            function.interrupt(last);
        }
        for (Integer vector = early.poll(); vector != null; vector = early.poll()) {
            function.signal(vector);
        }
    }

    void disconnect() {
        connected = false;
    }
}
