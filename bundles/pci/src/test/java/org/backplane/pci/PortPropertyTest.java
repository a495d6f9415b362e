package org.backplane.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import org.backplane.bus.AddressAllocator;
import org.backplane.bus.AddressRange;
import org.backplane.bus.ClaimException;
import org.backplane.bus.RegionLease;
import org.backplane.device.DeviceException;

/**
 * Guests that program bridges and BARs at random, switch slots off and on and reset what is behind
 * them, while cards come and go on bus 0 and behind ports, and the machine is reset and restored.
 */
class PortPropertyTest {
    private static final int STEPS = 80;

    private static final class Run {
        final Random random;
        final PortRig ports = new PortRig();
        final Rig rig = ports.rig;
        final List<RootPort> both = List.of(ports.first, ports.second);
        int plugged;

        Run(long seed) {
            random = new Random(seed);
        }

        void step() throws DeviceException, ClaimException {
            RootPort port = both.get(random.nextInt(2));
            switch (random.nextInt(20)) {
                case 0 -> plug(port);
                case 1 -> plugOnBusZero();
                case 2 -> any().ifPresent(PciFunction::close);
                case 3 -> machineReset();
                case 4 -> restore();
                case 5 -> slotControl(port);
                case 6 -> ports.write(port, Type1Header.BRIDGE_CONTROL, 2, random.nextInt(2) << 6);
                case 7 -> ports.write(port, Type0Header.COMMAND, 2, random.nextInt(8));
                case 8 -> ports.write(port, 0x18, 4, random.nextInt(0x40000) << 8);
                case 9, 10, 11 -> programWindow(port);
                default -> any().ifPresent(this::programBar);
            }
        }

        java.util.Optional<PciFunction> any() {
            List<PciFunction> functions = rig.bridge.functions();
            return functions.isEmpty()
                    ? java.util.Optional.empty()
                    : java.util.Optional.of(functions.get(random.nextInt(functions.size())));
        }

        PciShape shape() {
            return Rig.shape(
                    Rig.io(0, 4L << random.nextInt(9)),
                    Rig.memory(1, 0x1000L << random.nextInt(13)),
                    Rig.memory64(2, 0x1000L << random.nextInt(16)),
                    new PciShape.Bar(4, PciShape.BarKind.MEMORY_64, false, 0x4000));
        }

        void plug(RootPort port) throws ClaimException {
            if (port.function().isPresent()) {
                return;
            }
            PciFunction card = port.plug("card" + plugged++, shape(), new Rig.Card());
            if (random.nextBoolean()) {
                port.insert();
            } else {
                port.install();
                placeIfThereIsRoom(card);
            }
        }

        void plugOnBusZero() throws ClaimException {
            if (rig.bridge.functions().size() < 6) {
                placeIfThereIsRoom(rig.plug("slot" + plugged++, shape()));
            }
        }

        void placeIfThereIsRoom(PciFunction function) {
            try {
                function.place();
            } catch (ClaimException refused) {
                assertTrue(refused.getMessage().startsWith(function.slot()), refused::getMessage);
            }
        }

        void machineReset() {
            rig.bridge.reset();
            rig.bridge.preset();
            rig.bridge.functions().forEach(PciFunction::reset);
            both.forEach(port -> assertEquals(port.preset(), port.programmed()));
        }

        void restore() throws DeviceException {
            rig.bridge.restore(rig.bridge.save());
            for (PciFunction function : rig.bridge.functions()) {
                function.restore(function.save());
            }
        }

        void slotControl(RootPort port) {
            int control = random.nextBoolean() ? PortRig.LISTENING : PortRig.POWER_OFF;
            ports.write(port, PortRig.SLOT_CONTROL, 2, control);
            if (random.nextBoolean()) {
                port.press();
            }
        }

        void programWindow(RootPort port) {
            switch (random.nextInt(4)) {
                case 0 -> ports.write(port, 0x1c, 2, random.nextInt(0x10000));
                case 1 -> {
                    int base = 0x4000 + random.nextInt(0x3f00);
                    ports.write(port, 0x20, 4, base | (base + random.nextInt(0x400)) << 16);
                }
                case 2 -> {
                    ports.write(port, 0x24, 4, random.nextInt());
                    ports.write(port, 0x28, 4, 0x10 + random.nextInt(0x10));
                    ports.write(port, 0x2c, 4, 0x10 + random.nextInt(0x10));
                }
                default -> {
                    ports.write(port, 0x1c, 2, 0xf0 | random.nextInt(16) << 4);
                    ports.write(port, 0x20, 4, 0x7ff0_4000L);
                }
            }
        }

        void programBar(PciFunction function) {
            PciAddress at = function.address();
            int number = PortRig.number(at.bus(), at.device());
            int index = random.nextInt(6);
            long value =
                    switch (random.nextInt(5)) {
                        case 0 -> 0xffff_ffffL;
                        case 1 -> random.nextInt(0x10000);
                        case 2 -> 0x10 + random.nextInt(0x10);
                        case 3 -> PortRig.MEMORY.base() + random.nextInt(0x200_0000);
                        default -> Rig.LOW.base() + random.nextInt(0x4000_0000);
                    };
            ports.write(number, Type0Header.baseAddress(index), 4, value);
            ports.write(number, Type0Header.COMMAND, 2, random.nextInt(8));
        }

        void check() {
            List<RegionLease> regions = rig.bus.regions();
            checkClaims(regions);
            for (PciFunction function : rig.bridge.functions()) {
                RootPort port =
                        both.stream()
                                .filter(
                                        each ->
                                                each.function()
                                                        .filter(function::equals)
                                                        .isPresent())
                                .findFirst()
                                .orElse(null);
                for (PciFunction.BarState bar : function.bars()) {
                    checkBar(function, bar, port);
                }
            }
        }

        void checkBar(PciFunction function, PciFunction.BarState bar, RootPort port) {
            AddressRange named = range(bar.register(), bar.bar().size());
            boolean open =
                    named != null
                            && windows(bar.bar().kind(), port).stream()
                                    .anyMatch(window -> window.contains(named));
            if (bar.base() >= 0) {
                assertEquals(bar.register(), bar.base());
                assertTrue(open, () -> bar + " is outside of what its bus has open");
            } else if (open) {
                assertTrue(taken(function, bar, named), () -> bar + " waits for what is free");
            }
            boolean enabled =
                    (function.readConfig(Type0Header.COMMAND, 2)
                                    & (bar.bar().kind() == PciShape.BarKind.IO ? 1 : 2))
                            != 0;
            assertEquals(bar.base() >= 0 && enabled, bar.decoding());
        }

        /** Whether another BAR is placed there. */
        boolean taken(PciFunction function, PciFunction.BarState bar, AddressRange named) {
            boolean io = bar.bar().kind() == PciShape.BarKind.IO;
            for (PciFunction other : rig.bridge.functions()) {
                for (PciFunction.BarState placed : other.bars()) {
                    boolean same = other == function && placed.bar().equals(bar.bar());
                    if (!same
                            && placed.base() >= 0
                            && io == (placed.bar().kind() == PciShape.BarKind.IO)
                            && range(placed.base(), placed.bar().size()).overlaps(named)) {
                        return true;
                    }
                }
            }
            return false;
        }

        static AddressRange range(long base, long size) {
            return base < 0 || base > Long.MAX_VALUE - size ? null : new AddressRange(base, size);
        }

        /** What is open by the registers alone, reckoned without the code that is tested. */
        List<AddressRange> windows(PciShape.BarKind kind, RootPort port) {
            List<AddressRange> host =
                    switch (kind) {
                        case IO -> List.of(Rig.PORTS);
                        case MEMORY_32 -> List.of(Rig.LOW);
                        case MEMORY_64 -> List.of(Rig.LOW, Rig.HIGH);
                    };
            if (port == null) {
                return host;
            }
            long status = ports.read(port, PortRig.LINK_STATUS, 2);
            long command = ports.read(port, Type0Header.COMMAND, 2);
            boolean io = kind == PciShape.BarKind.IO;
            if ((status & 0x2000) == 0 || (command & (io ? 1 : 2)) == 0) {
                return List.of();
            }
            List<long[]> forwarded = new ArrayList<>();
            if (io) {
                long pair = ports.read(port, 0x1c, 2);
                forwarded.add(new long[] {(pair & 0xf0) << 8, ((pair >>> 8 & 0xf0) << 8) + 0x1000});
            } else {
                long pair = ports.read(port, 0x20, 4);
                forwarded.add(window(pair, 0, 0));
                long wide = ports.read(port, 0x24, 4);
                forwarded.add(
                        window(
                                wide,
                                ports.read(port, 0x28, 4) << 32,
                                ports.read(port, 0x2c, 4) << 32));
            }
            List<AddressRange> open = new ArrayList<>();
            for (long[] each : forwarded) {
                for (AddressRange window : host) {
                    long base = Math.max(each[0], window.base());
                    long end = Math.min(each[1], window.end());
                    if (base < end) {
                        open.add(new AddressRange(base, end - base));
                    }
                }
            }
            return open;
        }

        static long[] window(long pair, long baseUpper, long limitUpper) {
            return new long[] {
                baseUpper | (pair & 0xfff0) << 16,
                (limitUpper | (pair >>> 16 & 0xfff0) << 16) + 0x10_0000
            };
        }

        void checkClaims(List<RegionLease> regions) {
            for (AddressAllocator window : rig.bus.windows()) {
                List<AddressRange> all = new ArrayList<>(window.holes());
                for (RegionLease lease : regions) {
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
    void claimsAreDisjointAlignedWholeInsideOfOpenWindowsAndComeBack(@ForAll long seed)
            throws Exception {
        Run run = new Run(seed);
        for (int i = 0; i < STEPS; i++) {
            run.step();
            run.check();
        }
        run.rig.bridge.functions().forEach(PciFunction::close);
        assertTrue(run.rig.allFree());
        assertFalse(run.ports.first.state().present());
    }
}
