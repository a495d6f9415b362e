package org.backplane.machine.board;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.backplane.bus.AddressAllocator;
import org.backplane.bus.AddressRange;
import org.backplane.bus.Bus;
import org.backplane.bus.ClaimException;
import org.backplane.bus.Space;
import org.backplane.device.DeviceException;
import org.backplane.device.state.SavedState;
import org.backplane.hypervisor.ExitHandler;
import org.backplane.hypervisor.Hypervisor;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.InterruptControllers;
import org.backplane.hypervisor.VmSpec;
import org.backplane.machine.MachineException;
import org.backplane.machine.acpi.AcpiTables;
import org.backplane.machine.boot.Boot;
import org.backplane.machine.boot.GuestRam;
import org.backplane.machine.boot.ImageFile;
import org.backplane.machine.boot.X86Kernel;
import org.backplane.memory.Access;
import org.backplane.memory.OffHeap;
import org.backplane.pci.HostBridge;

/**
 * The x86-64 board, a PC without what nobody asks for: RAM around the 32-bit windows, a PCI Express
 * host bridge behind ports 0xCF8 and ECAM, interrupt controllers and timer in the engine, and the
 * work of firmware.
 */
final class X86Board extends AssembledBoard {
    /** ISA's interrupts that devices may have by number. */
    private static final Set<Integer> NAMED = Set.of(1, 3, 4, 5, 6, 7, 8, X86Map.SCI, 10, 11, 12);

    /** Those of them that nothing on a PC is known to have. */
    private static final Set<Integer> FREE = Set.of(5, 7, 10, 11);

    private static final Logger LOG = System.getLogger(X86Board.class.getName());

    /**
     * Saved state: schema {@code x86-board}, version 1; {@code addressBits}, the width of
     * guest-physical addresses, which the windows follow, and the child {@code bridge}.
     */
    private static final String SCHEMA = "x86-board";

    private static final int VERSION = 1;
    private static final String ADDRESS_BITS = "addressBits";
    private static final String BRIDGE = "bridge";

    private final X86Map map;
    private final AddressAllocator platform;
    private final AddressAllocator platformIo;
    private final InterruptLines lines;
    private final HostBridge bridge;

    static X86Board of(
            String name,
            long ramSize,
            WindowSizes windows,
            int cpus,
            Bus bus,
            Hypervisor engine,
            ExitHandler exits)
            throws MachineException {
        try {
            X86Map map = X86Map.of(ramSize, engine.physicalAddressBits(), windows);
            return new X86Board(name, map, cpus, bus, engine, exits);
        } catch (HypervisorException e) {
            throw new MachineException(e.getMessage(), e);
        }
    }

    private X86Board(
            String name, X86Map map, int cpus, Bus bus, Hypervisor engine, ExitHandler exits)
            throws MachineException {
        super(
                bus,
                map.banks(),
                engine,
                new VmSpec(
                        name,
                        cpus,
                        new InterruptControllers.X86(
                                X86Map.IO_APIC.base(),
                                X86Map.LOCAL_APIC.base(),
                                X86Map.ENGINE.base())),
                exits);
        this.map = map;
        try {
            platform = bus.addWindow("platform", Space.MMIO, X86Map.PLATFORM);
            platformIo = bus.addWindow("platform-io", Space.IO, X86Map.PLATFORM_IO);
            AddressAllocator ecam = bus.addWindow("ecam", Space.MMIO, map.ecam());
            lines =
                    new InterruptLines(
                            vm(),
                            new InterruptLines.Wiring(
                                    X86Map.SOURCES, pinSources(), NAMED, new TreeSet<>(FREE)));
            bridge = makeBridge();
            for (int port = 0; port < X86Map.PORTS; port++) {
                bridge.addRootPort(X86Map.portDevice(port), port + 1, map.port(port));
            }
            bridge.preset();
            claim(ecam, "ecam", map.ecam(), bridge.ecam());
            claim(
                    platformIo,
                    "pci config",
                    X86Map.CONFIG_MECHANISM_1,
                    new ResetControl(
                            bridge.configMechanism1(),
                            () -> exits.systemEvent(0, ExitHandler.SystemEvent.REBOOT)));
            claimForEngine(platform, "ioapic", X86Map.IO_APIC);
            claimForEngine(platform, "local apics", X86Map.LOCAL_APIC);
            claimForEngine(platform, "engine", X86Map.ENGINE);
            claimForEngine(platformIo, "pic", X86Map.PIC_MASTER);
            claimForEngine(platformIo, "pic", X86Map.PIC_SLAVE);
            claimForEngine(platformIo, "pic", X86Map.PIC_LEVELS);
            claimForEngine(platformIo, "timer", X86Map.TIMER);
            claimForEngine(platformIo, "timer", X86Map.TIMER_GATE);
        } catch (ClaimException e) {
            close();
            throw new MachineException(e.getMessage(), e);
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private static Set<Integer> pinSources() {
        return IntStream.range(0, X86Map.PIN_SOURCES)
                .mapToObj(each -> X86Map.FIRST_PIN_SOURCE + each)
                .collect(Collectors.toUnmodifiableSet());
    }

    private HostBridge makeBridge() {
        return new HostBridge(
                bus(),
                new HostBridge.Windows(
                        bus().addWindow("pci-io", Space.IO, X86Map.PCI_IO),
                        bus().addWindow(MMIO_32, Space.MMIO, map.mmio32()),
                        bus().addWindow(MMIO_64, Space.MMIO, map.window64())),
                vm()::signalMsi,
                new PinInputs(lines, X86Map.PCI_PINS, X86Map::pinSource),
                barMemory(),
                new LargerWindows(
                        new LargerWindows.Adjustable(
                                MMIO_32,
                                WindowSizes.MMIO_32,
                                LongStream.iterate(
                                                X86Map.LEAST_MMIO_32,
                                                size -> size <= X86Map.MOST_MMIO_32,
                                                size -> size + X86Map.LEAST_MMIO_32)
                                        .boxed()
                                        .toList(),
                                this::room32),
                        new LargerWindows.Adjustable(
                                MMIO_64,
                                WindowSizes.MMIO_64,
                                LargerWindows.Adjustable.doubling(
                                                X86Map.LEAST_MMIO_64, 1L << map.addressBits())
                                        .toList(),
                                this::room64)));
    }

    private AddressRange room32(long size, boolean behindPort) throws MachineException {
        X86Map larger = X86Map.of(map.ram(), map.addressBits(), new WindowSizes(size, 0));
        return behindPort ? larger.port(0).memory() : larger.rootMmio32();
    }

    private AddressRange room64(long size, boolean behindPort) throws MachineException {
        WindowSizes sizes = new WindowSizes(map.mmio32().size(), size);
        X86Map larger = X86Map.of(map.ram(), map.addressBits(), sizes);
        return behindPort ? larger.port(0).prefetchable() : larger.rootMmio64();
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
        return List.of(
                new PlatformSlot(
                        "uart0",
                        "ns16550a",
                        Map.of("space", "io", "base", "0x3f8", "irq", "4", "console", console)),
                new PlatformSlot("rtc0", "cmos-rtc", Map.of("irq", "8")),
                new PlatformSlot("keyboard0", "i8042", Map.of("irq", "1", "aux-irq", "12")),
                new PlatformSlot(
                        "power0",
                        "acpi-pm",
                        Map.of("base", "0x600", "irq", Integer.toString(X86Map.SCI))),
                new PlatformSlot("exit0", "debug-exit", Map.of()));
    }

    @Override
    public void load(Images images, List<PlatformDevice> devices) throws MachineException {
        GuestRam ram = new GuestRam(memory(), X86Map.LOW_MEMORY, map.highMemory(), map.noRam());
        ram.reserve("real-mode vectors", X86Map.VECTORS);
        ram.reserve("firmware's memory", X86Map.FIRMWARE);
        try (ImageFile kernel = ImageFile.open("kernel", images.kernel())) {
            X86Kernel kind = kind(kernel, images.format());
            long rsdp = putTables(devices);
            Boot boot = new Boot(images.initrd(), images.commandLine(), ram, map.memoryMap(), rsdp);
            vm().vcpus().get(0).enter(kind.load(kernel, boot));
        }
    }

    private static X86Kernel kind(ImageFile kernel, String format) throws MachineException {
        Optional<KernelFormat> named = KernelFormat.named(format);
        if (named.isEmpty()) {
            return X86Kernel.recognised(kernel);
        }
        return switch (named.get()) {
            case LINUX -> X86Kernel.LINUX;
            case PVH -> X86Kernel.PVH;
            case MULTIBOOT -> X86Kernel.MULTIBOOT;
            case FLAT -> X86Kernel.FLAT;
            case RISCV ->
                    throw new MachineException(
                            "An x86-64 machine boots no kernel of the format '%s': leave out --format, or choose the engine of its architecture."
                                    .formatted(format));
        };
    }

    /** Returns the root pointer's address, or 0. */
    private long putTables(List<PlatformDevice> devices) {
        Optional<AcpiTables> tables =
                X86Firmware.tables(map, vm().vcpus().size(), bridge.rootPorts(), devices);
        if (tables.isEmpty()) {
            LOG.log(
                    Level.WARNING,
                    "There is no ACPI: no slot has a device that is compatible with '"
                            + X86Firmware.FIXED_HARDWARE
                            + "'.");
            return 0;
        }
        byte[] bytes = tables.get().bytes();
        long host = memory().layout().translate(X86Map.ACPI.base(), bytes.length, Access.WRITE);
        OffHeap.copy(bytes, 0, host, bytes.length);
        return tables.get().rootPointer();
    }

    @Override
    public SavedState save() {
        return SavedState.of(SCHEMA, VERSION)
                .number(ADDRESS_BITS, map.addressBits())
                .child(BRIDGE, bridge.save())
                .build();
    }

    @Override
    public void restore(SavedState state) throws DeviceException {
        state.require(SCHEMA, VERSION);
        long bits = state.number(ADDRESS_BITS, 0);
        if (bits != map.addressBits()) {
            // The windows lie elsewhere, and the guest knows where they were.
            throw new DeviceException(
                    "It is of a host whose processors address %d bits, and those here address %d: restore it on a host like that."
                            .formatted(bits, map.addressBits()));
        }
        SavedState saved = state.child(BRIDGE);
        if (saved == null) {
            throw state.damaged("'%s' is missing", BRIDGE);
        }
        bridge.restore(saved);
    }
}
