package org.backplane.pci;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.backplane.bus.AddressAllocator;
import org.backplane.bus.AddressRange;
import org.backplane.bus.Bus;
import org.backplane.bus.ClaimException;
import org.backplane.bus.IoHandler;
import org.backplane.bus.Space;
import org.backplane.device.DeviceException;
import org.backplane.device.context.Lease;
import org.backplane.device.state.SavedState;
import org.backplane.linux.EventFd;

/**
 * A PCI host bridge: bus 0 and the buses behind its root ports, reached through an ECAM window (PCI
 * Express 4.0, section 7.2.2) and the ports of configuration mechanism 1, and the rule by which the
 * BARs of all of them share the bridge's windows. Thread-safe.
 */
public final class HostBridge {
    private static final String SCHEMA = "host-bridge";
    private static final int VERSION = 1;
    private static final String FUNCTION = "function";
    private static final String PORT = "port";
    private static final String LATCH = "config-address";

    /** Device numbers of bus 0; 0 is the bridge itself. */
    private static final int DEVICES = 32;

    /** Shown to the guest as QEMU's generic PCI Express host bridge, which guests know. */
    private static final PciShape SHAPE =
            new PciShape(
                    0x1b36,
                    0x0008,
                    0,
                    0x060000,
                    0x1af4,
                    0x1100,
                    0,
                    List.of(),
                    List.of(),
                    Optional.empty());

    /** Asked by nobody: the bridge's own function has no BAR. */
    private static final BarHandler NO_BARS =
            new BarHandler() {
                @Override
                public long read(int bar, long offset, int width) {
                    throw new AssertionError("the host bridge has no BAR " + bar);
                }

                @Override
                public void write(int bar, long offset, int width, long value) {
                    throw new AssertionError("the host bridge has no BAR " + bar);
                }
            };

    /**
     * The windows that BARs live in, on bus 0 and behind root ports; a 64-bit BAR falls back to the
     * 32-bit one.
     *
     * @param io null if the board has no I/O space
     * @param mmio32 ends at 4 GiB or below; where it ends at 4 GiB, a guest that sizes a BAR with
     *     decoding on moves it to the top and back, elsewhere it stays
     * @param mmio64 null if there is none
     */
    public record Windows(AddressAllocator io, AddressAllocator mmio32, AddressAllocator mmio64) {
        public Windows {
            require(io == null || io.space() == Space.IO, io);
            require(mmio32.space() == Space.MMIO && mmio32.range().end() <= 1L << 32, mmio32);
            require(mmio64 == null || mmio64.space() == Space.MMIO, mmio64);
        }

        private static void require(boolean held, AddressAllocator window) {
            if (!held) {
                throw new IllegalArgumentException("BARs of that kind cannot live in " + window);
            }
        }
    }

    /** Drives the wired interrupt of a device number's pin (INTA = 1); thread-safe. */
    @FunctionalInterface
    public interface PinRouter {
        void set(int device, int pin, boolean high);

        /**
         * Runs the listener each time the guest has finished with an interrupt of the line where
         * the pin ends, which others may share; on any thread.
         *
         * @return ends it
         * @throws IllegalStateException nobody tells here
         */
        default Lease onFinished(int device, int pin, Runnable listener) {
            throw new IllegalStateException("nobody tells when an interrupt is finished with");
        }

        /**
         * Has the host's kernel raise the line where the pin ends each time an eventfd is
         * signalled; when the guest has finished with the interrupt it lowers it and signals the
         * other. Others may share the line, by {@link #set} and by routes.
         *
         * @param trigger drained by the kernel; nobody else waits for it meanwhile
         * @return ends it; empty where the engine cannot, or not any more
         */
        default Optional<Lease> route(int device, int pin, EventFd trigger, EventFd resample) {
            return Optional.empty();
        }
    }

    private final Logger log = System.getLogger(HostBridge.class.getName());

    private final Bus bus;
    private final Windows windows;
    private final MsiSink msi;
    private final PinRouter pins;
    private final BarMemory memory;
    private final WindowAdvice advice;
    private final AtomicReferenceArray<ConfigTarget> byDevice = new AtomicReferenceArray<>(DEVICES);
    private final PciFunction hostFunction;
    private final PciBus root = new RootBus();

    /** By device number. */
    private final List<RootPort> ports = new CopyOnWriteArrayList<>();

    private final FunctionsByNumber byNumber = new FunctionsByNumber(this::at);
    private final ConfigWindow ecam = ConfigWindow.ecam(byNumber);
    private final ConfigWindow cam = ConfigWindow.cam(byNumber);
    private final ConfigMechanism1 mechanism1 = new ConfigMechanism1(byNumber);

    private final Arrangement arrangement;

    /** A bridge without host memory behind BARs: every access comes to the device. */
    public HostBridge(Bus bus, Windows windows, MsiSink msi, PinRouter pins) {
        this(
                bus,
                windows,
                msi,
                pins,
                (address, descriptor, offset, length) -> {
                    throw new IOException("this bridge maps no memory");
                });
    }

    /** A bridge whose windows are as large as they can be. */
    public HostBridge(Bus bus, Windows windows, MsiSink msi, PinRouter pins, BarMemory memory) {
        this(bus, windows, msi, pins, memory, (window, behindPort, sizes) -> "");
    }

    /**
     * @param memory maps what functions have of the host's memory behind their BARs
     * @param advice tells what helps where a BAR finds no room
     */
    public HostBridge(
            Bus bus,
            Windows windows,
            MsiSink msi,
            PinRouter pins,
            BarMemory memory,
            WindowAdvice advice) {
        this.bus = bus;
        this.memory = memory;
        this.advice = advice;
        arrangement = new Arrangement(bus, this::functions);
        this.windows = windows;
        this.msi = msi;
        this.pins = pins;
        hostFunction = new PciFunction(this, root, "host bridge", 0, SHAPE, NO_BARS);
        byDevice.set(0, hostFunction);
        for (PciShape.BarKind kind : List.of(PciShape.BarKind.IO, PciShape.BarKind.MEMORY_64)) {
            windows(kind).forEach(window -> bus.onChange(window, () -> rearrange(() -> {})));
        }
    }

    /** Answers config accesses at ECAM offsets: bus 8 bits, device 5, function 3, register 12. */
    public IoHandler ecam() {
        return ecam;
    }

    /**
     * Answers config accesses at offsets of the plain configuration access mechanism, which came
     * before ECAM: bus 8 bits, device 5, function 3, register 8. Extended configuration space is
     * out of its reach.
     */
    public IoHandler cam() {
        return cam;
    }

    /** Answers I/O ports 0xcf8 to 0xcff, 8 bytes (PCI 3.0, section 3.2.2.3.2). */
    public IoHandler configMechanism1() {
        return mechanism1;
    }

    /**
     * Adds a root port with an empty slot; before {@link #preset}, and before anything is plugged.
     * The windows of the bridge hold those of its ports; what firmware places on bus 0 stays
     * outside of the ports' preset ranges.
     *
     * @param device 1 to 31
     * @param slotNumber physical slot number, 1 to 255; unique
     * @param preset what firmware programs; inside of the bridge's windows
     * @throws IllegalArgumentException something has that number, or a range is in no window
     */
    public RootPort addRootPort(int device, int slotNumber, RootPortWindows preset) {
        if (device < 1 || device >= DEVICES || slotNumber < 1 || slotNumber > 255) {
            throw new IllegalArgumentException(
                    "no root port: device %d, slot %d".formatted(device, slotNumber));
        }
        requireWindow(preset.io(), windows.io());
        requireWindow(preset.memory(), windows.mmio32());
        requireWindow(preset.prefetchable(), windows.mmio64(), windows.mmio32());
        var port = new RootPort(this, device, slotNumber, preset, msi);
        if (!byDevice.compareAndSet(device, null, port)) {
            throw new IllegalArgumentException("device %d of bus 0 is taken".formatted(device));
        }
        ports.add(port);
        ports.sort(Comparator.comparingInt(RootPort::device));
        return port;
    }

    private static void requireWindow(AddressRange range, AddressAllocator... in) {
        if (range != null
                && present(in).stream().noneMatch(window -> window.range().contains(range))) {
            throw new IllegalArgumentException(
                    "a root port's window %s is outside of %s".formatted(range, present(in)));
        }
    }

    /** By device number. */
    public List<RootPort> rootPorts() {
        return List.copyOf(ports);
    }

    /**
     * Firmware's work on bridges: bus numbers, windows, forwarding, and power for slots with a
     * card. At every boot, before the guest runs. BARs that nobody has placed, of functions that
     * came while a guest ran, are placed as far as there is room.
     */
    public void preset() {
        ports.forEach(RootPort::program);
        for (PciFunction function : functions()) {
            try {
                function.place();
            } catch (ClaimException full) {
                log.log(Level.WARNING, "left to the guest: {0}", full.getMessage());
            }
        }
    }

    /**
     * A reset of the machine: the bridge, its ports and configuration mechanism 1 as they were
     * made. {@link #preset} is to follow, before or after {@link PciFunction#reset} of every
     * function.
     */
    public void reset() {
        mechanism1.latch(0);
        hostFunction.reset();
        ports.forEach(RootPort::reset);
    }

    /** Saves what the guest can see of the bridge and its ports, without what was plugged. */
    public SavedState save() {
        SavedState.Builder saved =
                SavedState.of(SCHEMA, VERSION)
                        .number(LATCH, mechanism1.latch() & 0xffff_ffffL)
                        .child(FUNCTION, hostFunction.save());
        ports.forEach(port -> saved.child(PORT + port.device(), port.save()));
        return saved.build();
    }

    /**
     * Takes over a state of a bridge with the same ports, before functions are plugged; on refusal
     * nothing changed. A state of the bridge's own function alone is taken, too: what a bridge
     * without ports was saved as before it had any.
     *
     * @throws DeviceException the state is none of this bridge
     */
    public void restore(SavedState saved) throws DeviceException {
        if (saved.schema().equals(FunctionState.SCHEMA)) {
            hostFunction.restore(saved);
            return;
        }
        saved.require(SCHEMA, VERSION);
        SavedState own = saved.child(FUNCTION);
        if (own == null) {
            throw saved.damaged("'%s' is missing", FUNCTION);
        }
        List<RootPortState> states = new ArrayList<>();
        for (RootPort port : ports) {
            SavedState state = saved.child(PORT + port.device());
            if (state == null) {
                throw saved.damaged("the root port at device %d is missing", port.device());
            }
            states.add(port.check(state));
        }
        long saver = saved.children().keySet().stream().filter(n -> n.startsWith(PORT)).count();
        if (saver != ports.size()) {
            throw saved.damaged("it has %d root ports, this bridge %d", saver, ports.size());
        }
        hostFunction.restore(own);
        mechanism1.latch(saved.number(LATCH, 0));
        for (int i = 0; i < states.size(); i++) {
            ports.get(i).restore(states.get(i));
        }
    }

    /** After a restore, when every function is back: ports go on with what was under way. */
    public void resume() {
        ports.forEach(RootPort::resume);
    }

    /**
     * Puts a function on bus 0 at the lowest free device number from 1, or at the one given. Its
     * BARs are zero until {@link PciFunction#place}, or until the guest writes them.
     *
     * @param slot the slot's name, for messages and the address map
     * @param device -1 for any
     * @throws ClaimException the number is taken, or there is none left
     */
    public PciFunction plug(String slot, int device, PciShape shape, BarHandler handler)
            throws ClaimException {
        if (device >= DEVICES || device == 0) {
            throw new ClaimException(
                    "%s cannot be PCI device %d: the numbers on bus 0 are 1 to %d."
                            .formatted(slot, device, DEVICES - 1));
        }
        int first = device < 0 ? 1 : device;
        int last = device < 0 ? DEVICES - 1 : device;
        for (int number = first; number <= last; number++) {
            if (byDevice.get(number) == null) {
                PciFunction function = make(root, slot, number, shape, handler);
                if (byDevice.compareAndSet(number, null, function)) {
                    return function;
                }
                function.close();
            }
        }
        if (device < 0) {
            throw new ClaimException(
                    "%s cannot be plugged: all %d PCI device numbers of bus 0 are taken; unplug another slot first."
                            .formatted(slot, DEVICES - 1));
        }
        throw new ClaimException(
                "%s cannot be PCI device %d: %s has that number."
                        .formatted(slot, device, holder(device)));
    }

    private String holder(int device) {
        ConfigTarget holder = byDevice.get(device);
        if (holder instanceof RootPort port) {
            return "port " + port.slotNumber();
        }
        return holder instanceof PciFunction function ? function.slot() : "another";
    }

    /** A device number of bus 0 to plug into; -1 for any. */
    public PciSocket socket(int device) {
        return (slot, shape, handler) -> plug(slot, device, shape, handler);
    }

    /**
     * What was plugged: bus 0 by device number, then what is in root ports; without the bridge's
     * own function and the ports themselves.
     */
    public List<PciFunction> functions() {
        List<PciFunction> present = new ArrayList<>();
        for (int device = 1; device < DEVICES; device++) {
            if (byDevice.get(device) instanceof PciFunction function) {
                present.add(function);
            }
        }
        ports.forEach(port -> port.function().ifPresent(present::add));
        return List.copyOf(present);
    }

    /** The bridge's own function, 00:00.0. */
    public PciFunction hostFunction() {
        return hostFunction;
    }

    // The rest is for the bridge's functions.

    Bus bus() {
        return bus;
    }

    MsiSink msi() {
        return msi;
    }

    BarMemory memory() {
        return memory;
    }

    /**
     * A refusal for want of room, with what helps.
     *
     * @param sizes of the BARs that are to be in the window besides those that others on the same
     *     bus have there
     */
    ClaimException noRoom(
            String refusal, AddressAllocator window, PciFunction wants, List<Long> sizes) {
        List<Long> all = new ArrayList<>();
        for (PciFunction other : functions()) {
            if (other != wants && other.bus() == wants.bus()) {
                other.registers().stream()
                        .filter(register -> register.isIn(window))
                        .map(register -> register.bar().size())
                        .sorted(Comparator.reverseOrder())
                        .forEach(all::add);
            }
        }
        all.addAll(sizes);
        String remedy = window == null ? "" : advice.remedy(window, wants.bus() != root, all);
        String sentence =
                refusal.endsWith(".") ? refusal.substring(0, refusal.length() - 1) : refusal;
        return new ClaimException(sentence + (remedy.isEmpty() ? "." : "; " + remedy + "."));
    }

    Windows windows() {
        return windows;
    }

    void drivePin(int device, int pin, boolean high) {
        pins.set(device, pin, high);
    }

    Lease onPinFinished(int device, int pin, Runnable listener) {
        return pins.onFinished(device, pin, listener);
    }

    Optional<Lease> routePin(int device, int pin, EventFd trigger, EventFd resample) {
        return pins.route(device, pin, trigger, resample);
    }

    /** A function of which its bus does not know yet. */
    PciFunction make(PciBus where, String slot, int device, PciShape shape, BarHandler handler) {
        var function = new PciFunction(this, where, slot, device, shape, handler);
        arrangement.add(function);
        return function;
    }

    /** The windows for a kind of BAR, the preferred one first. */
    List<AddressAllocator> windows(PciShape.BarKind kind) {
        return switch (kind) {
            case IO -> present(windows.io());
            case MEMORY_32 -> present(windows.mmio32());
            case MEMORY_64 -> present(windows.mmio64(), windows.mmio32());
        };
    }

    private static List<AddressAllocator> present(AddressAllocator... windows) {
        return Arrays.stream(windows).filter(Objects::nonNull).toList();
    }

    /** Changes registers and claims in one step; see {@link Arrangement#change}. */
    <X extends Exception> void rearrange(Bus.Change<X> action) throws X {
        arrangement.change(action);
    }

    /**
     * What BARs hold only in case the guest restores it is free for one that it puts there; and so
     * are the places of BARs that are switched off for one that decodes, if nothing else is in its
     * way: else they would be taken away and given back without end.
     */
    void makeWay(AddressAllocator window, AddressRange wanted, boolean decodes) {
        List<BaseAddressRegister> idle = new ArrayList<>();
        for (PciFunction function : functions()) {
            for (BaseAddressRegister register : function.registers()) {
                register.yieldReserve(window, wanted);
                if (decodes && register.idleIn(window, wanted)) {
                    idle.add(register);
                }
            }
        }
        if (!idle.isEmpty() && idle.size() == claimsIn(window, wanted)) {
            idle.forEach(BaseAddressRegister::giveUp);
        }
    }

    private long claimsIn(AddressAllocator window, AddressRange range) {
        return bus.regions().stream()
                .filter(claim -> claim.window() == window && claim.range().overlaps(range))
                .count();
    }

    /** Bus 0: all of the windows are open. */
    private final class RootBus implements PciBus {
        @Override
        public int number() {
            return 0;
        }

        @Override
        public boolean integrated() {
            return true;
        }

        @Override
        public List<Aperture> apertures(PciShape.BarKind kind) {
            return windows(kind).stream().map(Aperture::whole).toList();
        }

        /** Not where ports have their windows: what is there cannot be forwarded. */
        @Override
        public List<Aperture> firmwareApertures(PciShape.Bar bar) {
            List<Aperture> free = apertures(bar.kind());
            boolean io = bar.kind() == PciShape.BarKind.IO;
            for (RootPort port : ports) {
                RootPortWindows own = port.preset();
                free = io ? without(free, own.io()) : without(free, own.memory());
                free = io ? free : without(free, own.prefetchable());
            }
            return free;
        }

        private static List<Aperture> without(List<Aperture> free, AddressRange taken) {
            return taken == null
                    ? free
                    : free.stream().flatMap(part -> part.without(taken).stream()).toList();
        }

        @Override
        public boolean linked() {
            return true;
        }

        @Override
        public boolean forwardsRequests() {
            return true;
        }

        @Override
        public void pin(PciFunction function, int pin, boolean high) {
            drivePin(function.device(), pin, high);
        }

        @Override
        public Lease onPinFinished(PciFunction function, int pin, Runnable listener) {
            return HostBridge.this.onPinFinished(function.device(), pin, listener);
        }

        @Override
        public Optional<Lease> routePin(
                PciFunction function, int pin, EventFd trigger, EventFd resample) {
            return HostBridge.this.routePin(function.device(), pin, trigger, resample);
        }

        @Override
        public void left(PciFunction function) {
            byDevice.compareAndSet(function.device(), function, null);
        }

        @Override
        public String name() {
            return "bridge";
        }
    }

    /** What answers at a number of bus (8 bits), device (5) and function (3), or null. */
    private ConfigTarget at(int number) {
        int ofBus = number >>> 8;
        if (ofBus == 0) {
            return (number & 7) == 0 ? byDevice.get(number >>> 3) : null;
        }
        for (RootPort port : ports) {
            if (port.forwards(ofBus)) {
                return port.behind(number);
            }
        }
        return null;
    }
}
