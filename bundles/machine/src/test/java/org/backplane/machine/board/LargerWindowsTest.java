package org.backplane.machine.board;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import org.backplane.bus.Bus;
import org.backplane.bus.ClaimException;
import org.backplane.hypervisor.Hypervisor;
import org.backplane.hypervisor.Vcpu;
import org.backplane.hypervisor.Vm;
import org.backplane.machine.MachineException;
import org.backplane.pci.BarHandler;
import org.backplane.pci.PciFunction;
import org.backplane.pci.PciShape;
import org.backplane.pci.PciShape.Bar;
import org.backplane.pci.PciShape.BarKind;
import org.backplane.pci.RootPort;

/** A refusal for want of room names a size of window, and with that size there is room. */
class LargerWindowsTest {
    private static final long MEGABYTE = 1 << 20;
    private static final long GIGABYTE = 1 << 30;
    private static final Pattern OPTION =
            Pattern.compile(
                    "; a window of (\\d+)([MGT]) would do, start the machine with (--mmio\\d\\d) \\1\\2\\.$");

    private static final BarHandler SILENT =
            new BarHandler() {
                @Override
                public long read(int bar, long offset, int width) {
                    return -1;
                }

                @Override
                public void write(int bar, long offset, int width, long value) {
                    // Nobody stores here.
                }
            };

    private static Board board(String architecture, WindowSizes windows) throws MachineException {
        Bus bus = new Bus();
        Vcpu vcpu = played(Vcpu.class, Map.of());
        Vm vm = played(Vm.class, Map.of("vcpus", List.of(vcpu)));
        Hypervisor engine =
                played(
                        Hypervisor.class,
                        Map.of(
                                "architecture",
                                architecture,
                                "physicalAddressBits",
                                40,
                                "create",
                                vm));
        return Boards.of(
                "test",
                64 * MEGABYTE,
                windows,
                1,
                bus,
                engine,
                new BusExits(bus, 1, event -> {}, octet -> {}));
    }

    private static <T> T played(Class<T> type, Map<String, Object> answers) {
        return type.cast(
                Proxy.newProxyInstance(
                        LargerWindowsTest.class.getClassLoader(),
                        new Class<?>[] {type},
                        (proxy, method, arguments) -> answers.get(method.getName())));
    }

    private static PciShape shape(List<Bar> bars) {
        return new PciShape(0x10de, 1, 0, 0x030200, 0, 0, 0, bars, List.of(), Optional.empty());
    }

    private static PciShape shape(BarKind kind, long... sizes) {
        List<Bar> bars = new ArrayList<>();
        int index = 0;
        for (long size : sizes) {
            bars.add(new Bar(index, kind, kind == BarKind.MEMORY_64, size));
            index += kind == BarKind.MEMORY_64 ? 2 : 1;
        }
        return shape(bars);
    }

    /** As a machine is started: one after the other, or the first refusal. */
    private static Optional<String> plug(Board board, List<PciShape> shapes) {
        for (int i = 0; i < shapes.size(); i++) {
            List<String> before = regions(board);
            try {
                PciFunction card = board.bridge().plug("card" + i, -1, shapes.get(i), SILENT);
                try {
                    card.place();
                } catch (ClaimException full) {
                    String stays = "something of a card that was refused stays claimed";
                    assertEquals(before, regions(board), stays);
                    card.close();
                    assertEquals(before, regions(board), stays);
                    assertTrue(full.getMessage().startsWith("card%d bar".formatted(i)));
                    return Optional.of(full.getMessage());
                }
            } catch (ClaimException none) {
                throw new AssertionError(none);
            }
        }
        return Optional.empty();
    }

    private static List<String> regions(Board board) {
        return board.bus().regions().stream().map(Object::toString).toList();
    }

    /** The sizes with the one that a refusal advises; empty if none would do. */
    private static Optional<WindowSizes> advised(String refusal, WindowSizes sizes) {
        Matcher advice = OPTION.matcher(refusal);
        if (!advice.find()) {
            assertTrue(refusal.contains("can give this board's window would do"), refusal);
            return Optional.empty();
        }
        long size = Long.parseLong(advice.group(1)) << 20 + 10 * "MGT".indexOf(advice.group(2));
        return Optional.of(
                advice.group(3).equals("--mmio32")
                        ? new WindowSizes(size, sizes.mmio64())
                        : new WindowSizes(sizes.mmio32(), size));
    }

    private static String refusal(String architecture, PciShape... shapes) throws MachineException {
        try (Board board = board(architecture, WindowSizes.OWN)) {
            return plug(board, List.of(shapes)).orElseThrow();
        }
    }

    @Example
    void namesSlotBarSizeWindowRestSizeThatWouldDoAndOption() throws MachineException {
        assertEquals(
                "card1 bar0 cannot have 0x40000000 bytes aligned to 0x40000000 in window 'pci-mmio32' (0x40000000-0x7fffffff): largest hole 0x3ffff000 bytes, 0x3ffff000 free in all; a window of 2G would do, start the machine with --mmio32 2G.",
                refusal(
                        "riscv64",
                        shape(BarKind.MEMORY_32, 4096),
                        shape(BarKind.MEMORY_32, GIGABYTE)));
        assertTrue(
                refusal("x86_64", shape(BarKind.MEMORY_32, GIGABYTE))
                        .endsWith("start the machine with --mmio32 1984M."));
        assertTrue(
                refusal("x86_64", shape(BarKind.MEMORY_64, 512 * GIGABYTE))
                        .endsWith(
                                "no size that --mmio64 can give this board's window would do, leave out devices."));
    }

    @Property(tries = 60, shrinking = ShrinkingMode.OFF)
    void withTheSizeAdvisedThereIsRoom(@ForAll long seed) throws MachineException {
        Random random = new Random(seed);
        String architecture = random.nextBoolean() ? "riscv64" : "x86_64";
        List<PciShape> shapes = new ArrayList<>();
        for (int i = 0; i < 1 + random.nextInt(6); i++) {
            List<Bar> bars = new ArrayList<>();
            for (int index = 0; index < 6; index++) {
                boolean wide = index < 5 && random.nextBoolean();
                long size = wide ? 1L << 12 + random.nextInt(30) : 1L << 12 + random.nextInt(19);
                BarKind kind = wide ? BarKind.MEMORY_64 : BarKind.MEMORY_32;
                bars.add(new Bar(index, kind, wide, size));
                index += wide ? 1 : 0;
            }
            shapes.add(shape(bars));
        }
        WindowSizes sizes = WindowSizes.OWN;
        // Each advice is for the devices up to the one refused.
        int last = -1;
        for (int round = 0; round < 2 * shapes.size() + 2; round++) {
            Optional<String> refusal;
            try (Board board = board(architecture, sizes)) {
                refusal = plug(board, shapes);
            }
            if (refusal.isEmpty()) {
                return;
            }
            int refused = refusal.get().charAt("card".length()) - '0';
            assertTrue(refused >= last, refusal::get);
            last = refused;
            Optional<WindowSizes> next = advised(refusal.get(), sizes);
            if (next.isEmpty()) {
                return;
            }
            sizes = next.get();
        }
        throw new AssertionError("the advice leads nowhere: " + sizes);
    }

    @Example
    void whatComesIntoAPortIsToldTheWindowToo() throws Exception {
        PciShape wide = shape(BarKind.MEMORY_64, 128 * GIGABYTE);
        PciShape narrow = shape(BarKind.MEMORY_32, 64 * MEGABYTE);
        assertEquals(
                "card bar0 of 0x4000000 bytes does not fit port 1: its 32-bit memory window has 0x2000000 bytes left; a window of 1G would do, start the machine with --mmio32 1G.",
                intoPort(narrow, WindowSizes.OWN).orElseThrow());
        assertEquals(Optional.empty(), intoPort(narrow, new WindowSizes(GIGABYTE, 0)));
        assertTrue(
                intoPort(wide, WindowSizes.OWN)
                        .orElseThrow()
                        .endsWith(
                                "no size that --mmio64 can give this board's window would do, leave out devices."));
    }

    private static Optional<String> intoPort(PciShape shape, WindowSizes sizes) throws Exception {
        try (Board board = board("x86_64", sizes)) {
            RootPort port =
                    board.bridge().rootPorts().stream()
                            .min(Comparator.comparing(RootPort::slotNumber))
                            .orElseThrow();
            try (PciFunction card = port.plug("card", shape, SILENT)) {
                port.requireRoom(card);
                return Optional.empty();
            } catch (ClaimException full) {
                return Optional.of(full.getMessage());
            }
        }
    }
}
