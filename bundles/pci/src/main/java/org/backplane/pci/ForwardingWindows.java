package org.backplane.pci;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.backplane.bus.AddressAllocator;
import org.backplane.bus.AddressRange;
import org.backplane.bus.ClaimException;

/**
 * The base and limit registers of a bridge, and what they let through (PCI-to-PCI Bridge 1.2,
 * sections 3.2.5.6 to 3.2.5.10). The caller holds the bus's lock where registers and claims have to
 * fit together.
 */
final class ForwardingWindows {
    private final ConfigSpace config;

    ForwardingWindows(ConfigSpace config) {
        this.config = config;
    }

    static void define(ConfigSpace space) {
        space.define(Type1Header.IO_BASE, 1, 0, Type1Header.IO_ADDRESS);
        space.define(Type1Header.IO_LIMIT, 1, 0, Type1Header.IO_ADDRESS);
        space.define(Type1Header.MEMORY_BASE, 2, 0, Type1Header.MEMORY_ADDRESS);
        space.define(Type1Header.MEMORY_LIMIT, 2, 0, Type1Header.MEMORY_ADDRESS);
        for (int at : List.of(Type1Header.PREFETCHABLE_BASE, Type1Header.PREFETCHABLE_LIMIT)) {
            space.define(at, 2, Type1Header.PREFETCHABLE_64, Type1Header.MEMORY_ADDRESS);
        }
        space.define(Type1Header.PREFETCHABLE_BASE_UPPER, 4, 0, -1);
        space.define(Type1Header.PREFETCHABLE_LIMIT_UPPER, 4, 0, -1);
    }

    /** Whether a dword of the header holds one of the registers. */
    static boolean at(int dword) {
        return dword >= (Type1Header.IO_BASE & ~3)
                && dword <= (Type1Header.PREFETCHABLE_LIMIT_UPPER & ~3);
    }

    /** Firmware's work; null closes a window. */
    void program(RootPortWindows windows) {
        AddressRange io = windows.io();
        // Closed is a base above the limit.
        long base = io == null ? Type1Header.IO_GRANULE : io.base();
        long limit = io == null ? 0 : io.last();
        config.write(Type1Header.IO_BASE, 1, base >>> Type1Header.IO_SHIFT);
        config.write(Type1Header.IO_LIMIT, 1, limit >>> Type1Header.IO_SHIFT);
        programMemory(Type1Header.MEMORY_BASE, Type1Header.MEMORY_LIMIT, windows.memory());
        AddressRange wide = windows.prefetchable();
        programMemory(Type1Header.PREFETCHABLE_BASE, Type1Header.PREFETCHABLE_LIMIT, wide);
        config.write(Type1Header.PREFETCHABLE_BASE_UPPER, 4, wide == null ? 0 : wide.base() >>> 32);
        config.write(
                Type1Header.PREFETCHABLE_LIMIT_UPPER, 4, wide == null ? 0 : wide.last() >>> 32);
    }

    private void programMemory(int baseRegister, int limitRegister, AddressRange range) {
        long base = range == null ? Type1Header.MEMORY_GRANULE : range.base();
        long limit = range == null ? 0 : range.last();
        config.write(baseRegister, 2, base >>> Type1Header.MEMORY_SHIFT);
        config.write(limitRegister, 2, limit >>> Type1Header.MEMORY_SHIFT);
    }

    /** I/O addresses that are forwarded. */
    Optional<AddressRange> io() {
        if (!config.any(Type0Header.COMMAND, Type0Header.COMMAND_IO)) {
            return Optional.empty();
        }
        long base = config.read(Type1Header.IO_BASE, 1) & Type1Header.IO_ADDRESS;
        long limit = config.read(Type1Header.IO_LIMIT, 1) & Type1Header.IO_ADDRESS;
        return open(
                base << Type1Header.IO_SHIFT,
                limit << Type1Header.IO_SHIFT,
                Type1Header.IO_GRANULE);
    }

    /** Memory addresses below 4 GiB that are forwarded. */
    Optional<AddressRange> memory() {
        return memory(Type1Header.MEMORY_BASE, 0, Type1Header.MEMORY_LIMIT, 0);
    }

    Optional<AddressRange> prefetchable() {
        return memory(
                Type1Header.PREFETCHABLE_BASE,
                config.read(Type1Header.PREFETCHABLE_BASE_UPPER, 4),
                Type1Header.PREFETCHABLE_LIMIT,
                config.read(Type1Header.PREFETCHABLE_LIMIT_UPPER, 4));
    }

    private Optional<AddressRange> memory(int base, long baseUpper, int limit, long limitUpper) {
        if (!config.any(Type0Header.COMMAND, Type0Header.COMMAND_MEMORY)) {
            return Optional.empty();
        }
        long first = config.read(base, 2) & Type1Header.MEMORY_ADDRESS;
        long last = config.read(limit, 2) & Type1Header.MEMORY_ADDRESS;
        return open(
                baseUpper << 32 | first << Type1Header.MEMORY_SHIFT,
                limitUpper << 32 | last << Type1Header.MEMORY_SHIFT,
                Type1Header.MEMORY_GRANULE);
    }

    /** Addresses with bit 63 set are nowhere: no guest has that many. */
    private static Optional<AddressRange> open(long base, long lastGranule, long granule) {
        long last = lastGranule < 0 ? Long.MAX_VALUE - granule : lastGranule;
        return base >= 0 && base <= last && last <= Long.MAX_VALUE - granule
                ? Optional.of(new AddressRange(base, last - base + granule))
                : Optional.empty();
    }

    /** What BARs of a kind find open; in the prefetchable window first. */
    List<Aperture> apertures(PciShape.BarKind kind, HostBridge.Windows host) {
        return switch (kind) {
            case IO -> common(List.of(io()), host.io());
            case MEMORY_32 -> common(List.of(prefetchable(), memory()), host.mmio32());
            case MEMORY_64 ->
                    common(List.of(prefetchable(), memory()), host.mmio64(), host.mmio32());
        };
    }

    /**
     * Where firmware puts a BAR: only what is prefetchable may go where a bridge prefetches
     * (PCI-to-PCI Bridge 1.2, section 3.2.5.9).
     */
    List<Aperture> firmwareApertures(PciShape.Bar bar, HostBridge.Windows host) {
        return bar.kind() == PciShape.BarKind.IO || bar.prefetchable()
                ? apertures(bar.kind(), host)
                : common(List.of(memory()), host.mmio32());
    }

    /**
     * Whether BARs fit side by side: each a power of two, the largest first, they leave no gaps in
     * a window that is aligned to the largest.
     *
     * @throws ClaimException one does not
     */
    void requireRoom(PciFunction coming, int port, HostBridge bridge) throws ClaimException {
        long io = io().map(AddressRange::size).orElse(0L);
        long memory = memory().map(AddressRange::size).orElse(0L);
        long prefetchable = prefetchable().map(AddressRange::size).orElse(0L);
        List<PciShape.Bar> falling =
                coming.shape().bars().stream()
                        .sorted(Comparator.comparingLong(bar -> -bar.size()))
                        .toList();
        for (PciShape.Bar bar : falling) {
            if (bar.kind() == PciShape.BarKind.IO) {
                if (io < bar.size()) {
                    throw noRoom(coming, bar, port, "I/O", io, bridge);
                }
                io -= bar.size();
            } else if (wide(bar) && prefetchable >= bar.size()) {
                prefetchable -= bar.size();
            } else if (memory >= bar.size()) {
                memory -= bar.size();
            } else if (wide(bar)) {
                throw noRoom(coming, bar, port, "64-bit memory", prefetchable, bridge);
            } else {
                throw noRoom(coming, bar, port, "32-bit memory", memory, bridge);
            }
        }
    }

    private static boolean wide(PciShape.Bar bar) {
        return bar.prefetchable() && bar.kind() == PciShape.BarKind.MEMORY_64;
    }

    private static ClaimException noRoom(
            PciFunction coming,
            PciShape.Bar bar,
            int port,
            String window,
            long left,
            HostBridge bridge) {
        HostBridge.Windows host = bridge.windows();
        AddressAllocator of =
                bar.kind() == PciShape.BarKind.IO
                        ? host.io()
                        : wide(bar) && host.mmio64() != null ? host.mmio64() : host.mmio32();
        List<Long> sizes =
                coming.shape().bars().stream()
                        .filter(each -> sameWindow(each, bar))
                        .map(PciShape.Bar::size)
                        .sorted(Comparator.reverseOrder())
                        .toList();
        return bridge.noRoom(
                "%s bar%d of 0x%x bytes does not fit port %d: its %s window has 0x%x bytes left"
                        .formatted(coming.slot(), bar.index(), bar.size(), port, window, left),
                of,
                coming,
                sizes);
    }

    private static boolean sameWindow(PciShape.Bar one, PciShape.Bar other) {
        boolean ports = one.kind() == PciShape.BarKind.IO;
        return ports == (other.kind() == PciShape.BarKind.IO) && wide(one) == wide(other);
    }

    private static List<Aperture> common(
            List<Optional<AddressRange>> open, AddressAllocator... windows) {
        List<Aperture> parts = new ArrayList<>();
        for (Optional<AddressRange> range : open) {
            for (AddressAllocator window : windows) {
                if (window != null && range.isPresent()) {
                    Aperture.common(window, range.get()).ifPresent(parts::add);
                }
            }
        }
        return parts;
    }
}
