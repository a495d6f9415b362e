package org.backplane.pci;

import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.function.BooleanSupplier;

/**
 * Message-signalled interrupts of one function: the capability in its configuration space, and what
 * becomes of a request (PCI 3.0, section 6.8.1). All of its state lies in that space. Thread-safe;
 * messages leave without a lock held. So that none arrives after the guest has masked its vector,
 * {@link #changed} waits for those that had been decided on before.
 *
 * <p>A request that finds the capability off is forgotten. One that finds its vector masked, or the
 * function not allowed to write to memory, stays pending if the capability has pending bits, and is
 * forgotten otherwise: whoever has a level to report looks again when {@link #open} turns true.
 *
 * <p>A vector may have an eventfd. While its messages may leave, the trigger delivers them by
 * itself. Otherwise it reports them here; or keeps them, where a function without pending bits may
 * not write to memory.
 */
final class Msi implements MessageSource {
    private final MsiLayout layout;
    private final ConfigSpace config;
    private final int at;
    private final MsiSink sink;
    private final BooleanSupplier busMaster;
    private final BooleanSupplier excluded;
    private final Object lock = new Object();

    /** By vector, messages decided on that have not arrived. */
    private final AtomicIntegerArray leaving;

    /** By vector, null where there is none; under the lock. */
    private final VectorTriggers.Trigger[] triggers;

    /** Messages sent so far; under the lock. */
    private long sent;

    /** The only one of a function. */
    Msi(MsiLayout layout, ConfigSpace config, int at, MsiSink sink, BooleanSupplier busMaster) {
        this(layout, config, at, sink, busMaster, () -> false);
    }

    /**
     * @param at where {@link MsiLayout#define} put the capability
     * @param busMaster whether the function may write to memory now; asked under a lock, calls
     *     nobody
     * @param excluded whether MSI-X is on, beside which no message of this leaves; likewise
     */
    Msi(
            MsiLayout layout,
            ConfigSpace config,
            int at,
            MsiSink sink,
            BooleanSupplier busMaster,
            BooleanSupplier excluded) {
        this.layout = layout;
        this.config = config;
        this.at = at;
        this.sink = sink;
        this.busMaster = busMaster;
        this.excluded = excluded;
        leaving = new AtomicIntegerArray(layout.vectors());
        triggers = new VectorTriggers.Trigger[layout.vectors()];
    }

    @Override
    public int vectors() {
        return layout.vectors();
    }

    boolean enabled() {
        return config.any(at + MsiLayout.CONTROL, MsiLayout.CONTROL_ENABLE)
                && !excluded.getAsBoolean();
    }

    /** Whether a request would leave at once. */
    boolean open(int vector) {
        return enabled() && busMaster.getAsBoolean() && !masked(vector);
    }

    /** Whether a dword of configuration space is the capability's. */
    boolean covers(int dword) {
        return dword >= at && dword < at + layout.length();
    }

    /** Whether a dword decides which vectors there are, and which of them are open. */
    boolean switches(int dword) {
        return dword == at || layout.maskable() && dword == at + layout.mask();
    }

    @Override
    public void signal(int vector) {
        deliver(folded(vector), true);
    }

    @Override
    public void attach(int vector, VectorTriggers.Trigger trigger) {
        synchronized (lock) {
            triggers[vector] = trigger;
        }
        settle(vector);
    }

    @Override
    public void detach(int vector, VectorTriggers.Trigger trigger) {
        synchronized (lock) {
            triggers[vector] = null;
        }
        synchronized (trigger) {
            trigger.hold();
        }
    }

    /**
     * Capability, COMMAND or what forbids it changed: pending requests that may leave now do, and
     * none is on its way any more that may not.
     */
    void changed() {
        if (layout.maskable() && !enabled()) {
            config.drive(at + layout.pending(), 4, layout.vectorBits(), false);
        }
        for (int vector = 0; vector < layout.vectors(); vector++) {
            settle(vector);
            if (layout.maskable()) {
                deliver(vector, false);
            }
            if (!open(vector)) {
                await(vector);
            }
        }
    }

    /** Messages sent since it was made. */
    long sent() {
        synchronized (lock) {
            return sent;
        }
    }

    /** Tells the trigger of a vector, if there is one, what the guest has made of the vector. */
    private void settle(int vector) {
        VectorTriggers.Trigger trigger;
        synchronized (lock) {
            trigger = triggers[vector];
        }
        if (trigger == null) {
            return;
        }
        // Who comes last sees what was written last.
        synchronized (trigger) {
            boolean open;
            boolean kept;
            long address;
            int data;
            synchronized (lock) {
                if (triggers[vector] != trigger) {
                    return;
                }
                int into = folded(vector);
                open = open(into);
                kept = !open && enabled() && !layout.maskable();
                address = address();
                data = data(into);
            }
            if (open) {
                trigger.deliver(address, data);
            } else if (kept) {
                trigger.hold();
            } else {
                trigger.report();
            }
        }
    }

    /**
     * A guest that grants fewer messages than were asked for gets several vectors in one: the low
     * bits of the data are all that a vector changes (section 6.8.1.6).
     */
    private int folded(int vector) {
        return vector & granted() - 1;
    }

    /** How many messages the guest has granted, at most as many as were asked for. */
    int granted() {
        int exponent =
                (int) config.read(at + MsiLayout.CONTROL, 2) >>> MsiLayout.CONTROL_ENABLED_SHIFT
                        & MsiLayout.CONTROL_ENABLED_MASK;
        return Math.min(1 << exponent, layout.vectors());
    }

    boolean masked(int vector) {
        return layout.maskable() && bit(layout.mask(), vector);
    }

    private boolean bit(int register, int vector) {
        return (config.read(at + register, 4) >>> vector & 1) != 0;
    }

    private long address() {
        return config.read(at + MsiLayout.ADDRESS, layout.wide() ? 8 : 4);
    }

    private int data(int vector) {
        return (int) config.read(at + layout.data(), 2) & -granted() | vector;
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
            address = address();
            data = data(vector);
            leaving.incrementAndGet(vector);
            sent++;
        }
        try {
            sink.signal(address, data);
        } finally {
            leaving.decrementAndGet(vector);
        }
    }

    /** The vector's messages that left before it was masked have arrived. */
    private void await(int vector) {
        while (leaving.get(vector) != 0) {
            Thread.yield();
        }
    }
}
