package org.backplane.device.vfio;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.backplane.bus.AddressRange;
import org.backplane.bus.Bus;
import org.backplane.bus.Space;
import org.backplane.device.DeviceException;
import org.backplane.device.context.Lease;
import org.backplane.device.state.SaveSupport;
import org.backplane.device.state.SavedState;
import org.backplane.linux.EventFd;
import org.backplane.linux.Fd;
import org.backplane.pci.BarHandler;
import org.backplane.pci.HostBridge;
import org.backplane.pci.PciFunction;
import org.backplane.pci.PciShape;
import org.backplane.pci.PciWires;
import org.backplane.pci.VectorTriggers;
import org.backplane.testkit.FakeDeviceContext;
import org.backplane.testkit.RecordingMsi;

/** A passed-through device in a slot on a bridge of its own; the test is guest and host. */
final class Plugged implements AutoCloseable {
    static final long MEMORY = 0x4000_0000L;

    final PlayedDevice host;
    final FakeDeviceContext slot;
    final Bus bus = new Bus();
    final RecordingMsi messages = new RecordingMsi();
    final HostBridge bridge;
    final PciFunction function;

    /** What is mapped: the guest's address, to the offset in the descriptor and the length. */
    final Map<Long, List<Long>> mapped = new LinkedHashMap<>();

    int timesMapped;

    /** Of the pin. */
    boolean level;

    private final List<Runnable> finished = new ArrayList<>();
    private final List<Carried> carried = new ArrayList<>();
    private PciWires wires;
    VfioPci device;

    /** Whether the host's kernel carries eventfds to the pin, and whether it does now. */
    private final boolean routing;

    boolean routed;

    Plugged(PlayedDevice host) throws Exception {
        this(host, false);
    }

    Plugged(PlayedDevice host, boolean routing) throws Exception {
        this.host = host;
        this.routing = routing;
        slot = new FakeDeviceContext("nic1", VfioFactory.KIND, Map.of("host", "0000:01:00.0"));
        bridge =
                new HostBridge(
                        bus,
                        new HostBridge.Windows(
                                bus.addWindow("io", Space.IO, new AddressRange(0x1000, 0xf000)),
                                bus.addWindow(
                                        "mmio", Space.MMIO, new AddressRange(MEMORY, 0x4000_0000L)),
                                null),
                        messages::signal,
                        new Pins(),
                        this::map);
        device = made();
        function = bridge.plug("nic1", -1, device.shape(), new Behind());
        function.place();
        wire();
        device.start();
        connect();
    }

    private Lease map(long address, Fd descriptor, long offset, long length) throws IOException {
        mapped.put(address, List.of(offset, length));
        timesMapped++;
        return () -> mapped.remove(address);
    }

    private VfioPci made() throws DeviceException {
        return (VfioPci)
                new VfioFactory(
                                (context, settings) ->
                                        context.kept("device", PlayedDevice.class, () -> host))
                        .create(slot);
    }

    private void wire() {
        wires =
                function.deviceWires(
                        (event, signalled) -> {
                            Carried trigger = new Carried(event, signalled);
                            carried.add(trigger);
                            return trigger;
                        },
                        true);
        device.wired(wires);
    }

    private void connect() {
        device.interruptsChanged();
        function.connect(wires);
    }

    /** Replaces the code, as the machine does: the new one is ready before the old one goes. */
    void swap() throws Exception {
        PciWires before = wires;
        VfioPci old = device;
        SavedState state = save();
        VfioPci next = made();
        if (!next.shape().equals(function.shape())) {
            throw new AssertionError("another shape: " + next.shape());
        }
        device = next;
        wire();
        ((SaveSupport.Saveable) next.saveSupport()).restorer().restore(state);
        next.start();
        function.disconnect(before);
        connect();
        old.close();
    }

    SavedState save() {
        return ((SaveSupport.Saveable) device.saveSupport()).saver().save();
    }

    /** What carries eventfds looks at them. */
    void carry() {
        List.copyOf(carried).forEach(Carried::look);
    }

    int carriedEvents() {
        return (int) carried.stream().filter(each -> each.open).count();
    }

    long config(int offset, int width) {
        return function.readConfig(offset, width);
    }

    void config(int offset, int width, long value) {
        function.writeConfig(offset, width, value);
    }

    /** Lets the function decode and do DMA. */
    void on() {
        config(4, 2, 6);
    }

    long base(int bar) {
        return function.bars().stream()
                .filter(each -> each.bar().index() == bar)
                .findFirst()
                .orElseThrow()
                .base();
    }

    PciShape.Bar bar(int index) {
        return function.shape().bar(index).orElseThrow();
    }

    long read(int bar, long offset, int width) {
        return bus.read(Space.MMIO, base(bar) + offset, width);
    }

    void write(int bar, long offset, int width, long value) {
        bus.write(Space.MMIO, base(bar) + offset, width, value);
    }

    /** Programs a vector of the table at an offset of BAR 0. */
    void program(long table, int vector, boolean masked) {
        long entry = table + 16L * vector;
        write(0, entry, 4, 0xfee0_0000L);
        write(0, entry + 4, 4, 0);
        write(0, entry + 8, 4, 0x40 + vector);
        write(0, entry + 12, 4, masked ? 1 : 0);
    }

    @Override
    public void close() {
        device.close();
        function.close();
        slot.close();
    }

    /** The interrupt controller: the test says when the guest has finished. */
    private final class Pins implements HostBridge.PinRouter {
        @Override
        public void set(int number, int pin, boolean high) {
            level = high;
        }

        @Override
        public Lease onFinished(int number, int pin, Runnable listener) {
            finished.add(listener);
            return () -> finished.remove(listener);
        }

        @Override
        public Optional<Lease> route(int number, int pin, EventFd trigger, EventFd resample) {
            routed = routing;
            return routing ? Optional.of(() -> routed = false) : Optional.empty();
        }
    }

    /** The guest is through with an interrupt of the pin. */
    void finish() {
        List.copyOf(finished).forEach(Runnable::run);
    }

    /** The function's side of the slot, without a gate. */
    private final class Behind implements BarHandler {
        @Override
        public long read(int bar, long offset, int width) {
            return device.readBar(bar, offset, width);
        }

        @Override
        public void write(int bar, long offset, int width, long value) {
            device.writeBar(bar, offset, width, value);
        }

        @Override
        public long readConfig(int offset, int width) {
            return device.readConfig(offset, width);
        }

        @Override
        public void writeConfig(int offset, int width, long value) {
            device.writeConfig(offset, width, value);
        }

        @Override
        public void interruptsChanged() {
            device.interruptsChanged();
        }

        @Override
        public boolean pinAsserted() {
            return device.pinAsserted();
        }
    }

    /** As the machine's event loop: whatever the guest makes of a vector, signals are reported. */
    private static final class Carried implements VectorTriggers.Trigger {
        private final EventFd event;
        private final Runnable signalled;
        private boolean held = true;
        private boolean open = true;

        Carried(EventFd event, Runnable signalled) {
            this.event = event;
            this.signalled = signalled;
        }

        void look() {
            if (open && !held && event.drain() > 0) {
                signalled.run();
            }
        }

        @Override
        public void deliver(long address, int data) {
            held = false;
        }

        @Override
        public void report() {
            held = false;
        }

        @Override
        public void hold() {
            held = true;
        }

        @Override
        public void close() {
            open = false;
        }
    }
}
