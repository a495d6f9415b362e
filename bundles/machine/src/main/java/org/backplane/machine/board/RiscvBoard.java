package org.backplane.machine.board;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.backplane.bus.AddressAllocator;
import org.backplane.bus.AddressRange;
import org.backplane.bus.Bus;
import org.backplane.bus.ClaimException;
import org.backplane.bus.IoHandler;
import org.backplane.bus.Space;
import org.backplane.device.DeviceException;
import org.backplane.device.state.SavedState;
import org.backplane.hypervisor.ExitHandler;
import org.backplane.hypervisor.Hypervisor;
import org.backplane.hypervisor.InterruptControllers;
import org.backplane.hypervisor.VmSpec;
import org.backplane.machine.MachineException;
import org.backplane.machine.boot.ImageFile;
import org.backplane.machine.boot.RandomSeed;
import org.backplane.memory.Access;
import org.backplane.memory.GuestMemory;
import org.backplane.memory.OffHeap;
import org.backplane.pci.HostBridge;

/**
 * The RISC-V board: memory map, interrupt wiring, PCI host bridge, and firmware's work at a boot.
 */
public final class RiscvBoard extends AssembledBoard {
    private static final long PAGE = 4096;
    private static final long MEGABYTE = 1 << 20;

    /** Room for the device tree at the end of RAM. */
    private static final long DEVICE_TREE_SIZE = 2 * MEGABYTE;

    private static final int RANDOM_SEED_SIZE = 64;

    /** The only one that it boots. */
    private static final String FORMAT = "riscv";

    private final AddressAllocator platform;
    private final AddressAllocator platformIo;
    private final RiscvMap map;
    private final AddressRange ram;
    private final InterruptLines lines;
    private final HostBridge bridge;

    /**
     * @param ramSize in bytes
     * @throws MachineException sizes do not fit the board, or the host does not give what it needs
     */
    public RiscvBoard(
            String name,
            long ramSize,
            WindowSizes windows,
            int harts,
            Bus bus,
            Hypervisor engine,
            ExitHandler exits)
            throws MachineException {
        this(name, RiscvMap.of(ramSize, windows), harts, bus, engine, exits);
    }

    RiscvBoard(String name, RiscvMap map, int harts, Bus bus, Hypervisor engine, ExitHandler exits)
            throws MachineException {
        super(
                bus,
                List.of(new GuestMemory.RamBank(map.ram().base(), map.ram().size())),
                engine,
                new VmSpec(
                        name,
                        harts,
                        new InterruptControllers.RiscvAia(
                                RiscvMap.IMSIC.base(),
                                RiscvMap.IDENTITIES,
                                RiscvMap.APLIC.base(),
                                RiscvMap.APLIC.size(),
                                RiscvMap.SOURCES,
                                RiscvMap.TIMEBASE_FREQUENCY)),
                exits);
        this.map = map;
        ram = map.ram();
        try {
            platform = bus.addWindow("platform", Space.MMIO, RiscvMap.PLATFORM);
            platformIo = bus.addWindow("platform-io", Space.IO, RiscvMap.PLATFORM_IO);
            lines =
                    new InterruptLines(
                            vm(),
                            InterruptLines.Wiring.sharedFirst(RiscvMap.PCI_PINS, RiscvMap.SOURCES));
            bridge = makeBridge();
            claimForEngine(platform, "aplic", RiscvMap.APLIC);
            claimForEngine(platform, "imsic", RiscvMap.IMSIC);
            claim(platform, "io aperture", RiscvMap.IO_APERTURE, new IoAperture(bus));
            claimConfig();
        } catch (ClaimException e) {
            close();
            throw new MachineException(e.getMessage(), e);
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private void claimConfig() throws ClaimException {
        AddressRange config = map.config();
        if (config.equals(RiscvMap.CAM)) {
            claim(bus().addWindow("pci-cam", Space.MMIO, config), "cam", config, bridge.cam());
        } else {
            claim(platform, "ecam", config, bridge.ecam());
        }
    }

    private HostBridge makeBridge() throws ClaimException {
        AddressAllocator ports = bus().addWindow("pci-io", Space.IO, map.io());
        if (map.config().equals(RiscvMap.CAM)) {
            claim(ports, "no port", RiscvMap.CAM_NO_PORT, new NothingThere());
        }
        return new HostBridge(
                bus(),
                new HostBridge.Windows(
                        ports,
                        bus().addWindow(MMIO_32, Space.MMIO, map.mmio32()),
                        map.mmio64() == null
                                ? null
                                : bus().addWindow(MMIO_64, Space.MMIO, map.mmio64())),
                vm()::signalMsi,
                new PinInputs(lines, RiscvMap.PCI_PINS, RiscvMap::pinSource),
                barMemory(),
                map.mmio64() == null ? new LargerWindows() : largerWindows());
    }

    private LargerWindows largerWindows() {
        return new LargerWindows(
                new LargerWindows.Adjustable(
                        MMIO_32,
                        WindowSizes.MMIO_32,
                        // A BAR of 2 GiB lies on a multiple of that: in the window's end.
                        Stream.concat(
                                        LargerWindows.Adjustable.doubling(
                                                RiscvMap.LEAST_MMIO, 2048 * MEGABYTE),
                                        Stream.of(RiscvMap.MOST_MMIO_32))
                                .toList(),
                        (size, port) -> with(new WindowSizes(size, map.mmio64().size())).mmio32()),
                new LargerWindows.Adjustable(
                        MMIO_64,
                        WindowSizes.MMIO_64,
                        LargerWindows.Adjustable.doubling(
                                        RiscvMap.LEAST_MMIO, RiscvMap.MOST_MMIO_64)
                                .toList(),
                        (size, port) -> with(new WindowSizes(map.mmio32().size(), size)).mmio64()));
    }

    private RiscvMap with(WindowSizes windows) throws MachineException {
        return RiscvMap.of(ram.size(), windows);
    }

    @Override
    public List<PlatformSlot> platformSlots(String console) {
        return List.of(
                new PlatformSlot(
                        "uart0", "ns16550a", Map.of("base", "0x10000000", "console", console)),
                new PlatformSlot("rtc0", "goldfish-rtc", Map.of("base", "0x101000")),
                new PlatformSlot("power0", "power", Map.of("base", "0x100000")));
    }

    @Override
    public void load(Images images, List<PlatformDevice> devices) throws MachineException {
        if (!images.format().isEmpty() && !images.format().equals(FORMAT)) {
            throw new MachineException(
                    "A RISC-V machine boots no kernel of the format '%s': leave out --format, or choose the engine of its architecture."
                            .formatted(images.format()));
        }
        RiscvImage kernel = RiscvImage.read(images.kernel());
        long kernelBase = ram.base() + kernel.textOffset();
        long treeBase = (ram.end() - DEVICE_TREE_SIZE) & -PAGE;
        AddressRange initrd = null;
        long needed = kernel.textOffset() + kernel.size() + DEVICE_TREE_SIZE;
        try {
            if (images.initrd().isPresent()) {
                long size = Files.size(images.initrd().get());
                if (size > 0) {
                    needed += size + PAGE;
                    initrd =
                            needed <= ram.size()
                                    ? new AddressRange((treeBase - size) & -PAGE, size)
                                    : null;
                }
            }
            if (needed > ram.size()) {
                throw new MachineException(
                        "The memory of %d MiB is too small for the kernel and initrd: they need at least %d MiB with --memory."
                                .formatted(ram.size() / MEGABYTE, needed / MEGABYTE + 1));
            }
            copy("kernel", images.kernel(), kernelBase, kernel.fileSize());
            if (initrd != null) {
                copy("initrd", images.initrd().get(), initrd.base(), initrd.size());
            }
        } catch (IOException e) {
            throw new MachineException(
                    "The kernel or initrd cannot be read: %s.".formatted(e.getMessage()), e);
        }
        byte[] seed = RandomSeed.take(RANDOM_SEED_SIZE);
        byte[] tree =
                RiscvDeviceTree.build(
                        vm().vcpus().size(),
                        map,
                        new RiscvDeviceTree.Chosen(images.commandLine(), initrd, seed),
                        devices);
        if (tree.length > DEVICE_TREE_SIZE) {
            throw new MachineException(
                    "The device tree of %d bytes is larger than the %d reserved for it."
                            .formatted(tree.length, DEVICE_TREE_SIZE));
        }
        OffHeap.copy(tree, 0, writable(treeBase, tree.length), tree.length);
        vm().vcpus().get(0).enterAt(kernelBase, 0, treeBase);
    }

    private void copy(String what, Path path, long guestAddress, long length)
            throws MachineException {
        try (ImageFile file = ImageFile.open(what, path)) {
            file.copy("content", 0, length, writable(guestAddress, length));
        }
    }

    private long writable(long guestAddress, long length) {
        long address = memory().layout().translate(guestAddress, length, Access.WRITE);
        if (address == 0) {
            throw new IllegalArgumentException(
                    "no RAM of 0x%x bytes at 0x%x".formatted(length, guestAddress));
        }
        return address;
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
    public SavedState save() {
        return bridge.hostFunction().save();
    }

    @Override
    public void restore(SavedState state) throws DeviceException {
        bridge.hostFunction().restore(state);
    }

    /** I/O space as memory, for a processor without port instructions. */
    private record IoAperture(Bus bus) implements IoHandler {
        @Override
        public long read(long offset, int width) {
            return bus.read(Space.IO, offset, width);
        }

        @Override
        public void write(long offset, int width, long value) {
            bus.write(Space.IO, offset, width, value);
        }
    }
}
