package org.backplane.machine.board;

import java.util.List;
import org.backplane.bus.AddressAllocator;
import org.backplane.bus.Bus;
import org.backplane.bus.ClaimException;
import org.backplane.bus.Space;
import org.backplane.device.DeviceException;
import org.backplane.device.state.SavedState;
import org.backplane.hypervisor.ExitHandler;
import org.backplane.hypervisor.Hypervisor;
import org.backplane.hypervisor.InterruptControllers;
import org.backplane.hypervisor.VmSpec;
import org.backplane.machine.MachineException;
import org.backplane.pci.HostBridge;
import org.backplane.pci.PciAddress;

/**
 * The board of a device that is served to other processes: a host bridge and a processor that makes
 * a client's accesses. RAM and interrupt controllers are the client's.
 */
public final class ServedBoard extends AssembledBoard {
    /** Of the engine that goes with it. */
    public static final String ARCHITECTURE = "client";

    private final AddressAllocator platform;
    private final AddressAllocator platformIo;
    private final InterruptLines lines;
    private final HostBridge bridge;

    ServedBoard(String name, Bus bus, Hypervisor engine, ExitHandler exits)
            throws MachineException {
        super(
                bus,
                List.of(),
                engine,
                new VmSpec(name, 1, new InterruptControllers.Elsewhere()),
                exits);
        try {
            platform = bus.addWindow("platform", Space.MMIO, ServedMap.PLATFORM);
            platformIo = bus.addWindow("platform-io", Space.IO, ServedMap.PLATFORM_IO);
            lines =
                    new InterruptLines(
                            vm(),
                            InterruptLines.Wiring.sharedFirst(
                                    ServedMap.PIN_SOURCE, ServedMap.SOURCES));
            bridge = makeBridge();
            claim(
                    bus.addWindow("configuration", Space.MMIO, ServedMap.ECAM),
                    "ecam",
                    ServedMap.ECAM,
                    bridge.ecam());
        } catch (ClaimException e) {
            close();
            throw new MachineException(e.getMessage(), e);
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private HostBridge makeBridge() {
        return new HostBridge(
                bus(),
                new HostBridge.Windows(
                        bus().addWindow("pci-io", Space.IO, ServedMap.PCI_IO),
                        bus().addWindow("pci-mmio32", Space.MMIO, ServedMap.PCI_MMIO_32),
                        bus().addWindow("pci-mmio64", Space.MMIO, ServedMap.PCI_MMIO_64)),
                vm()::signalMsi,
                new PinInputs(lines, ServedMap.PCI_PINS, (device, pin) -> ServedMap.PIN_SOURCE));
    }

    /** Where configuration space of a function of bus 0 is. */
    public static long configuration(PciAddress function) {
        return ServedMap.ECAM.base() | (long) (function.device() << 3 | function.function()) << 12;
    }

    /**
     * Where the messages of a kind go; nothing decodes there.
     *
     * @param kind 0 to 15
     */
    public static long messages(int kind) {
        return ServedMap.MESSAGES + 4096L * kind;
    }

    /** Whether a source is where the pins of functions end. */
    public static boolean isPin(int source) {
        return source == ServedMap.PIN_SOURCE;
    }

    @Override
    public AddressAllocator platformWindow(Space space) {
        return space == Space.IO ? platformIo : platform;
    }

    @Override
    public HostBridge bridge() {
        return bridge;
    }

    @Override
    public InterruptLines lines() {
        return lines;
    }

    @Override
    public List<PlatformSlot> platformSlots(String console) {
        return List.of();
    }

    @Override
    public void load(Images images, List<PlatformDevice> devices) throws MachineException {
        throw new MachineException(
                "'%s' cannot be booted here: this machine serves a device to guests elsewhere."
                        .formatted(images.kernel()));
    }

    @Override
    public SavedState save() {
        return bridge.hostFunction().save();
    }

    @Override
    public void restore(SavedState state) throws DeviceException {
        bridge.hostFunction().restore(state);
    }
}
