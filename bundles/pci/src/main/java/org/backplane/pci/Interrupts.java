package org.backplane.pci;

import java.util.BitSet;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;

/**
 * What the guest has made of a function's interrupts: which kind is on, which vectors are open.
 * Live: each method tells what the guest wrote last. Thread-safe, never waits.
 */
public final class Interrupts {
    /** How a function's requests reach the guest (PCI 3.0, sections 6.2.2 and 6.8). */
    public enum Mode {
        /** Not at all. */
        OFF,
        /** By its pin. */
        INTX,
        MSI,
        /** Excludes the others, should a guest have MSI on beside it. */
        MSIX
    }

    private final PciFunction function;
    private final PciShape shape;
    private final PciBus bus;
    private final ConfigSpace config;
    private final BooleanSupplier closed;

    /** Null if the function has none. */
    private final MsixTable msix;

    private final int msixAt;

    /** Null if the function has none. */
    private final Msi msi;

    /** Null while no device behind the function has eventfds for its pin. */
    private volatile PinEvents pinEvents;

    /** Keeps the order of levels that several threads drive. */
    private final Courier pin = new Courier(this::drivePin);

    /** Level at the router; of the courier alone. */
    private boolean driven;

    /** Times the level rose; written by the courier alone. */
    private final AtomicLong raised = new AtomicLong();

    /**
     * @param msix null if the function has none
     */
    Interrupts(
            PciFunction function,
            PciBus bus,
            ConfigSpace config,
            CapabilityList capabilities,
            MsixTable msix,
            MsiSink sink) {
        this.function = function;
        this.bus = bus;
        this.config = config;
        this.msix = msix;
        shape = function.shape();
        closed = function::closed;
        msixAt = msix == null ? 0 : capabilities.msix();
        msi =
                shape.msi()
                        .map(
                                wanted ->
                                        new Msi(
                                                MsiLayout.of(wanted),
                                                config,
                                                capabilities.msi(),
                                                sink,
                                                this::busMaster,
                                                this::msixOn))
                        .orElse(null);
    }

    /** Which kind is on. */
    public Mode mode() {
        if (closed.getAsBoolean()) {
            return Mode.OFF;
        }
        if (msixOn()) {
            return Mode.MSIX;
        }
        if (msi != null && msi.enabled()) {
            return Mode.MSI;
        }
        return pinOn() ? Mode.INTX : Mode.OFF;
    }

    /** MSI vectors that the guest has granted, at most those of the shape; 0 while MSI is off. */
    public int granted() {
        return mode() == Mode.MSI ? msi.granted() : 0;
    }

    /** Whether MSI-X is on with every vector masked by the function mask. */
    public boolean masked() {
        return mode() == Mode.MSIX && msix.functionMasked();
    }

    /**
     * Whether the guest masks a vector of the kind that is on by itself; the function mask is not
     * counted.
     *
     * @return true for a vector that there is not
     */
    public boolean masked(int vector) {
        return switch (mode()) {
            case MSIX -> vector < 0 || vector >= msix.vectors() || msix.vectorMasked(vector);
            case MSI -> vector < 0 || vector >= msi.granted() || msi.masked(vector);
            default -> true;
        };
    }

    /**
     * Whether a message of a vector would leave at once: its kind is on, neither vector nor
     * function is masked, and the function may write to memory.
     *
     * @return false for a vector that there is not, or that the guest has not granted
     */
    public boolean open(int vector) {
        return switch (mode()) {
            case MSIX -> vector >= 0 && vector < msix.vectors() && msix.open(vector);
            case MSI -> vector >= 0 && vector < msi.granted() && msi.open(vector);
            default -> false;
        };
    }

    /** All vectors of which a message would leave at once, as {@link #open(int)} tells of each. */
    public BitSet open() {
        return switch (mode()) {
            case MSIX -> msix.open();
            case MSI -> {
                BitSet open = new BitSet();
                for (int vector = 0; vector < msi.granted(); vector++) {
                    open.set(vector, msi.open(vector));
                }
                yield open;
            }
            default -> new BitSet();
        };
    }

    /**
     * Whether the guest has given a vector of the kind that is on a message, masked or not.
     *
     * @return false for a vector that there is not
     */
    public boolean programmed(int vector) {
        return switch (mode()) {
            case MSIX -> vector >= 0 && vector < msix.vectors() && msix.programmed(vector);
            case MSI -> vector >= 0 && vector < msi.granted();
            default -> false;
        };
    }

    /** Whether the guest lets the function access memory, here and in the bridge above. */
    public boolean busMaster() {
        return !closed.getAsBoolean()
                && config.any(Type0Header.COMMAND, Type0Header.COMMAND_BUS_MASTER)
                && bus.forwardsRequests();
    }

    // The rest is for the function.

    /** Null if the function has none. */
    MsixTable msix() {
        return msix;
    }

    /** Null if the function has none. */
    Msi msi() {
        return msi;
    }

    boolean msixEnabled() {
        return msix != null && msix.enabled();
    }

    /** As the register says; what it switches follows in {@link #changed}. */
    private boolean msixOn() {
        return msix != null
                && config.any(msixAt + Type0Header.MSIX_CONTROL, Type0Header.MSIX_CONTROL_ENABLE);
    }

    private boolean pinOn() {
        return shape.interruptPin() != 0
                && !config.any(Type0Header.COMMAND, Type0Header.COMMAND_INTX_DISABLE);
    }

    /** Whether {@link #changed} is to follow a write to a dword of configuration space. */
    boolean concerns(int dword) {
        return dword == Type0Header.COMMAND
                || msix != null && dword == msixAt
                || msi != null && msi.covers(dword);
    }

    /**
     * Whether a write changed what this tells.
     *
     * @param changed bits of the dword
     */
    boolean switched(int dword, long changed) {
        if (dword == Type0Header.COMMAND) {
            int switches = Type0Header.COMMAND_INTX_DISABLE | Type0Header.COMMAND_BUS_MASTER;
            return (changed & switches) != 0;
        }
        return changed != 0
                && (msix != null && dword == msixAt || msi != null && msi.switches(dword));
    }

    void level(boolean high) {
        status(high);
        sendLevel();
    }

    /** What STATUS shows; {@link #sendLevel} is to follow. */
    void status(boolean high) {
        config.interruptStatus(high);
    }

    /** The pin takes the level that it is to have now; on another's thread, if that is at it. */
    void sendLevel() {
        pin.send();
    }

    /** The device's eventfds drive the pin from now on. */
    void follow(PinEvents events) {
        pinEvents = events;
        sendLevel();
    }

    void unfollow(PinEvents events) {
        if (pinEvents == events) {
            pinEvents = null;
        }
    }

    /** Whether STATUS does not know the level of the pin. */
    boolean pinRouted() {
        PinEvents events = pinEvents;
        return events != null && events.routed();
    }

    /** Interrupts of every kind. */
    long sent() {
        return raised.get() + (msix == null ? 0 : msix.sent()) + (msi == null ? 0 : msi.sent());
    }

    /** Every vector masked, nothing pending; {@link #changed} is to follow. */
    void reset() {
        if (msix != null) {
            msix.reset();
        }
        PinEvents events = pinEvents;
        if (events != null) {
            events.reset();
        }
    }

    /**
     * COMMAND, here or in the bridge above, message control or whether there is a function at all
     * may have changed.
     */
    void changed() {
        if (msix != null) {
            msix.control(this::control);
        }
        if (msi != null) {
            msi.changed();
        }
        pin.send();
    }

    /** Called by the MSI-X table under its lock, so that the last caller sees the last write. */
    private MsixTable.Control control() {
        if (closed.getAsBoolean()) {
            return new MsixTable.Control(false, false, false);
        }
        return new MsixTable.Control(
                msixOn(),
                config.any(
                        msixAt + Type0Header.MSIX_CONTROL, Type0Header.MSIX_CONTROL_FUNCTION_MASK),
                busMaster());
    }

    /**
     * The pin is high while the device wants it (STATUS), the guest has not disabled it (PCI 3.0,
     * section 6.2.2) and MSI and MSI-X, which exclude it (section 6.8), are off.
     */
    private void drivePin() {
        boolean open = mode() == Mode.INTX && bus.linked();
        PinEvents events = pinEvents;
        if (events != null) {
            events.settle(open);
        }
        boolean high = open && config.any(Type0Header.STATUS, Type0Header.STATUS_INTERRUPT);
        if (high != driven) {
            driven = high;
            if (high) {
                raised.lazySet(raised.get() + 1);
            }
            bus.pin(function, shape.interruptPin(), high);
        }
    }
}
