package org.backplane.pci;

import java.util.function.BooleanSupplier;

/**
 * Message-signalled interrupts of one function: the capability in its configuration space, and what
 * becomes of a request (PCI 3.0, section 6.8.1). All of its state lies in that space. Thread-safe;
 * messages leave without a lock held.
 *
 * <p>A request that finds the capability off is forgotten. One that finds its vector masked, or the
 * function not allowed to write to memory, stays pending if the capability has pending bits, and is
 * forgotten otherwise: whoever has a level to report looks again when {@link #open} turns true.
 */
final class Msi {
    private final MsiLayout layout;
    private final ConfigSpace config;
    private final int at;
    private final MsiSink sink;
    private final BooleanSupplier busMaster;
    private final Object lock = new Object();

    /**
     * @param at where {@link MsiLayout#define} put the capability
     * @param busMaster whether the function may write to memory now; asked under a lock, calls
     *     nobody
     */
    Msi(MsiLayout layout, ConfigSpace config, int at, MsiSink sink, BooleanSupplier busMaster) {
        this.layout = layout;
        this.config = config;
        this.at = at;
        this.sink = sink;
        this.busMaster = busMaster;
    }

    boolean enabled() {
        return config.any(at + MsiLayout.CONTROL, MsiLayout.CONTROL_ENABLE);
    }

    /** Whether a request would leave at once. */
    boolean open(int vector) {
        return enabled() && busMaster.getAsBoolean() && !masked(folded(vector));
    }

    /** Whether a dword of configuration space is the capability's. */
    boolean covers(int dword) {
        return dword >= at && dword < at + layout.length();
    }

    /** Requests a message, for a vector that there is. */
    void signal(int vector) {
        deliver(folded(vector), true);
    }

    /** The guest wrote the capability or COMMAND: pending requests that may leave now do. */
    void changed() {
        if (!layout.maskable()) {
            return;
        }
        if (!enabled()) {
            config.drive(at + layout.pending(), 4, layout.vectorBits(), false);
        }
        for (int vector = 0; vector < layout.vectors(); vector++) {
            deliver(vector, false);
        }
    }

    /**
     * A guest that grants fewer messages than were asked for gets several vectors in one: the low
     * bits of the data are all that a vector changes (section 6.8.1.6).
     */
    private int folded(int vector) {
        return vector & granted() - 1;
    }

    private int granted() {
        int exponent =
                (int) config.read(at + MsiLayout.CONTROL, 2) >>> MsiLayout.CONTROL_ENABLED_SHIFT
                        & MsiLayout.CONTROL_ENABLED_MASK;
        return Math.min(1 << exponent, layout.vectors());
    }

    private boolean masked(int vector) {
        return layout.maskable() && bit(layout.mask(), vector);
    }

    private boolean bit(int register, int vector) {
        return (config.read(at + register, 4) >>> vector & 1) != 0;
    }

    private void deliver(int vector, boolean request) {
        long address;
        int data;
        synchronized (lock) {
            boolean due = request || bit(layout.pending(), vector);
            if (!due || !enabled()) {
                return;
            }
            boolean held = !busMaster.getAsBoolean() || masked(vector);
            if (layout.maskable()) {
                config.drive(at + layout.pending(), 4, 1L << vector, held);
            }
            if (held) {
                return;
            }
            address = config.read(at + MsiLayout.ADDRESS, layout.wide() ? 8 : 4);
            data = (int) config.read(at + layout.data(), 2) & -granted() | vector;
        }
        sink.signal(address, data);
    }
}
