package org.backplane.pci;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.backplane.bus.AddressAllocator;
import org.backplane.bus.AddressRange;
import org.backplane.bus.Bus;
import org.backplane.bus.ClaimException;
import org.backplane.bus.IoHandler;
import org.backplane.bus.Space;

/**
 * A PCI host bridge: bus 0 behind an ECAM window (PCI Express 4.0, section 7.2.2), and the rule by
 * which the BARs on it share the bridge's windows. Thread-safe.
 *
 * <p>Placement has no lock of its own. Registers and claims change inside of {@link Bus#change}, so
 * the bus's lock serves; handlers hear of it afterwards, under no lock.
 */
public final class HostBridge {
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
     * The windows that BARs live in; a 64-bit BAR falls back to the 32-bit one.
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
    }

    private final Logger log = System.getLogger(HostBridge.class.getName());
    private final Bus bus;
    private final Windows windows;
    private final MsiSink msi;
    private final PinRouter pins;
    private final AtomicReferenceArray<PciFunction> byDevice = new AtomicReferenceArray<>(DEVICES);
    private final Ecam ecam = new Ecam();

    /** Functions of which handlers were told something, or may be; guarded by the bus's lock. */
    private final List<PciFunction> announced = new ArrayList<>();

    private final Courier announcer = new Courier(this::announce);

    public HostBridge(Bus bus, Windows windows, MsiSink msi, PinRouter pins) {
        this.bus = bus;
        this.windows = windows;
        this.msi = msi;
        this.pins = pins;
        byDevice.set(0, new PciFunction(this, "host bridge", 0, SHAPE, NO_BARS));
        for (PciShape.BarKind kind : List.of(PciShape.BarKind.IO, PciShape.BarKind.MEMORY_64)) {
            windows(kind).forEach(window -> bus.onChange(window, () -> rearrange(() -> {})));
        }
    }

    /** Answers config accesses at ECAM offsets: bus 8 bits, device 5, function 3, register 12. */
    public IoHandler ecam() {
        return ecam;
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
                PciFunction function = new PciFunction(this, slot, number, shape, handler);
                bus.change(() -> announced.add(function));
                if (byDevice.compareAndSet(number, null, function)) {
                    return function;
                }
                function.close();
            }
        }
        if (device < 0) {
            throw new ClaimException(
                    "%s cannot be plugged: all %d PCI device numbers of bus 0 are taken."
                            .formatted(slot, DEVICES - 1));
        }
        PciFunction holder = byDevice.get(device);
        throw new ClaimException(
                "%s cannot be PCI device %d: %s has that number."
                        .formatted(slot, device, holder == null ? "another" : holder.slot()));
    }

    /** What was plugged, by device number; without the bridge's own function. */
    public List<PciFunction> functions() {
        List<PciFunction> present = new ArrayList<>();
        for (int device = 1; device < DEVICES; device++) {
            PciFunction function = byDevice.get(device);
            if (function != null) {
                present.add(function);
            }
        }
        return List.copyOf(present);
    }

    /** The bridge's own function, 00:00.0. */
    public PciFunction hostFunction() {
        return byDevice.get(0);
    }

    // The rest is for the bridge's functions.

    Bus bus() {
        return bus;
    }

    MsiSink msi() {
        return msi;
    }

    void pin(int device, int pin, boolean high) {
        pins.set(device, pin, high);
    }

    void leave(PciFunction function) {
        byDevice.compareAndSet(function.device(), function, null);
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

    /**
     * Changes registers and claims in one step; then BARs that waited for the addresses given up
     * get them, then handlers hear of it.
     */
    <X extends Exception> void rearrange(Bus.Change<X> action) throws X {
        try {
            bus.change(
                    () -> {
                        action.run();
                        placeWaiting();
                    });
        } finally {
            announcer.send();
        }
    }

    /** By device number and BAR: who comes first gets what several wait for. */
    private void placeWaiting() {
        boolean progress = true;
        while (progress) {
            progress = false;
            for (PciFunction function : functions()) {
                for (BaseAddressRegister register : function.registers()) {
                    if (register.waiting()) {
                        register.settle();
                        progress |= !register.waiting();
                    }
                }
            }
        }
    }

    /** What BARs hold only in case the guest restores it is free for one that it puts there. */
    void yieldReserves(AddressAllocator window, AddressRange wanted) {
        for (PciFunction function : functions()) {
            function.registers().forEach(register -> register.yieldReserve(window, wanted));
        }
    }

    private record Announcement(PciFunction function, BaseAddressRegister register, long base) {}

    /**
     * Tells the handlers where their BARs decode, if that is news. All that is stale is withdrawn
     * before anything is announced, both from one picture of the claims: what the handlers have
     * mapped at any time is as disjoint as the claims are.
     */
    private void announce() {
        List<Announcement> news = new ArrayList<>();
        bus.change(
                () -> {
                    announced.forEach(function -> addNews(function, news));
                    announced.removeIf(PciFunction::closed);
                });
        for (Announcement each : news) {
            if (each.register().announced() != BaseAddressRegister.NOWHERE) {
                tell(each, BaseAddressRegister.NOWHERE);
            }
        }
        for (Announcement each : news) {
            if (each.base() != BaseAddressRegister.NOWHERE) {
                tell(each, each.base());
            }
        }
    }

    private static void addNews(PciFunction function, List<Announcement> news) {
        for (BaseAddressRegister register : function.registers()) {
            long base = register.decodingAt();
            if (base != register.announced()) {
                news.add(new Announcement(function, register, base));
            }
        }
    }

    private void tell(Announcement what, long base) {
        int bar = what.register().bar().index();
        what.register().announced(base);
        try {
            what.function().handler().moved(bar, base);
        } catch (RuntimeException e) {
            log.log(
                    Level.ERROR,
                    "%s failed as BAR %d moved to 0x%x"
                            .formatted(what.function().slot(), bar, base),
                    e);
        }
    }

    /** Enhanced Configuration Access Mechanism. */
    private final class Ecam implements IoHandler {
        @Override
        public long read(long offset, int width) {
            PciFunction function = at(offset);
            if (function == null) {
                return Bus.allOnes(width);
            }
            function.countRead();
            return function.readConfig(register(offset), width);
        }

        @Override
        public void write(long offset, int width, long value) {
            PciFunction function = at(offset);
            if (function != null) {
                function.countWrite();
                function.writeConfig(register(offset), width, value);
            }
        }

        /** The function, or null: bus and function number are zero, and the device is there. */
        private PciFunction at(long offset) {
            long number = offset >>> 12;
            return (number & 7) == 0 && number >>> 3 < DEVICES
                    ? byDevice.get((int) (number >>> 3))
                    : null;
        }

        private int register(long offset) {
            return (int) offset & Type0Header.EXTENDED_SIZE - 1;
        }
    }
}
