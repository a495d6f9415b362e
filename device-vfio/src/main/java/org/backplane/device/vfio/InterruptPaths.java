package org.backplane.device.vfio;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.backplane.device.DeviceException;
import org.backplane.device.context.Lease;
import org.backplane.device.vfio.VfioState.Kind;
import org.backplane.linux.EventFd;
import org.backplane.pci.Interrupts;
import org.backplane.pci.PciWires;
import org.backplane.vfio.IrqInfo;
import org.backplane.vfio.VfioDevice;
import org.backplane.vfio.VfioException;

/**
 * Carries the device's interrupts to the guest, of the kind that the guest has switched on: an
 * eventfd from the device to each vector, or to the pin and back. Thread-safe.
 *
 * <p>A vector gets its eventfd when it is first open. Masked later, it keeps it: the slot holds its
 * messages back, so masking costs nothing here. A guest that switches 2,048 vectors on, all of them
 * masked, costs one call.
 */
final class InterruptPaths {
    private static final int PIN = 0;

    private final VfioDevice device;
    private final Events events;
    private final int msixVectors;
    private final Map<Integer, Lease> wired = new HashMap<>();
    private PciWires wires;
    private Kind kind = Kind.NONE;
    private int vectors;
    private final BitSet used = new BitSet();

    /**
     * @param msixVectors of the shape; 0 if it has none
     */
    InterruptPaths(VfioDevice device, Events events, int msixVectors) {
        this.device = device;
        this.events = events;
        this.msixVectors = msixVectors;
    }

    synchronized void wired(PciWires handedOver) {
        wires = handedOver;
    }

    synchronized Kind kind() {
        return kind;
    }

    synchronized int vectors() {
        return vectors;
    }

    synchronized BitSet used() {
        return (BitSet) used.clone();
    }

    /** Takes over what another version of the code has switched on. */
    synchronized void restore(VfioState state) {
        kind = state.kind();
        vectors = state.vectors();
        used.clear();
        used.or(state.used());
    }

    /**
     * Wires what was restored; the device is not told, for it signals these eventfds already. A pin
     * that is high now falls when somebody has raised it, so that is done once more.
     */
    synchronized void rewire() throws DeviceException {
        if (kind == Kind.INTX) {
            wirePin();
            events.of("pin").signal();
        }
        for (int vector : used.stream().filter(any -> kind != Kind.INTX).toArray()) {
            wire(vector, kind);
        }
    }

    /**
     * Brings the device to what the guest has made of the function's interrupts.
     *
     * @throws DeviceException the host does not permit it, a sentence; the next change tries again
     * @throws VfioException the device does not; likewise
     */
    synchronized void follow() throws DeviceException, VfioException {
        Interrupts seen = wires.interrupts();
        Kind wanted =
                switch (seen.mode()) {
                    case OFF -> Kind.NONE;
                    case INTX -> Kind.INTX;
                    case MSI -> Kind.MSI;
                    case MSIX -> Kind.MSIX;
                };
        // A pin that the guest disables is held low by the slot.
        boolean pinHeld = wanted == Kind.NONE && kind == Kind.INTX;
        if (kind != wanted && !pinHeld) {
            switchOff();
        }
        switch (wanted) {
            case INTX -> pinOn();
            case MSI -> msi(seen.granted());
            case MSIX -> msix(seen);
            case NONE -> {}
        }
    }

    /** The pin, as after a reset of the function; nothing for a device without one. */
    synchronized void pinOn() throws DeviceException, VfioException {
        IrqInfo irq = device.irq(VfioDevice.INTX);
        if (kind == Kind.INTX || irq.count() == 0) {
            return;
        }
        EventFd trigger = events.of("pin");
        EventFd resample = events.of("pin's end");
        trigger.drain();
        resample.drain();
        wirePin();
        kind = Kind.INTX;
        vectors = 1;
        try {
            device.trigger(VfioDevice.INTX, 0, List.of(Optional.of(trigger)));
            if (irq.automasked()) {
                device.resample(VfioDevice.INTX, Optional.of(resample));
            }
        } catch (VfioException e) {
            throw givenUp(e);
        }
    }

    private void wirePin() throws DeviceException {
        wired.put(PIN, wires.attach(events.of("pin"), events.of("pin's end")));
    }

    private void msi(int granted) throws DeviceException, VfioException {
        if (kind == Kind.MSI && vectors == granted) {
            return;
        }
        switchOff();
        List<Optional<EventFd>> all = new ArrayList<>();
        for (int vector = 0; vector < granted; vector++) {
            all.add(Optional.of(carry(vector, Kind.MSI)));
        }
        kind = Kind.MSI;
        vectors = granted;
        used.set(0, granted);
        try {
            device.trigger(VfioDevice.MSI, 0, all);
        } catch (VfioException e) {
            throw givenUp(e);
        }
    }

    private void msix(Interrupts seen) throws DeviceException, VfioException {
        BitSet opened = seen.open();
        opened.andNot(used);
        int programmed = 0;
        if (kind == Kind.MSIX && opened.isEmpty()) {
            return;
        }
        Optional<DeviceException> lacking = carryAll(opened);
        if (kind == Kind.MSIX && opened.isEmpty()) {
            throw lacking.orElseThrow();
        }
        boolean resizable = device.irq(VfioDevice.MSIX).resizable();
        boolean anew = kind != Kind.MSIX || !resizable && opened.length() > vectors;
        if (anew && !resizable) {
            for (int vector = 0; vector < msixVectors; vector++) {
                programmed = seen.programmed(vector) ? vector + 1 : programmed;
            }
        }
        if (anew) {
            // A driver that opens them one by one makes all that are used go off few times.
            begin(opened, programmed, kind == Kind.MSIX ? Math.min(2 * vectors, msixVectors) : 0);
        } else {
            add(opened);
        }
        if (lacking.isPresent()) {
            throw lacking.get();
        }
    }

    /**
     * Wires vectors as far as the host has eventfds.
     *
     * @param opened loses those for which there is none, which stay to be asked for
     * @return why
     */
    private Optional<DeviceException> carryAll(BitSet opened) {
        int at = opened.nextSetBit(0);
        try {
            for (; at >= 0; at = opened.nextSetBit(at + 1)) {
                carry(at, Kind.MSIX);
            }
            return Optional.empty();
        } catch (DeviceException e) {
            opened.clear(at, opened.length());
            return Optional.of(e);
        }
    }

    /**
     * @param programmed how many vectors have room at least, open or not
     * @param spare how many are to have room if the host has so many
     */
    private void begin(BitSet opened, int programmed, int spare)
            throws DeviceException, VfioException {
        BitSet before = used();
        try {
            if (kind == Kind.MSIX) {
                device.disable(VfioDevice.MSIX);
            }
            used.or(opened);
            kind = Kind.MSIX;
            // None open yet: an empty vector switches the capability on all the same.
            vectors = Math.max(1, Math.max(used.length(), programmed));
            if (spare <= vectors || !has(spare)) {
                device.trigger(VfioDevice.MSIX, 0, eventsOf(used, 0, vectors));
            }
        } catch (VfioException e) {
            throw givenUp(e);
        }
        // What they sent while all was off is lost; a driver that looks in vain does no harm.
        for (int vector : before.stream().toArray()) {
            events.vector(vector).signal();
        }
    }

    /** Switches on with room for so many, unless the host has not so many. */
    private boolean has(int room) throws DeviceException {
        try {
            device.trigger(VfioDevice.MSIX, 0, eventsOf(used, 0, room));
            vectors = room;
            return true;
        } catch (VfioException e) {
            return false;
        }
    }

    /** Those that are refused stay to be asked for; the others go on. */
    private void add(BitSet opened) throws DeviceException, VfioException {
        for (int from = opened.nextSetBit(0); from >= 0; ) {
            int to = opened.nextClearBit(from);
            device.trigger(VfioDevice.MSIX, from, eventsOf(opened, from, to));
            used.set(from, to);
            vectors = Math.max(vectors, to);
            from = opened.nextSetBit(to);
        }
    }

    /** A kind that could not be switched on whole is off, so that the next change begins anew. */
    private VfioException givenUp(VfioException failure) {
        try {
            switchOff();
        } catch (VfioException off) {
            failure.addSuppressed(off);
        }
        return failure;
    }

    private List<Optional<EventFd>> eventsOf(BitSet which, int from, int to)
            throws DeviceException {
        List<Optional<EventFd>> all = new ArrayList<>();
        for (int vector = from; vector < to; vector++) {
            all.add(which.get(vector) ? Optional.of(events.vector(vector)) : Optional.empty());
        }
        return all;
    }

    /** Wires a vector that the device does not signal yet. */
    private EventFd carry(int vector, Kind which) throws DeviceException {
        EventFd event = events.vector(vector);
        if (!wired.containsKey(vector)) {
            event.drain();
            wire(vector, which);
        }
        return event;
    }

    private void wire(int vector, Kind which) throws DeviceException {
        EventFd event = events.vector(vector);
        wired.put(
                vector,
                which == Kind.MSI ? wires.triggerMsi(vector, event) : wires.trigger(vector, event));
    }

    /** Nothing interrupts any more; the device is told first, so that nothing gets lost after. */
    synchronized void switchOff() throws VfioException {
        Kind before = kind;
        forget();
        switch (before) {
            case INTX -> device.disable(VfioDevice.INTX);
            case MSI -> device.disable(VfioDevice.MSI);
            case MSIX -> device.disable(VfioDevice.MSIX);
            case NONE -> {}
        }
    }

    /** The device is gone, and what was switched on in it. */
    synchronized void forget() {
        wired.values().forEach(Lease::close);
        wired.clear();
        kind = Kind.NONE;
        vectors = 0;
        used.clear();
    }

    /** Signals everything that is carried: a driver that lost an interrupt looks. */
    synchronized void nudge() throws DeviceException {
        if (kind == Kind.INTX) {
            events.of("pin").signal();
        }
        for (int vector : used.stream().filter(any -> kind != Kind.INTX).toArray()) {
            events.vector(vector).signal();
        }
    }
}
