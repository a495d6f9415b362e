package org.backplane.pci;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.backplane.bus.AddressAllocator;
import org.backplane.bus.AddressRange;
import org.backplane.bus.Bus;
import org.backplane.bus.ClaimException;
import org.backplane.bus.IoHandler;
import org.backplane.bus.Space;
import org.backplane.device.context.Lease;
import org.backplane.linux.EventFd;

/** A host bridge with three windows, and the guest's side of configuration space. */
final class Rig {
    static final AddressRange PORTS = new AddressRange(0x1000, 0xf000);
    static final AddressRange LOW = new AddressRange(0x4000_0000, 0x4000_0000);
    static final AddressRange HIGH = new AddressRange(1L << 36, 1L << 36);

    /** Answers nothing. */
    static final IoHandler SILENT =
            new IoHandler() {
                @Override
                public long read(long offset, int width) {
                    return Bus.allOnes(width);
                }

                @Override
                public void write(long offset, int width, long value) {
                    throw new AssertionError("nobody writes here");
                }
            };

    final Bus bus = new Bus();
    final AddressAllocator io;
    final AddressAllocator mmio32;
    final AddressAllocator mmio64;
    final List<String> messages = Collections.synchronizedList(new ArrayList<>());
    final List<String> pins = Collections.synchronizedList(new ArrayList<>());

    /** Whether the host's kernel can carry eventfds to pins. */
    boolean routing;

    private final Map<String, List<Runnable>> finished = new HashMap<>();
    final HostBridge bridge;

    /** Of a board that cannot have larger windows. */
    WindowAdvice advice = (window, behindPort, sizes) -> "";

    /** What functions map, unless the test has a memory of its own. */
    final MappedMemory memory;

    Rig() {
        this(PORTS, LOW, HIGH);
    }

    Rig(AddressRange ports, AddressRange low, AddressRange high) {
        memory = new MappedMemory();
        io = bus.addWindow("pci-io", Space.IO, ports);
        mmio32 = bus.addWindow("pci-mmio32", Space.MMIO, low);
        mmio64 = bus.addWindow("pci-mmio64", Space.MMIO, high);
        bridge =
                new HostBridge(
                        bus,
                        new HostBridge.Windows(io, mmio32, mmio64),
                        (address, data) -> messages.add("%x=%x".formatted(address, data)),
                        new Pins(),
                        memory,
                        (window, behindPort, sizes) -> advice.remedy(window, behindPort, sizes));
    }

    /** Remembers levels, and who waits for the end of an interrupt. */
    private final class Pins implements HostBridge.PinRouter {
        @Override
        public void set(int device, int pin, boolean level) {
            pins.add(name(device, pin) + (level ? " high" : " low"));
        }

        private static String name(int device, int pin) {
            return "%d%c".formatted(device, '@' + pin);
        }

        @Override
        public Lease onFinished(int device, int pin, Runnable listener) {
            finished.computeIfAbsent(name(device, pin), any -> new ArrayList<>()).add(listener);
            return () -> finished.get(name(device, pin)).remove(listener);
        }

        @Override
        public Optional<Lease> route(int device, int pin, EventFd trigger, EventFd resample) {
            if (!routing) {
                return Optional.empty();
            }
            pins.add(name(device, pin) + " routed");
            return Optional.of(() -> pins.add(name(device, pin) + " not routed"));
        }
    }

    /** How many wait for the end of an interrupt of a pin. */
    int listeners(String pin) {
        return finished.getOrDefault(pin, List.of()).size();
    }

    /** The guest has finished with an interrupt of a pin, {@code 1A}. */
    void finish(String pin) {
        List.copyOf(finished.getOrDefault(pin, List.of())).forEach(Runnable::run);
    }

    /** Answers with the BAR's number and the offset; remembers writes and moves. */
    static final class Card implements BarHandler {
        final List<String> writes = Collections.synchronizedList(new ArrayList<>());
        final List<String> moves = Collections.synchronizedList(new ArrayList<>());

        @Override
        public long read(int bar, long offset, int width) {
            return (long) bar << 24 | offset;
        }

        @Override
        public void write(int bar, long offset, int width, long value) {
            writes.add("%d+%x/%d=%x".formatted(bar, offset, width, value));
        }

        @Override
        public void moved(int bar, long base) {
            moves.add(base < 0 ? bar + " nowhere" : "%d at %x".formatted(bar, base));
        }
    }

    static PciShape shape(PciShape.Bar... bars) {
        return shape(Optional.empty(), bars);
    }

    static PciShape shape(Optional<PciShape.Msix> msix, PciShape.Bar... bars) {
        return new PciShape(
                0x10ec, 0x8168, 6, 0x020000, 0x10ec, 0x0123, 1, List.of(bars), List.of(), msix);
    }

    /** What a card is made of besides its BARs. */
    record Parts(
            Optional<PciShape.Msi> msi,
            Optional<PciShape.Msix> msix,
            List<PciShape.Capability> capabilities,
            List<PciShape.ExtendedCapability> extended,
            List<PciShape.ConfigRange> answered) {
        static final Parts NONE =
                new Parts(Optional.empty(), Optional.empty(), List.of(), List.of(), List.of());

        Parts with(PciShape.Msi given) {
            return new Parts(Optional.of(given), msix, capabilities, extended, answered);
        }

        Parts with(PciShape.Msix given) {
            return new Parts(msi, Optional.of(given), capabilities, extended, answered);
        }

        Parts with(PciShape.Capability... given) {
            return new Parts(msi, msix, List.of(given), extended, answered);
        }

        Parts with(PciShape.ExtendedCapability... given) {
            return new Parts(msi, msix, capabilities, List.of(given), answered);
        }

        Parts with(PciShape.ConfigRange... given) {
            return new Parts(msi, msix, capabilities, extended, List.of(given));
        }

        PciShape shape(PciShape.Bar... bars) {
            return new PciShape(
                    0x10ec,
                    0x8168,
                    6,
                    0x020000,
                    0x10ec,
                    0x0123,
                    1,
                    List.of(bars),
                    capabilities,
                    msix,
                    msi,
                    extended,
                    answered);
        }
    }

    static PciShape.Bar io(int index, long size) {
        return new PciShape.Bar(index, PciShape.BarKind.IO, false, size);
    }

    static PciShape.Bar memory(int index, long size) {
        return new PciShape.Bar(index, PciShape.BarKind.MEMORY_32, false, size);
    }

    static PciShape.Bar memory64(int index, long size) {
        return new PciShape.Bar(index, PciShape.BarKind.MEMORY_64, true, size);
    }

    PciFunction plug(String slot, PciShape shape) throws ClaimException {
        return bridge.plug(slot, -1, shape, new Card());
    }

    /** Plugged, placed and decoding. */
    PciFunction running(String slot, PciShape shape) throws ClaimException {
        PciFunction function = plug(slot, shape);
        function.place();
        command(function, 0x7);
        return function;
    }

    static Card card(PciFunction function) {
        return (Card) function.handler();
    }

    private static long ecam(PciFunction function, int register) {
        return (long) function.device() << 15 | register;
    }

    long read(PciFunction function, int register, int width) {
        return bridge.ecam().read(ecam(function, register), width);
    }

    void write(PciFunction function, int register, int width, long value) {
        bridge.ecam().write(ecam(function, register), width, value);
    }

    void command(PciFunction function, int bits) {
        write(function, Type0Header.COMMAND, 2, bits);
    }

    /** Writes a BAR as Linux does: the lower half, then the upper. */
    void writeBar(PciFunction function, int index, long address) {
        write(function, Type0Header.baseAddress(index), 4, address & 0xffff_ffffL);
        boolean wide =
                function.shape().bar(index).orElseThrow().kind() == PciShape.BarKind.MEMORY_64;
        if (wide) {
            write(function, Type0Header.baseAddress(index + 1), 4, address >>> 32);
        }
    }

    static PciFunction.BarState bar(PciFunction function, int index) {
        return function.bars().stream()
                .filter(state -> state.bar().index() == index)
                .findFirst()
                .orElseThrow();
    }

    /** What the guest reads in a space; all ones where nothing answers. */
    long load(Space space, long address, int width) {
        return bus.read(space, address, width);
    }

    boolean allFree() {
        return bus.windows().stream()
                .allMatch(window -> window.holes().equals(List.of(window.range())));
    }
}
