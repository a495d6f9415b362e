package org.backplane.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import org.backplane.bus.AddressAllocator;
import org.backplane.bus.AddressRange;
import org.backplane.bus.ClaimException;
import org.backplane.bus.RegionLease;
import org.backplane.device.DeviceException;
import org.backplane.device.context.Lease;
import org.backplane.linux.Fd;
import org.backplane.linux.LinuxException;
import org.backplane.linux.Mapping;
import org.backplane.linux.Memfd;
import org.backplane.pci.PciShape.Bar;
import org.backplane.pci.PciShape.BarKind;

/**
 * Sets of devices with BARs of every legal kind and size at every register, MSI-X anywhere, and
 * host memory behind their BARs: plugged on bus 0 and into ports, moved by a guest that writes what
 * it likes, swapped, reset, restored and unplugged. Claims are as large as the BARs, aligned and
 * disjoint; the guest finds host memory exactly in the whole pages that were declared, inside of
 * BARs that decode; and in the end everything is free.
 */
class DeviceSetPropertyTest {
    private static final int STEPS = 70;
    private static final long PAGE = Mapping.pageSize();

    /** Longest mapped area in pages, so that the model can look at each. */
    private static final int MOST_PAGES = 24;

    /** What the guest finds at a page: which descriptor, at which offset. */
    private record Page(Fd descriptor, long offset) {}

    /** What a device declares; each with the lease that ends it. */
    private static final class Declared {
        final Map<MappedAreas.Area, Lease> areas = new HashMap<>();
        final Map<MappedAreas.Trap, Lease> traps = new HashMap<>();

        Declared copy() {
            Declared copy = new Declared();
            copy.areas.putAll(areas);
            copy.traps.putAll(traps);
            return copy;
        }
    }

    /** One function and the devices that were behind it. */
    private static final class Card {
        final PciFunction function;
        PciWires wires;
        Declared declared = new Declared();
        boolean connected;

        /** What was declared last by a device that was behind the function. */
        Declared inForce = new Declared();

        Card(PciFunction function) {
            this.function = function;
        }
    }

    private static final class Run {
        final Random random;
        final PortRig ports = new PortRig();
        final Rig rig = ports.rig;
        final List<RootPort> both = List.of(ports.first, ports.second);
        final List<Card> cards = new ArrayList<>();
        final List<Fd> descriptors;
        int plugged;

        Run(long seed, List<Fd> descriptors) {
            random = new Random(seed);
            this.descriptors = descriptors;
        }

        void step() throws DeviceException, ClaimException {
            if (cards.isEmpty() || cards.size() < 6 && random.nextInt(10) == 0) {
                plug();
                return;
            }
            Card card = cards.get(random.nextInt(cards.size()));
            switch (random.nextInt(24)) {
                case 0 -> unplug(card);
                case 1 -> card.function.reset();
                case 2 -> card.function.restore(card.function.save());
                case 3 -> swap(card);
                case 4 -> leave(card);
                case 5, 6 -> declare(card);
                case 7 -> withdraw(card);
                case 8 -> programPort(both.get(random.nextInt(2)));
                case 9, 10, 11, 12 -> write(card, Type0Header.COMMAND, 2, random.nextInt(8));
                case 13, 14 -> size(card);
                case 15, 16, 17 -> place(card);
                default -> move(card);
            }
        }

        // --- What the operator does

        void plug() throws ClaimException {
            String slot = "card" + plugged++;
            PciShape shape = shape();
            int where = random.nextInt(4);
            PciFunction function;
            if (where < 2 && both.get(where).function().isEmpty()) {
                function = both.get(where).plug(slot, shape, new Rig.Card());
                both.get(where).install();
            } else {
                function = rig.bridge.plug(slot, -1, shape, new Rig.Card());
            }
            Card card = new Card(function);
            cards.add(card);
            if (random.nextInt(4) > 0) {
                List<RegionLease> before = claims();
                try {
                    function.place();
                } catch (ClaimException full) {
                    assertTrue(full.getMessage().startsWith(slot + " bar"), full::getMessage);
                    assertEquals(before, claims(), "something stays of what was refused");
                }
            }
            swap(card);
        }

        List<RegionLease> claims() {
            return List.copyOf(rig.bus.regions());
        }

        PciShape shape() {
            List<Bar> bars = new ArrayList<>();
            for (int index = 0; index < 6; index++) {
                BarKind kind = BarKind.values()[random.nextInt(3)];
                if (random.nextInt(5) == 0 || kind == BarKind.MEMORY_64 && index == 5) {
                    continue;
                }
                boolean prefetchable = kind != BarKind.IO && random.nextBoolean();
                bars.add(new Bar(index, kind, prefetchable, barSize(kind)));
                index += kind == BarKind.MEMORY_64 ? 1 : 0;
            }
            return Rig.shape(msix(bars), bars.toArray(Bar[]::new));
        }

        /** Any legal size, the most often one for which there is room. */
        long barSize(BarKind kind) {
            boolean any = random.nextInt(20) == 0;
            return switch (kind) {
                case IO -> 4L << random.nextInt(any ? 14 : 9);
                case MEMORY_32 -> 16L << random.nextInt(any ? 28 : 18);
                case MEMORY_64 -> 16L << random.nextInt(any ? 59 : 24);
            };
        }

        Optional<PciShape.Msix> msix(List<Bar> bars) {
            List<Bar> memory = bars.stream().filter(bar -> bar.kind() != BarKind.IO).toList();
            if (memory.isEmpty()) {
                return Optional.empty();
            }
            Bar table = memory.get(random.nextInt(memory.size()));
            Bar pba = memory.get(random.nextInt(memory.size()));
            try {
                PciShape.Msix msix =
                        new PciShape.Msix(
                                1 + random.nextInt(1 << 1 + random.nextInt(11)),
                                table.index(),
                                structure(table),
                                pba.index(),
                                structure(pba));
                Rig.shape(Optional.of(msix), bars.toArray(Bar[]::new));
                return Optional.of(msix);
            } catch (IllegalArgumentException doesNotFit) {
                return Optional.empty();
            }
        }

        long structure(Bar bar) {
            long limit = Math.min(bar.size(), random.nextBoolean() ? 1L << 32 : 16 * PAGE);
            return (long) (random.nextDouble() * limit) & -8;
        }

        /** The next device: with what the one before had, with other things, or with nothing. */
        void swap(Card card) {
            PciWires next = card.function.deviceWires();
            Declared fresh = new Declared();
            if (random.nextInt(3) > 0) {
                card.inForce.areas.keySet().forEach(area -> map(next, fresh, area));
                for (MappedAreas.Trap trap : card.inForce.traps.keySet()) {
                    fresh.traps.put(trap, next.trap(trap.bar(), trap.offset(), trap.length()));
                }
            }
            if (random.nextInt(3) == 0) {
                declare(card.function, next, fresh);
            }
            List<String> before = List.copyOf(rig.memory.events);
            leave(card);
            assertEquals(before, rig.memory.events, "who leaves takes something along");
            card.declared.areas.values().forEach(Lease::close);
            card.declared.traps.values().forEach(Lease::close);
            card.wires = next;
            card.declared = fresh;
            boolean same =
                    fresh.areas.keySet().equals(card.inForce.areas.keySet())
                            && fresh.traps.keySet().equals(card.inForce.traps.keySet());
            card.inForce = fresh.copy();
            card.function.connect(next);
            card.connected = true;
            if (same) {
                assertEquals(before, rig.memory.events, "a gap in what stays the same");
            }
        }

        void leave(Card card) {
            if (card.connected) {
                card.function.disconnect(card.wires);
                card.connected = false;
            }
        }

        void declare(Card card) {
            declare(card.function, card.wires, card.declared);
            follow(card);
        }

        void withdraw(Card card) {
            card.declared.areas.keySet().stream()
                    .findAny()
                    .ifPresent(area -> card.declared.areas.remove(area).close());
            if (random.nextBoolean()) {
                card.declared.traps.keySet().stream()
                        .findAny()
                        .ifPresent(trap -> card.declared.traps.remove(trap).close());
            }
            follow(card);
        }

        void follow(Card card) {
            if (card.connected) {
                card.inForce = card.declared.copy();
            }
        }

        void declare(PciFunction function, PciWires wires, Declared into) {
            List<Bar> bars = function.shape().bars();
            if (bars.isEmpty()) {
                return;
            }
            Bar bar = bars.get(random.nextInt(bars.size()));
            long pages = Math.max(1, Math.min(MOST_PAGES, bar.size() / PAGE));
            long offset = random.nextInt((int) pages) * PAGE;
            if (bar.size() > MOST_PAGES * PAGE && random.nextBoolean()) {
                offset = bar.size() - MOST_PAGES * PAGE + offset;
            }
            long length = (1 + random.nextInt((int) pages)) * PAGE;
            long fileOffset = random.nextInt(MOST_PAGES) * PAGE;
            switch (random.nextInt(6)) {
                case 0 -> length -= random.nextInt((int) PAGE);
                case 1 -> {
                    int odd = random.nextInt((int) PAGE);
                    offset += odd;
                    fileOffset += odd;
                }
                case 2 -> fileOffset += 8;
                default -> {}
            }
            if (random.nextInt(4) == 0) {
                trap(function, wires, into, new MappedAreas.Trap(bar.index(), offset, 4));
                return;
            }
            Fd descriptor = descriptors.get(random.nextInt(descriptors.size()));
            map(
                    wires,
                    into,
                    new MappedAreas.Area(bar.index(), offset, descriptor, fileOffset, length),
                    legal(function, bar.index(), offset, length)
                            && into.areas.keySet().stream()
                                    .noneMatch(overlaps(bar, offset, length)));
        }

        private static java.util.function.Predicate<MappedAreas.Area> overlaps(
                Bar bar, long offset, long length) {
            return other ->
                    other.bar() == bar.index()
                            && offset < other.offset() + other.length()
                            && other.offset() < offset + length;
        }

        private static boolean legal(PciFunction function, int index, long offset, long length) {
            Bar bar = function.shape().bar(index).orElseThrow();
            return bar.kind() != BarKind.IO && length > 0 && offset + length <= bar.size();
        }

        void map(PciWires wires, Declared into, MappedAreas.Area area) {
            map(wires, into, area, true);
        }

        void map(PciWires wires, Declared into, MappedAreas.Area area, boolean legal) {
            try {
                Lease lease =
                        wires.map(
                                area.bar(),
                                area.offset(),
                                area.descriptor(),
                                area.fileOffset(),
                                area.length());
                assertTrue(legal, area::toString);
                into.areas.put(area, lease);
            } catch (IllegalArgumentException refused) {
                assertTrue(!legal, refused::getMessage);
            }
        }

        void trap(PciFunction function, PciWires wires, Declared into, MappedAreas.Trap trap) {
            if (legal(function, trap.bar(), trap.offset(), trap.length())
                    && !into.traps.containsKey(trap)) {
                into.traps.put(trap, wires.trap(trap.bar(), trap.offset(), trap.length()));
            }
        }

        void unplug(Card card) {
            card.function.close();
            cards.remove(card);
        }

        // --- What the guest does

        void write(Card card, int register, int width, long value) {
            PciAddress at = card.function.address();
            ports.write(PortRig.number(at.bus(), at.device()), register, width, value);
        }

        long read(Card card, int register) {
            PciAddress at = card.function.address();
            return ports.read(PortRig.number(at.bus(), at.device()), register, 4);
        }

        void size(Card card) {
            int register = Type0Header.baseAddress(random.nextInt(6));
            long old = read(card, register);
            write(card, register, 4, 0xffff_ffffL);
            check();
            write(card, register, 4, old);
        }

        /** As a guest that knows what it does. */
        void place(Card card) {
            List<Bar> bars = card.function.shape().bars();
            if (bars.isEmpty()) {
                return;
            }
            Bar bar = bars.get(random.nextInt(bars.size()));
            AddressRange window =
                    switch (bar.kind()) {
                        case IO -> Rig.PORTS;
                        case MEMORY_32 -> random.nextBoolean() ? Rig.LOW : PortRig.MEMORY;
                        case MEMORY_64 -> random.nextBoolean() ? Rig.HIGH : PortRig.WIDE;
                    };
            long base = window.base() + (long) (random.nextDouble() * window.size());
            long address = base & -bar.size();
            int register = Type0Header.baseAddress(bar.index());
            write(card, register, 4, address & 0xffff_ffffL);
            if (bar.kind() == BarKind.MEMORY_64) {
                write(card, register + 4, 4, address >>> 32);
            }
        }

        void move(Card card) {
            int width = 1 << random.nextInt(3);
            List<RegionLease> taken = rig.bus.regions();
            long value =
                    taken.isEmpty() || random.nextInt(3) == 0
                            ? random.nextInt()
                            : taken.get(random.nextInt(taken.size())).range().base();
            int register = Type0Header.baseAddress(random.nextInt(6));
            write(card, register + (random.nextInt(4) & -width), width, value);
        }

        void programPort(RootPort port) {
            switch (random.nextInt(5)) {
                case 0 -> ports.write(port, Type0Header.COMMAND, 2, random.nextInt(8));
                case 1 -> ports.write(port, Type1Header.BRIDGE_CONTROL, 2, random.nextInt(2) << 6);
                case 2 -> {
                    int base = 0x4000 + random.nextInt(0x3f00);
                    ports.write(port, 0x20, 4, base | (base + random.nextInt(0x800)) << 16);
                }
                case 3 -> {
                    ports.write(port, 0x24, 4, 0xfff0_0000L);
                    ports.write(port, 0x28, 4, 0x10);
                    ports.write(port, 0x2c, 4, 0x1f);
                }
                default -> {
                    rig.bridge.reset();
                    rig.bridge.preset();
                    rig.bridge.functions().forEach(PciFunction::reset);
                }
            }
        }

        // --- What must hold

        void check() {
            checkClaims();
            Map<Long, Page> expected = new TreeMap<>();
            for (Card card : cards) {
                for (PciFunction.BarState bar : card.function.bars()) {
                    assertTrue(bar.base() < 0 || isClaimed(card, bar), () -> bar + " has no claim");
                    if (bar.decoding()) {
                        expect(card, bar, expected);
                    }
                }
            }
            assertEquals(expected, found());
            checkReports();
        }

        boolean isClaimed(Card card, PciFunction.BarState bar) {
            AddressRange whole = new AddressRange(bar.base(), bar.bar().size());
            String owner = card.function.slot() + " bar" + bar.bar().index();
            return rig.bus.regions().stream()
                    .anyMatch(
                            lease ->
                                    lease.owner().equals(owner)
                                            && lease.range().equals(whole)
                                            && lease.decoding() == bar.decoding());
        }

        /** Page by page, as the words of {@link PciWires#map} have it. */
        void expect(Card card, PciFunction.BarState bar, Map<Long, Page> into) {
            for (MappedAreas.Area area : card.inForce.areas.keySet()) {
                boolean congruent = Math.floorMod(area.fileOffset() - area.offset(), PAGE) == 0;
                if (area.bar() != bar.bar().index() || !congruent) {
                    continue;
                }
                long end = area.offset() + area.length();
                for (long at = (area.offset() + PAGE - 1) / PAGE * PAGE;
                        at + PAGE <= end;
                        at += PAGE) {
                    if (!seen(card, area.bar(), at)) {
                        long offset = area.fileOffset() + at - area.offset();
                        into.put(bar.base() + at, new Page(area.descriptor(), offset));
                    }
                }
            }
        }

        /** Whether somebody has to see accesses to a page. */
        boolean seen(Card card, int bar, long page) {
            boolean msix =
                    card.function
                            .shape()
                            .msix()
                            .filter(
                                    where ->
                                            touches(
                                                            page,
                                                            bar,
                                                            where.tableBar(),
                                                            where.tableOffset(),
                                                            16L * where.vectors())
                                                    || touches(
                                                            page,
                                                            bar,
                                                            where.pbaBar(),
                                                            where.pbaOffset(),
                                                            (where.vectors() + 63) / 64 * 8L))
                            .isPresent();
            return msix
                    || card.inForce.traps.keySet().stream()
                            .anyMatch(
                                    trap ->
                                            touches(
                                                    page,
                                                    bar,
                                                    trap.bar(),
                                                    trap.offset(),
                                                    trap.length()));
        }

        private static boolean touches(long page, int bar, int itsBar, long offset, long length) {
            return bar == itsBar && offset < page + PAGE && page < offset + length;
        }

        Map<Long, Page> found() {
            Map<Long, Page> pages = new TreeMap<>();
            for (MappedMemory.Found run : rig.memory.mapped.values()) {
                for (long at = 0; at < run.range().size(); at += PAGE) {
                    pages.put(
                            run.range().base() + at, new Page(run.descriptor(), run.offset() + at));
                }
            }
            return pages;
        }

        void checkReports() {
            long reported =
                    cards.stream()
                            .flatMap(card -> card.function.mapped().stream())
                            .mapToLong(PciFunction.MappedRange::length)
                            .sum();
            assertEquals(found().size() * PAGE, reported);
        }

        void checkClaims() {
            for (AddressAllocator window : rig.bus.windows()) {
                List<AddressRange> all = new ArrayList<>(window.holes());
                for (RegionLease lease : rig.bus.regions()) {
                    if (lease.window() == window) {
                        assertEquals(0, lease.range().base() % lease.range().size());
                        all.add(lease.range());
                    }
                }
                all.sort((a, b) -> Long.compare(a.base(), b.base()));
                long at = window.range().base();
                for (AddressRange range : all) {
                    assertEquals(at, range.base(), "disjoint, inside, nothing lost");
                    at = range.end();
                }
                assertEquals(window.range().end(), at);
            }
        }
    }

    @Property(tries = 300, shrinking = ShrinkingMode.OFF)
    void claimsAndMappingsAreWhatTheBarsSayAndAllComesBack(@ForAll long seed)
            throws DeviceException, ClaimException, LinuxException {
        try (Fd one = Memfd.create("one", PAGE);
                Fd other = Memfd.create("other", PAGE)) {
            Run run = new Run(seed, List.of(one, other));
            for (int i = 0; i < STEPS; i++) {
                run.step();
                run.check();
            }
            List.copyOf(run.cards).forEach(run::unplug);
            run.check();
            assertTrue(run.rig.allFree());
            assertTrue(run.rig.memory.mapped.isEmpty());
        }
    }
}
