package org.backplane.contract;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.backplane.bus.AddressRange;
import org.backplane.bus.Bus;
import org.backplane.bus.ClaimException;
import org.backplane.bus.Space;
import org.backplane.device.Device;
import org.backplane.device.context.Lease;
import org.backplane.pci.BarHandler;
import org.backplane.pci.HostBridge;
import org.backplane.pci.PciDevice;
import org.backplane.pci.PciFunction;
import org.backplane.pci.PciWires;
import org.backplane.pci.VectorTriggers;
import org.backplane.testkit.RecordingMsi;
import org.backplane.virtio.VirtioDevice;

/** Gives a device the wires of its type: those of a function on a bridge of its own. */
final class Wiring {
    private static final AddressRange PORTS = new AddressRange(0x1000, 0xf000);
    private static final AddressRange MEMORY = new AddressRange(0x4000_0000L, 0x4000_0000L);

    private Wiring() {}

    /**
     * @return whether the device drives its interrupt pin now
     */
    static BooleanSupplier wire(String slot, Device device) throws ClaimException {
        AtomicBoolean driven = new AtomicBoolean();
        if (device instanceof PciDevice pci) {
            Bus bus = new Bus();
            HostBridge.Windows windows =
                    new HostBridge.Windows(
                            bus.addWindow("ports", Space.IO, PORTS),
                            bus.addWindow("memory", Space.MMIO, MEMORY),
                            null);
            RecordingMsi messages = new RecordingMsi();
            HostBridge bridge = new HostBridge(bus, windows, messages::signal, new Pins(driven));
            PciFunction function = bridge.plug(slot, -1, pci.shape(), new Bars(pci));
            PciWires wires = function.deviceWires((event, signalled) -> new Held());
            pci.wired(wires);
            function.connect(wires);
        } else if (device instanceof VirtioDevice virtio) {
            AtomicInteger changes = new AtomicInteger();
            virtio.wired(changes::incrementAndGet);
        }
        return driven::get;
    }

    /** Notes the level; nobody ever finishes with an interrupt. */
    private record Pins(AtomicBoolean driven) implements HostBridge.PinRouter {
        @Override
        public void set(int number, int pin, boolean high) {
            driven.set(high);
        }

        @Override
        public Lease onFinished(int number, int pin, Runnable listener) {
            return () -> {};
        }
    }

    /** Eventfds are nobody's to carry here: what a device signals stays in them. */
    private static final class Held implements VectorTriggers.Trigger {
        @Override
        public void deliver(long address, int data) {}

        @Override
        public void report() {}

        @Override
        public void hold() {}

        @Override
        public void close() {}
    }

    private record Bars(PciDevice device) implements BarHandler {
        @Override
        public long read(int bar, long offset, int width) {
            return device.readBar(bar, offset, width);
        }

        @Override
        public void write(int bar, long offset, int width, long value) {
            device.writeBar(bar, offset, width, value);
        }
    }
}
