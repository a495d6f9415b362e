package org.backplane.pci;

import java.util.concurrent.atomic.AtomicLong;

/**
 * Interrupts of a root port: its own, by MSI or by its INTx pin (PCI Express 5.0, section 6.7.3.4),
 * and the pins of the function behind it, which come out at the port's place on bus 0. Thread-safe.
 */
final class PortInterrupts {
    private static final int PINS = 4;
    private static final int OWN_PIN = 1;

    /** Drives a wire of the port's device number. */
    interface Wire {
        void set(int pin, boolean high);
    }

    private final HotPlugSlot slot;
    private final ConfigSpace config;
    private final Msi msi;
    private final Wire wire;

    /** Whether a message for the events that are there was sent; guarded by the bus's lock. */
    private boolean notified;

    /** Times that a message became due. */
    private final AtomicLong due = new AtomicLong();

    /** One bit a pin of the function behind the port; guarded by this. */
    private int ofFunction;

    // Of the courier alone.
    private long sent;
    private int driven;

    private final Courier courier = new Courier(this::carry);

    PortInterrupts(HotPlugSlot slot, ConfigSpace config, Msi msi, Wire wire) {
        this.slot = slot;
        this.config = config;
        this.msi = msi;
        this.wire = wire;
    }

    /**
     * Looks at the events after a change, under the bus's lock. A message is due when they come to
     * be reported, not for each: the guest looks for more until there is none.
     */
    void looked() {
        boolean now = slot.interrupting();
        config.interruptStatus(now);
        boolean message = now && msi.open(0);
        if (message && !notified) {
            due.incrementAndGet();
        }
        notified = message;
    }

    /** The function drives one of its pins; under no lock. */
    void ofFunction(int pin, boolean high) {
        synchronized (this) {
            int bit = 1 << pin;
            ofFunction = high ? ofFunction | bit : ofFunction & ~bit;
        }
        send();
    }

    /** The function has gone, and with it what it drove; {@link #send} is to follow. */
    synchronized void noFunction() {
        ofFunction = 0;
    }

    /** Lets messages and levels out; under no lock. */
    void send() {
        courier.send();
    }

    private void carry() {
        msi.changed();
        long now = due.get();
        if (now != sent) {
            sent = now;
            msi.signal(0);
        }
        int high = levels();
        int changed = high ^ driven;
        driven = high;
        for (int pin = 1; pin <= PINS; pin++) {
            if ((changed >>> pin & 1) != 0) {
                wire.set(pin, (high >>> pin & 1) != 0);
            }
        }
    }

    private synchronized int levels() {
        boolean own =
                config.any(Type0Header.STATUS, Type0Header.STATUS_INTERRUPT)
                        && !msi.enabled()
                        && !config.any(Type0Header.COMMAND, Type0Header.COMMAND_INTX_DISABLE);
        return ofFunction | (own ? 1 << OWN_PIN : 0);
    }
}
