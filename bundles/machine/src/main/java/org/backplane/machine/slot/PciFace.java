package org.backplane.machine.slot;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.backplane.bus.ClaimException;
import org.backplane.bus.IoHandler;
import org.backplane.device.Device;
import org.backplane.device.DeviceException;
import org.backplane.device.state.SavedState;
import org.backplane.machine.SlotCounters;
import org.backplane.pci.BarHandler;
import org.backplane.pci.ConfigDevice;
import org.backplane.pci.FunctionTraffic;
import org.backplane.pci.InterruptSwitches;
import org.backplane.pci.PciDevice;
import org.backplane.pci.PciFunction;
import org.backplane.pci.PciShape;
import org.backplane.pci.PciWires;
import org.backplane.pci.PinStatus;

/**
 * A PCI function whose BARs, and registers of its own in configuration space, are answered through
 * the gate by the device behind it, which may also follow its interrupts.
 */
final class PciFace implements Face, BarHandler {
    private static final int BARS = 6;

    /** What a pin reads that is asserted; where nobody answers, all ones are read. */
    private static final long ASSERTED = 1;

    private final GatedHandler[] bars = new GatedHandler[BARS];
    private final GatedHandler config;
    private final GatedHandler switches;
    private final GatedHandler pin;
    private final PciFunction function;

    /**
     * Whether a device that was behind it, or is about to be, follows the interrupts: only then
     * does an access that changes them park.
     */
    private volatile boolean followed;

    private final PciPlace place;

    PciFace(SlotGear gear, PciShape shape, PciPlace place) throws ClaimException {
        this.place = place;
        Arrays.setAll(bars, bar -> new GatedHandler(gear));
        config = new GatedHandler(gear);
        switches = new GatedHandler(gear);
        pin = new GatedHandler(gear);
        function = place.plug(gear.name(), shape, this);
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
        if (other instanceof PciDevice pci && pci.shape().equals(function.shape())) {
            return Optional.empty();
        }
        return Optional.of(
                "the guest sees %s, the new device is %s"
                        .formatted(
                                function.shape(),
                                other instanceof PciDevice pci ? pci.shape() : "no PCI device"));
    }

    @Override
    public void wire(Device device, Attachment attachment) {
        PciWires wires = function.deviceWires(attachment.triggers(), device instanceof PinStatus);
        attachment.add(
                new Attachment.Switchable() {
                    @Override
                    public void connect() {
                        function.connect(wires);
                    }

                    @Override
                    public void disconnect() {
                        function.disconnect(wires);
                    }
                });
        ((PciDevice) device).wired(wires);
    }

    @Override
    public Runnable introduce(Device next, boolean fresh) {
        var pci = (PciDevice) next;
        if (next instanceof InterruptSwitches following) {
            // Before it looks: whoever writes from now on parks, and then calls it.
            followed = true;
            following.interruptsChanged();
        }
        return () -> {
            for (int bar = 0; bar < BARS; bar++) {
                bars[bar].connect(new Bar(pci, bar));
            }
            config.connect(next instanceof ConfigDevice own ? new Config(own) : NOTHING);
            switches.connect(
                    next instanceof InterruptSwitches following ? new Told(following) : NOTHING);
            pin.connect(next instanceof PinStatus telling ? new Pin(telling) : NOTHING);
        };
    }

    @Override
    public void disconnect() {
        for (GatedHandler bar : bars) {
            bar.connect(null);
        }
        config.connect(null);
        switches.connect(null);
        pin.connect(null);
    }

    /** For what a device does not answer. */
    private static final IoHandler NOTHING =
            new IoHandler() {
                @Override
                public long read(long offset, int width) {
                    return -1;
                }

                @Override
                public void write(long offset, int width, long value) {
                    // Nobody listens.
                }
            };

    /** Registers of a device in configuration space. */
    private record Config(ConfigDevice device) implements IoHandler {
        @Override
        public long read(long offset, int width) {
            return device.readConfig((int) offset, width);
        }

        @Override
        public void write(long offset, int width, long value) {
            device.writeConfig((int) offset, width, value);
        }
    }

    /** Asks a device for its pin: each read is a call. */
    private record Pin(PinStatus device) implements IoHandler {
        @Override
        public long read(long offset, int width) {
            return device.pinAsserted() ? ASSERTED : -1;
        }

        @Override
        public void write(long offset, int width, long value) {
            throw new AssertionError("a pin is only asked for");
        }
    }

    /** Tells a device of its interrupts: each write is a call. */
    private record Told(InterruptSwitches device) implements IoHandler {
        @Override
        public long read(long offset, int width) {
            return -1;
        }

        @Override
        public void write(long offset, int width, long value) {
            device.interruptsChanged();
        }
    }

    /** One BAR of a device. */
    private record Bar(PciDevice device, int bar) implements IoHandler {
        @Override
        public long read(long offset, int width) {
            return device.readBar(bar, offset, width);
        }

        @Override
        public void write(long offset, int width, long value) {
            device.writeBar(bar, offset, width, value);
        }
    }

    @Override
    public long read(int bar, long offset, int width) {
        return bars[bar].read(offset, width);
    }

    @Override
    public void write(int bar, long offset, int width, long value) {
        bars[bar].write(offset, width, value);
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
    public boolean pinAsserted() {
        return pin.read(0, 0) == ASSERTED;
    }

    @Override
    public void interruptsChanged() {
        if (followed) {
            switches.write(0, 0, 0);
        }
    }

    @Override
    public void kick() {}

    @Override
    public void reset() {
        function.reset();
    }

    @Override
    public void failed() {
        unmap();
    }

    @Override
    public void unmap() {
        function.unmap();
    }

    @Override
    public Optional<PciFunction> function() {
        return Optional.of(function);
    }

    @Override
    public Optional<PciPlace> place() {
        return Optional.of(place);
    }

    @Override
    public boolean released() {
        return function.released();
    }

    @Override
    public SlotCounters counters() {
        FunctionTraffic traffic = function.traffic();
        return new SlotCounters(
                function.slot(),
                traffic.reads(),
                traffic.writes(),
                0,
                traffic.interrupts(),
                0,
                0,
                0,
                traffic.guestErrors());
    }

    @Override
    public Map<String, String> facts() {
        List<PciFunction.MappedRange> mapped = function.mapped();
        return mapped.isEmpty()
                ? Map.of()
                : Map.of(
                        "mapped",
                        mapped.stream()
                                .map(
                                        range ->
                                                "bar%d+0x%x..0x%x"
                                                        .formatted(
                                                                range.bar(),
                                                                range.offset(),
                                                                range.offset()
                                                                        + range.length()
                                                                        - 1))
                                .collect(Collectors.joining(", ")));
    }

    @Override
    public void close() {
        function.close();
        place.vacated();
    }
}
