package org.backplane.pci;

import java.util.List;
import java.util.Optional;
import org.backplane.device.context.Lease;
import org.backplane.linux.EventFd;

/** What a function has above it. Every method is thread-safe and waits for nothing. */
interface PciBus {
    /** The number by which the guest addresses it now. */
    int number();

    /** Whether it is bus 0, inside of the root complex, and not a link. */
    boolean integrated();

    /** Where BARs of a kind may be at this time; empty where nothing is forwarded. */
    List<Aperture> apertures(PciShape.BarKind kind);

    /** Where firmware looks for room for a BAR at this time, the preferred place first. */
    List<Aperture> firmwareApertures(PciShape.Bar bar);

    /** Whether accesses reach the functions. */
    boolean linked();

    /** Whether memory writes of the functions, hence their messages, get through to the host. */
    boolean forwardsRequests();

    /** A function drives its pin (INTA = 1). */
    void pin(PciFunction function, int pin, boolean high);

    /** Runs the listener when the guest has finished with an interrupt of the pin's line. */
    Lease onPinFinished(PciFunction function, int pin, Runnable listener);

    /** Has the host's kernel carry two eventfds to and from the pin's line; empty if it cannot. */
    Optional<Lease> routePin(PciFunction function, int pin, EventFd trigger, EventFd resample);

    /** The function is closed; inside of {@link org.backplane.bus.Bus#change}. */
    void left(PciFunction function);

    /** After {@link #left}, under no lock. */
    default void changed() {}

    /** How the bus is called in messages. */
    String name();
}
