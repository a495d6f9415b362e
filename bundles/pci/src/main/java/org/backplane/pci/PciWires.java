package org.backplane.pci;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.backplane.device.context.Lease;
import org.backplane.linux.EventFd;
import org.backplane.linux.Fd;

/**
 * What a device pulls on: its function's interrupts. Thread-safe, never waits.
 *
 * <p>A device that is not behind its function yet is heard once it is; one that has left is not.
 */
public final class PciWires {
    private final PciFunction function;

    /** Null where nothing carries eventfds. */
    private final VectorTriggers triggers;

    private final boolean tellsPin;

    /** Of the device; guarded by itself, and so is the connection they see. */
    private final List<Wire> wires = new ArrayList<>();

    /** Vectors raised before the device was behind its function. */
    private final Queue<Raised> early = new ConcurrentLinkedQueue<>();

    /** Host memory that the device wants in its BARs; guarded by the wires, as are the traps. */
    private final List<MappedAreas.Area> areas = new ArrayList<>();

    private final List<MappedAreas.Trap> traps = new ArrayList<>();

    /** Null where the pin has no eventfds; guarded by the wires. */
    private PinEvents pin;

    private volatile boolean connected;

    /** Null until the device sets one: the pin stays as the device before left it. */
    private volatile Boolean level;

    /**
     * @param triggers null where nothing carries eventfds
     * @param tellsPin whether the device is a {@link PinStatus}
     */
    PciWires(PciFunction function, VectorTriggers triggers, boolean tellsPin, boolean connected) {
        this.function = function;
        this.triggers = triggers;
        this.tellsPin = tellsPin;
        this.connected = connected;
    }

    /**
     * Raises an MSI-X vector; pending while masked, or while the guest has not made the function a
     * bus master. Nothing happens if MSI-X is off.
     *
     * @throws IllegalArgumentException the function has no such vector
     */
    public void signal(int vector) {
        signal(msix(vector), vector);
    }

    /**
     * Raises an MSI vector; while masked, or while the guest has not made the function a bus
     * master, it is pending if the function has pending bits, and forgotten otherwise. Nothing
     * happens if MSI is off.
     *
     * @throws IllegalArgumentException the function has no such vector
     */
    public void signalMsi(int vector) {
        signal(msi(vector), vector);
    }

    private void signal(MessageSource source, int vector) {
        if (connected) {
            source.signal(vector);
            return;
        }
        var raised = new Raised(source, vector);
        if (!early.contains(raised)) {
            early.add(raised);
        }
    }

    private MessageSource msix(int vector) {
        return required(function.interrupts().msix(), "MSI-X", vector);
    }

    private MessageSource msi(int vector) {
        return required(function.interrupts().msi(), "MSI", vector);
    }

    private MessageSource required(MessageSource source, String kind, int vector) {
        if (source == null || vector < 0 || vector >= source.vectors()) {
            throw new IllegalArgumentException(
                    "%s has no %s vector %d".formatted(function.slot(), kind, vector));
        }
        return source;
    }

    /** A vector that was raised. */
    private record Raised(MessageSource source, int vector) {}

    /** What the guest has made of the function's interrupts. */
    public Interrupts interrupts() {
        return function.interrupts();
    }

    /**
     * Sets the level of the function's INTx pin; gated by COMMAND.INTX_DISABLE, MSI and MSI-X. A
     * function without a pin shows it in STATUS only.
     */
    public void interrupt(boolean high) {
        // Stored before the look: connecting looks the other way round, so one of the two drives.
        level = high;
        if (connected) {
            function.interrupts().level(high);
        }
    }

    /**
     * Raises an MSI-X vector each time an eventfd is signalled, as {@link #signal} does: by the
     * host's kernel while the guest lets messages of the vector leave and the engine can, without a
     * thread of this process. Signals stay in the eventfd while the device is not behind its
     * function.
     *
     * @param event stays the device's, open until the lease is closed; nobody else waits for it
     * @return ends it; the device's stack of leases does too
     * @throws IllegalArgumentException the function has no such vector
     * @throws IllegalStateException the vector has an eventfd already, or nothing here carries any
     */
    public Lease trigger(int vector, EventFd event) {
        return trigger(msix(vector), vector, event);
    }

    /**
     * As {@link #trigger}, of an MSI vector: {@link #signalMsi} for each signal. Where the function
     * has no pending bits, and may not write to memory, signals stay in the eventfd.
     *
     * @throws IllegalArgumentException the function has no such vector
     * @throws IllegalStateException the vector has an eventfd already, or nothing here carries any
     */
    public Lease triggerMsi(int vector, EventFd event) {
        return trigger(msi(vector), vector, event);
    }

    private Lease trigger(MessageSource source, int vector, EventFd event) {
        if (triggers == null) {
            throw new IllegalStateException("nothing carries eventfds to " + function.slot());
        }
        synchronized (wires) {
            for (Wire wire : wires) {
                if (wire.leadsTo(source, vector)) {
                    throw new IllegalStateException("vector " + vector + " has an eventfd already");
                }
            }
            var wire = new Wire(source, vector, triggers.open(event, () -> source.signal(vector)));
            wires.add(wire);
            if (connected) {
                source.attach(vector, wire.trigger);
            }
            return wire;
        }
    }

    /**
     * Raises the function's INTx pin each time an eventfd is signalled, as {@link #interrupt} does.
     * When the guest has finished with the interrupt the pin falls and the other eventfd is
     * signalled: whoever still needs service signals again. Signals stay in the eventfd while the
     * device is not behind its function. The host's kernel does both where the engine can and the
     * device is a {@link PinStatus}, else threads of this process do. A device with eventfds does
     * not set the level by {@link #interrupt}.
     *
     * @param trigger stays the device's, open until the lease is closed; nobody else waits for it
     * @param resample stays the device's, open likewise
     * @return ends it, and the pin falls
     * @throws IllegalStateException the function has no pin, or the pin has eventfds already, or
     *     nothing here carries any
     */
    public Lease attach(EventFd trigger, EventFd resample) {
        if (triggers == null) {
            throw new IllegalStateException("nothing carries eventfds to " + function.slot());
        }
        synchronized (wires) {
            if (pin != null) {
                throw new IllegalStateException("the pin has eventfds already");
            }
            function.requirePin();
            var attached = new PinEvents(function, triggers, tellsPin, trigger, resample);
            pin = attached;
            if (connected) {
                attached.connect();
            }
            return () -> release(attached);
        }
    }

    /**
     * Has part of a memory BAR be host memory: loads and stores of the guest reach the descriptor's
     * bytes while the BAR decodes, wherever that is, and {@link PciDevice#readBar} and {@link
     * PciDevice#writeBar} do not hear of them. That holds for whole pages of the host, and not for
     * those which hold bytes of the MSI-X structures or of a {@link #trap}: there, and where the
     * host refuses to map (which the log tells once), accesses come to the device as ever.
     *
     * <p>The mapping is the function's. It begins when the device is behind the function, and ends
     * with the lease, or with the function. A device that leaves without closing the lease leaves
     * the mapping to the next: if that has declared the same by then, it stays in place all along.
     *
     * @param offset in bytes from the beginning of the BAR
     * @param descriptor stays the device's; while it is closed nothing new can be mapped
     * @param fileOffset in bytes into the descriptor, where the area begins; congruent to the
     *     offset modulo the page, or nothing is mapped
     * @param length in bytes
     * @throws IllegalArgumentException the area is not inside a memory BAR of the function, or
     *     overlaps another
     */
    public Lease map(int bar, long offset, Fd descriptor, long fileOffset, long length) {
        function.requireMemory(bar, offset, length);
        if (fileOffset < 0 || fileOffset > Long.MAX_VALUE - length) {
            throw new IllegalArgumentException("file offset 0x%x".formatted(fileOffset));
        }
        var area = new MappedAreas.Area(bar, offset, descriptor, fileOffset, length);
        synchronized (wires) {
            for (MappedAreas.Area other : areas) {
                if (other.overlaps(area)) {
                    throw new IllegalArgumentException(
                            "BAR %d: 0x%x bytes at 0x%x overlap 0x%x bytes at 0x%x that are mapped"
                                    .formatted(
                                            bar, length, offset, other.length(), other.offset()));
                }
            }
            areas.add(area);
            declare();
        }
        return () -> withdraw(areas, area);
    }

    /**
     * Has accesses to bytes of a BAR come to the device although they lie in an area that is
     * mapped, by whole page: for a doorbell, or a register that must be seen to.
     *
     * @param offset in bytes from the beginning of the BAR
     * @param length in bytes
     * @return ends it
     * @throws IllegalArgumentException the bytes are not inside a memory BAR of the function
     */
    public Lease trap(int bar, long offset, long length) {
        function.requireMemory(bar, offset, length);
        var trap = new MappedAreas.Trap(bar, offset, length);
        synchronized (wires) {
            traps.add(trap);
            declare();
        }
        return () -> withdraw(traps, trap);
    }

    /** Takes back what a lease stands for: by identity, since two traps may be equal. */
    private <T> void withdraw(List<T> from, T what) {
        synchronized (wires) {
            if (from.removeIf(each -> each == what)) {
                declare();
            }
        }
    }

    private void declare() {
        if (connected) {
            function.areas()
                    .declare(new MappedAreas.Declaration(List.copyOf(areas), List.copyOf(traps)));
        }
    }

    private void release(PinEvents attached) {
        synchronized (wires) {
            if (pin == attached) {
                pin = null;
                attached.close();
            }
        }
    }

    /**
     * An eventfd on its way to a vector. No record: wires are found again among thousands, and made
     * inside of a guest's access, where the first comparison of a record costs a millisecond.
     */
    private final class Wire implements Lease {
        private final MessageSource source;
        private final int vector;
        private final VectorTriggers.Trigger trigger;

        Wire(MessageSource source, int vector, VectorTriggers.Trigger trigger) {
            this.source = source;
            this.vector = vector;
            this.trigger = trigger;
        }

        boolean leadsTo(MessageSource other, int number) {
            return source == other && vector == number;
        }

        @Override
        public void close() {
            synchronized (wires) {
                if (wires.remove(this)) {
                    if (connected) {
                        source.detach(vector, trigger);
                    }
                    trigger.close();
                }
            }
        }
    }

    public boolean msixEnabled() {
        return function.interrupts().msixEnabled();
    }

    void connect() {
        synchronized (wires) {
            connected = true;
            declare();
            if (pin != null) {
                pin.connect();
            }
            wires.forEach(wire -> wire.source.attach(wire.vector, wire.trigger));
        }
        Boolean last = level;
        if (last != null) {
            function.interrupts().level(last);
        }
        for (Raised each = early.poll(); each != null; each = early.poll()) {
            each.source.signal(each.vector);
        }
    }

    void disconnect() {
        synchronized (wires) {
            connected = false;
            if (pin != null) {
                pin.disconnect();
            }
            wires.forEach(wire -> wire.source.detach(wire.vector, wire.trigger));
        }
    }
}
