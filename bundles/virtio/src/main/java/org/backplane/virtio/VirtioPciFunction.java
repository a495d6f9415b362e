package org.backplane.virtio;

import java.util.ArrayList;
import java.util.List;
import org.backplane.bus.ClaimException;
import org.backplane.bus.IoHandler;
import org.backplane.device.DeviceException;
import org.backplane.device.GuestErrors;
import org.backplane.device.state.SavedState;
import org.backplane.memory.MemoryView;
import org.backplane.pci.BarHandler;
import org.backplane.pci.HostBridge;
import org.backplane.pci.PciFunction;
import org.backplane.pci.PciSocket;

/**
 * A virtio device on PCI (virtio 1.2, section 4.1), modern or, where its shape says so,
 * transitional: capabilities, common configuration, ISR, notification area, MSI-X vectors and the
 * queues. Owned by the slot; when the device behind it is replaced, the function and its queues
 * stay the very same objects.
 *
 * <p>Threads. Processors come in through the BAR and configuration space, several at once; workers
 * and completing threads through the queues; the slot's control thread through the methods here.
 *
 * <ul>
 *   <li>{@link CommonConfig} has one lock for all registers of the common configuration; the
 *       queues' locks, one each, are inside of it, never around it.
 *   <li>{@link VirtioInterrupts}, {@link Doorbells} and {@link ConfigWindow} have small locks of
 *       their own, inside of which nothing else is locked but the function's PCI half.
 *   <li>No lock is held while the {@link VirtioBackend} is called. What has an order goes through
 *       {@link OrderedCalls}.
 * </ul>
 *
 * <p>Only device-specific configuration goes to the device, through the backend, which may make a
 * processor wait there. Everything else the guest can touch is the slot's and answers at once,
 * device or no device.
 */
public final class VirtioPciFunction implements AutoCloseable {
    private static final String SCHEMA = "virtio-pci";
    private static final int VERSION = 1;

    private final VirtioBackend backend;
    private final GuestErrors errors;
    private final OrderedCalls calls = new OrderedCalls();
    private final VirtioInterrupts interrupts;
    private final Doorbells doorbells;
    private final List<QueuePort> ports = new ArrayList<>();
    private final CommonConfig common;
    private final ConfigWindow window;
    private final PciFunction function;
    private volatile VirtioShape shape;
    private volatile boolean closed;

    /**
     * Plugs the function into bus 0.
     *
     * @param device PCI device number, -1 for any
     */
    public VirtioPciFunction(
            HostBridge bridge,
            String slot,
            int device,
            VirtioShape shape,
            MemoryView memory,
            VirtioBackend backend)
            throws ClaimException {
        this(bridge.socket(device), slot, shape, memory, backend);
    }

    /** Plugs the function in. */
    public VirtioPciFunction(
            PciSocket socket,
            String slot,
            VirtioShape shape,
            MemoryView memory,
            VirtioBackend backend)
            throws ClaimException {
        this.shape = shape;
        this.backend = backend;
        int queues = shape.queueSizes().size();
        errors = new GuestErrors(slot);
        interrupts = new VirtioInterrupts(queues);
        doorbells = new Doorbells(queues, backend, calls);
        QueueTransport transport = new Transport();
        for (int i = 0; i < queues; i++) {
            ports.add(new QueuePort(i, shape.queueSizes().get(i), memory, transport));
        }
        common =
                new CommonConfig(
                        shape.features(), ports, interrupts, doorbells, backend, calls, errors);
        Structures structures = new Structures();
        int structuresBar = VirtioPciLayout.structuresBar(shape);
        window = new ConfigWindow(structures, structuresBar, errors);
        var pciShape = VirtioPciLayout.pciShape(shape);
        int windowCapability = VirtioPciLayout.windowCapability(pciShape);
        IoHandler legacy =
                shape.transitional()
                        ? new LegacyRegisters(
                                common,
                                interrupts,
                                doorbells,
                                backend,
                                calls,
                                errors,
                                shape.configLength())
                        : null;
        function =
                socket.plug(
                        slot,
                        pciShape,
                        new Registers(structures, structuresBar, legacy, windowCapability));
        interrupts.connect(function.wires());
    }

    public PciFunction function() {
        return function;
    }

    public VirtioShape shape() {
        return shape;
    }

    /**
     * Whether a device of that shape can take over: equal, or offering more features, which the
     * driver sees after its next reset. Fewer than the shape has are right too, as long as the
     * driver has seen none of those that are gone: that is the way back from a swap.
     */
    public boolean accepts(VirtioShape other) {
        VirtioShape now = shape;
        long seen = common.offered() & ~VirtioPciLayout.TRANSPORT_FEATURES;
        return other.deviceId() == now.deviceId()
                && other.classCode() == now.classCode()
                && other.queueSizes().equals(now.queueSizes())
                && other.configLength() == now.configLength()
                && other.transitional() == now.transitional()
                && (seen & ~other.features()) == 0;
    }

    /**
     * Adopts the shape of the device that took over.
     *
     * @throws IllegalArgumentException if it is not one that {@link #accepts}
     */
    public void adopt(VirtioShape other) {
        if (!accepts(other)) {
            throw new IllegalArgumentException(
                    "%s cannot take over from %s".formatted(other, shape));
        }
        shape = other;
        common.offer(other.features());
    }

    /** Status as the driver set it (virtio 1.2, section 2.1). */
    public int status() {
        return common.status();
    }

    /** Whether the driver set DRIVER_OK and has not asked for a reset since. */
    public boolean active() {
        return common.active();
    }

    /** Features that both sides agreed on, the transport's included; 0 before FEATURES_OK. */
    public long negotiatedFeatures() {
        return common.negotiated();
    }

    /** By index, null where disabled; all of them while a legacy driver uses the device. */
    public List<SplitQueue> queues() {
        return common.queues();
    }

    /** Whether the driver waits for a reset that has not been done yet. */
    public boolean resetPending() {
        return common.resetPending();
    }

    /** Counts what the device behind found wrong with a request. */
    public void guestMistook(String format, Object... values) {
        errors.add(format, values);
    }

    /** What the guest did wrong so far, rings that it broke included. */
    public long guestErrors() {
        return errors.count() + function.guestErrors();
    }

    /** Over all queues. */
    public QueueTraffic traffic() {
        return ports.stream()
                .map(port -> port.queue().traffic())
                .reduce(QueueTraffic.NONE, QueueTraffic::plus);
    }

    /**
     * The device is drained and reset: clears rings, vectors and status. From now on status reads
     * 0, and the driver may use the memory of its buffers again.
     */
    public void resetDone() {
        common.clear();
        calls.make();
    }

    /** A machine reset: the function and its PCI half as after plugging. */
    public void reset() {
        common.clear();
        window.set(0, 0, 0);
        function.reset();
        calls.make();
    }

    /** Requests taken and not completed, over all queues. */
    public int outstanding() {
        return ports.stream().mapToInt(port -> port.queue().outstanding()).sum();
    }

    /**
     * Presents the ledger's requests again to the next device: for one that could not save. They
     * come first out of {@link SplitQueue#poll}, in their old order; the caller wakes the workers.
     */
    public void presentAgain() {
        ports.forEach(QueuePort::presentAgain);
    }

    /**
     * Takes the queues from a device that was not drained and may come back late: it can do nothing
     * any more with those it has. The next device gets others, which present the ledger's requests
     * again. No device is behind the function.
     */
    public void cutOff() {
        ports.forEach(QueuePort::cutOff);
    }

    /** Asks the driver for a reset: DEVICE_NEEDS_RESET and a configuration interrupt. */
    public void needsReset() {
        common.needsReset();
    }

    /**
     * The device-specific configuration changed, a disk's capacity for one: counts the generation
     * on and interrupts the driver (virtio 1.2, section 2.5).
     */
    public void configurationChanged() {
        common.configurationChanged();
    }

    /** Everything the guest can see, the rings' positions and the ledger; no processor runs. */
    public SavedState save() {
        SavedState.Builder state = SavedState.of(SCHEMA, VERSION);
        common.save().write(state);
        return state.number("windowBar", window.bar())
                .number("windowOffset", window.offset())
                .number("windowLength", window.length())
                .child("pci", function.save())
                .build();
    }

    /**
     * Takes a saved state into a function that was just plugged. Guest memory has its content
     * already. The caller activates the device if {@link #active}, and wakes the workers.
     *
     * @throws DeviceException the state is newer, damaged, or of a device with another shape; the
     *     function is then as after plugging
     */
    public void restore(SavedState state) throws DeviceException {
        state.require(SCHEMA, VERSION);
        SavedState pci = state.child("pci");
        if (pci == null) {
            throw state.damaged("'pci' is missing");
        }
        VirtioShape now = shape;
        CommonState restored =
                CommonState.read(
                        state,
                        now.features() | VirtioPciLayout.TRANSPORT_FEATURES,
                        now.queueSizes(),
                        now.transitional());
        int windowBar = (int) state.number("windowBar", 0, 0, 0xff);
        int windowOffset = window(state, "windowOffset");
        int windowLength = window(state, "windowLength");
        try {
            function.restore(pci);
        } catch (DeviceException e) {
            reset();
            throw e;
        }
        window.set(windowBar, windowOffset, windowLength);
        String problem = common.restore(restored);
        calls.make();
        if (problem != null) {
            errors.add("after a restore: %s", problem);
        }
    }

    /** A register of 32 bits, kept as a signed number. */
    private static int window(SavedState state, String name) throws DeviceException {
        return (int) state.number(name, 0, Integer.MIN_VALUE, Integer.MAX_VALUE);
    }

    @Override
    public void close() {
        closed = true;
        function.close();
        common.clear();
        doorbells.moved(-1);
        calls.make();
    }

    /** What the queues pull on. */
    private final class Transport implements QueueTransport {
        @Override
        public void usedBuffers(int queue) {
            interrupts.usedBuffers(queue);
        }

        @Override
        public void broken(int queue, String reason) {
            if (!closed) {
                errors.add("queue %d is broken: %s", queue, reason);
                common.needsReset();
                backend.broken(queue, reason);
            }
        }
    }

    /** The BAR with the structures, a page each; also reached through the configuration window. */
    private final class Structures implements IoHandler {
        @Override
        public long read(long offset, int width) {
            int page = (int) offset & -VirtioPciLayout.PAGE;
            int inPage = (int) offset & (VirtioPciLayout.PAGE - 1);
            return switch (page) {
                case VirtioPciLayout.COMMON_PAGE -> common.read(inPage, width);
                case VirtioPciLayout.ISR_PAGE -> inPage == 0 ? interrupts.readIsr() : 0;
                case VirtioPciLayout.DEVICE_PAGE ->
                        inside(inPage, width) ? backend.readConfig(inPage, width) : -1;
                // The doorbells: nothing to read there.
                default -> 0;
            };
        }

        @Override
        public void write(long offset, int width, long value) {
            int page = (int) offset & -VirtioPciLayout.PAGE;
            int inPage = (int) offset & (VirtioPciLayout.PAGE - 1);
            switch (page) {
                case VirtioPciLayout.COMMON_PAGE -> {
                    common.write(inPage, width, value);
                    calls.make();
                }
                case VirtioPciLayout.DEVICE_PAGE -> {
                    if (inside(inPage, width)) {
                        backend.writeConfig(inPage, width, value);
                    }
                }
                case VirtioPciLayout.NOTIFY_PAGE -> ring(inPage);
                default -> errors.add("write at 0x%x of the ISR page", inPage);
            }
        }

        private boolean inside(int offset, int width) {
            boolean inside = offset + width <= shape.configLength();
            if (!inside) {
                errors.add("%d bytes at 0x%x of the device configuration", width, offset);
            }
            return inside;
        }

        /** The address says which queue; so does the value, which is not looked at. */
        private void ring(int offset) {
            int queue = offset / VirtioPciLayout.NOTIFY_MULTIPLIER;
            if (offset % VirtioPciLayout.NOTIFY_MULTIPLIER == 0 && queue < ports.size()) {
                doorbells.ring(queue);
            } else {
                errors.add("doorbell at 0x%x", offset);
            }
        }
    }

    /** The function's registers outside of configuration space's own and of MSI-X. */
    private final class Registers implements BarHandler {
        private final Structures structures;
        private final int structuresBar;

        /** Null of a device without a legacy interface. */
        private final IoHandler legacy;

        private final int windowCapability;

        Registers(
                Structures structures, int structuresBar, IoHandler legacy, int windowCapability) {
            this.structures = structures;
            this.structuresBar = structuresBar;
            this.legacy = legacy;
            this.windowCapability = windowCapability;
        }

        @Override
        public long read(int bar, long offset, int width) {
            if (bar == structuresBar) {
                return structures.read(offset, width);
            }
            return legacy != null && bar == LegacyLayout.BAR ? legacy.read(offset, width) : -1;
        }

        @Override
        public void write(int bar, long offset, int width, long value) {
            if (bar == structuresBar) {
                structures.write(offset, width, value);
            } else if (legacy != null && bar == LegacyLayout.BAR) {
                legacy.write(offset, width, value);
            }
        }

        @Override
        public void moved(int bar, long base) {
            if (bar == structuresBar && !closed) {
                doorbells.moved(base);
                calls.make();
            }
        }

        @Override
        public boolean answersCapability(int capability) {
            return capability == windowCapability;
        }

        @Override
        public long readCapability(int capability, int offset, int width) {
            return window.read(offset, width);
        }

        @Override
        public void writeCapability(int capability, int offset, int width, long value) {
            window.write(offset, width, value);
        }
    }
}
