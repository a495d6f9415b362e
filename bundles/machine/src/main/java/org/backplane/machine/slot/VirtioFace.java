package org.backplane.machine.slot;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.backplane.bus.ClaimException;
import org.backplane.bus.IoHandler;
import org.backplane.device.Device;
import org.backplane.device.DeviceException;
import org.backplane.device.context.Lease;
import org.backplane.device.state.SavedState;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.Vm;
import org.backplane.linux.EventFd;
import org.backplane.machine.SlotCounters;
import org.backplane.machine.board.LeaseStack;
import org.backplane.memory.MemoryView;
import org.backplane.pci.FunctionTraffic;
import org.backplane.pci.PciFunction;
import org.backplane.virtio.QueueTraffic;
import org.backplane.virtio.SplitQueue;
import org.backplane.virtio.VirtioBackend;
import org.backplane.virtio.VirtioDevice;
import org.backplane.virtio.VirtioPciFunction;
import org.backplane.virtio.VirtioShape;
import org.backplane.virtio.VirtioWires;

/**
 * A virtio function, its doorbells and the workers behind them. The queues belong to the function
 * and outlive every device.
 */
final class VirtioFace implements Face, VirtioBackend {
    private static final Logger LOG = System.getLogger(VirtioFace.class.getName());

    /** Status bit: a driver knows how to drive the device (virtio 1.2, section 2.1). */
    private static final int DRIVER = 2;

    private final SlotGear gear;
    private final LeaseStack leases;
    private final VirtioPciFunction function;
    private final List<EventFd> doorbells = new ArrayList<>();
    private final List<QueueWorker> workers = new ArrayList<>();
    private final GatedHandler config;

    /** Null while nobody is behind. */
    private volatile Seat<VirtioDevice> seat;

    /** Whether the device behind was activated; work is called only then. */
    private volatile boolean active;

    /** The device that was activated last, and not reset since. Of the control thread. */
    private VirtioDevice activated;

    /** Leaves the gate closed. */
    private final DrainAndReset drainAndReset;

    private final PciPlace place;
    private final ResetWait resetWait = new ResetWait();

    /**
     * @param drainAndReset how the slot brings its device to rest for the driver's reset
     */
    VirtioFace(SlotGear gear, VirtioShape shape, DrainAndReset drainAndReset, PciPlace place)
            throws ClaimException {
        this.gear = gear;
        this.drainAndReset = drainAndReset;
        this.place = place;
        config = new GatedHandler(gear);
        leases = new LeaseStack(gear.name());
        try {
            MemoryView memory = gear.board().memory().view(gear.name());
            leases.push("queues' memory view", memory::revoke);
            for (int queue = 0; queue < shape.queueSizes().size(); queue++) {
                doorbells.add(leases.push("doorbell " + queue, EventFd.open()));
            }
            function =
                    leases.push(
                            "function",
                            new VirtioPciFunction(place, gear.name(), shape, memory, this));
            for (int queue = 0; queue < doorbells.size(); queue++) {
                workers.add(
                        leases.push(
                                "worker " + queue,
                                new QueueWorker(gear, queue, doorbells.get(queue), this::work)));
            }
        } catch (ClaimException e) {
            leases.close();
            throw e;
        } catch (java.io.IOException e) {
            leases.close();
            throw new ClaimException(
                    "%s: no event for a queue: %s".formatted(gear.name(), e.getMessage()));
        }
    }

    @Override
    public Optional<SavedState> save() {
        return Optional.of(function.save());
    }

    @Override
    public void restore(SavedState saved) throws DeviceException {
        function.restore(saved);
    }

    @Override
    public Optional<String> mismatch(Device other) {
        if (other instanceof VirtioDevice virtio && function.accepts(virtio.shape())) {
            return Optional.empty();
        }
        return Optional.of(
                "the guest sees %s, the new device is %s"
                        .formatted(
                                function.shape(),
                                other instanceof VirtioDevice virtio
                                        ? virtio.shape()
                                        : "no virtio device"));
    }

    @Override
    public void wire(Device device, Attachment attachment) {
        ((VirtioDevice) device).wired(attachment.add(new Wires()));
    }

    /** What a device pulls on; kept until the device is behind the function. */
    private final class Wires implements VirtioWires, Attachment.Switchable {
        private boolean connected;
        private boolean raised;

        @Override
        public synchronized void configurationChanged() {
            if (connected) {
                function.configurationChanged();
            } else {
                raised = true;
            }
        }

        @Override
        public void guestMistook(String format, Object... values) {
            function.guestMistook(format, values);
        }

        @Override
        public synchronized void connect() {
            connected = true;
            if (raised) {
                raised = false;
                function.configurationChanged();
            }
        }

        @Override
        public synchronized void disconnect() {
            connected = false;
        }
    }

    @Override
    public Runnable introduce(Device next, boolean fresh) {
        var virtio = (VirtioDevice) next;
        VirtioShape shape = virtio.shape();
        // Asked once: a driver that is ready only from now on has the device activated later.
        boolean ready = function.active();
        if (fresh && ready) {
            activate(virtio);
        }
        return () -> {
            function.adopt(shape);
            seat = new Seat<>(virtio, gear.gate().generation());
            config.connect(new Config(virtio));
            if (fresh && ready) {
                activated = virtio;
            }
            active = ready && activated == virtio;
        };
    }

    @Override
    public void disconnect() {
        active = false;
        seat = null;
        config.connect(null);
    }

    /** The device-specific configuration of a device. */
    private record Config(VirtioDevice device) implements IoHandler {
        @Override
        public long read(long offset, int width) {
            return device.readConfig((int) offset, width);
        }

        @Override
        public void write(long offset, int width, long value) {
            device.writeConfig((int) offset, width, value);
        }
    }

    @Override
    public void cutOff() {
        function.cutOff();
    }

    @Override
    public void presentAgain() {
        function.presentAgain();
    }

    @Override
    public int outstanding() {
        return function.outstanding();
    }

    @Override
    public void kick() {
        workers.forEach(QueueWorker::kick);
    }

    /** On the queue's worker, inside the gate. */
    private void work(int queue, long ticket) {
        Seat<VirtioDevice> now = seat;
        if (active && now.admits(ticket)) {
            now.taken().work(queue);
        }
    }

    @Override
    public long readConfig(int offset, int width) {
        return config.read(offset, width);
    }

    @Override
    public void writeConfig(int offset, int width, long value) {
        config.write(offset, width, value);
    }

    @Override
    public void driverOk(long features, List<SplitQueue> queues) {
        gear.control().post("activate", this::activate);
    }

    private void activate() throws InterruptedException {
        Seat<VirtioDevice> now = seat;
        if (now == null || active || !function.active()) {
            // Failed, vacant, connected since, or reset since: what connects next looks for itself.
            return;
        }
        try {
            gear.calls().run("activate", () -> activate(now.taken()));
            activated = now.taken();
            active = true;
            kick();
        } catch (DeviceException e) {
            gear.failedNow(e);
        }
    }

    private void activate(VirtioDevice device) {
        device.activate(function.negotiatedFeatures(), function.queues());
    }

    @Override
    public void resetRequested() {
        gear.control().post("reset", this::resetByDriver);
    }

    private void resetByDriver() throws InterruptedException {
        boolean wasOpen = gear.gate().isOpen();
        try {
            drainAndReset.run();
        } catch (DeviceException e) {
            gear.failedNow(e);
        }
        active = false;
        activated = null;
        function.resetDone();
        resetWait.look();
        if (wasOpen) {
            gear.gate().open();
        }
    }

    @Override
    public void reset() {
        active = false;
        activated = null;
        function.reset();
        resetWait.look();
    }

    @Override
    public void awaitReset() {
        resetWait.until(() -> !function.resetPending());
    }

    @Override
    public void failed() {
        active = false;
        function.needsReset();
    }

    /** A driver that looked at the configuration meanwhile saw all ones: it has to look again. */
    @Override
    public void repaired() {
        function.configurationChanged();
    }

    @Override
    public EventFd doorbell(int queue) {
        return doorbells.get(queue);
    }

    @Override
    public Lease bindDoorbell(int queue, long address) {
        try {
            Vm.Lease lease = gear.board().vm().doorbell(address, 0, doorbells.get(queue));
            return lease::close;
        } catch (HypervisorException e) {
            // The store then reaches the function's own handler, which signals the same event.
            LOG.log(Level.DEBUG, () -> "%s: %s".formatted(gear.name(), e.getMessage()));
            return () -> {};
        }
    }

    @Override
    public void broken(int queue, String reason) {
        gear.history().add("queue %d broken".formatted(queue), reason);
    }

    @Override
    public Optional<PciFunction> function() {
        return Optional.of(function.function());
    }

    @Override
    public Optional<PciPlace> place() {
        return Optional.of(place);
    }

    /**
     * A driver that left has reset the device; Linux then acknowledges it again, and leaves memory
     * decoding on (virtio 1.2, section 2.1).
     */
    @Override
    public boolean released() {
        return (function.status() & DRIVER) == 0 || function.function().released();
    }

    @Override
    public SlotCounters counters() {
        FunctionTraffic registers = function.function().traffic();
        QueueTraffic queues = function.traffic();
        return new SlotCounters(
                gear.name(),
                registers.reads(),
                registers.writes(),
                workers.stream().mapToLong(QueueWorker::rung).sum(),
                registers.interrupts(),
                queues.requests(),
                queues.bytesRead(),
                queues.bytesWritten(),
                function.guestErrors());
    }

    @Override
    public Map<String, String> facts() {
        var facts = new LinkedHashMap<String, String>();
        facts.put("virtio status", "0x%02x".formatted(function.status()));
        facts.put("device features", "0x%x".formatted(function.shape().features()));
        facts.put("negotiated features", "0x%x".formatted(function.negotiatedFeatures()));
        facts.put("queue sizes", function.shape().queueSizes().toString());
        facts.put("outstanding requests", Integer.toString(function.outstanding()));
        facts.put("guest mistakes", Long.toString(function.guestErrors()));
        return facts;
    }

    @Override
    public void close() {
        leases.close();
        resetWait.look();
        place.vacated();
    }
}
