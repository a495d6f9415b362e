package org.backplane.machine;

import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.backplane.bus.AddressAllocator;
import org.backplane.bus.AddressRange;
import org.backplane.bus.Bus;
import org.backplane.bus.RegionLease;
import org.backplane.bus.Space;
import org.backplane.machine.board.Board;
import org.backplane.pci.PciFunction;
import org.backplane.pci.PciShape;
import org.backplane.pci.RootPort;
import org.backplane.pci.RootPortWindows;

/** Pictures of a board for those who manage it. */
final class Views {
    private static final int COMMAND = 0x04;
    private static final int STATUS = 0x06;
    private static final int CLASS_CODE = 0x09;

    private final Board board;

    Views(Board board) {
        this.board = board;
    }

    AddressMap map() {
        Bus bus = board.bus();
        List<RegionLease> regions = bus.regions();
        return new AddressMap(
                board.memory().layout().ranges().stream()
                        .map(
                                range ->
                                        new AddressMap.Memory(
                                                range.kind().name(),
                                                new AddressRange(
                                                        range.guestAddress(), range.length())))
                        .toList(),
                bus.windows().stream().map(window -> window(window, regions)).toList(),
                board.bridge().rootPorts().stream().flatMap(Views::windows).toList());
    }

    private static Stream<AddressMap.PortWindow> windows(RootPort port) {
        RootPortWindows now = port.programmed();
        int number = port.slotNumber();
        return Stream.of(
                        now.io() == null
                                ? null
                                : new AddressMap.PortWindow(number, Space.IO, "io", now.io()),
                        now.memory() == null
                                ? null
                                : new AddressMap.PortWindow(
                                        number, Space.MMIO, "mem32", now.memory()),
                        now.prefetchable() == null
                                ? null
                                : new AddressMap.PortWindow(
                                        number, Space.MMIO, "pref", now.prefetchable()))
                .filter(Objects::nonNull);
    }

    private AddressMap.Window window(AddressAllocator window, List<RegionLease> regions) {
        return new AddressMap.Window(
                window.name(),
                window.space(),
                window.range(),
                regions.stream()
                        .filter(region -> region.window() == window)
                        .map(region -> AddressMap.Region.of(region, board.answeredByEngine(region)))
                        .toList(),
                window.holes());
    }

    List<FunctionReport> functions() {
        return Stream.concat(
                        board.bridge().rootPorts().stream().map(Views::report),
                        board.bridge().functions().stream().map(Views::report))
                .sorted(Comparator.comparing(FunctionReport::address))
                .toList();
    }

    private static FunctionReport report(RootPort port) {
        RootPortWindows now = port.programmed();
        RootPort.SlotState state = port.state();
        return new FunctionReport(
                port.address().toString(),
                "",
                (int) port.readConfig(0, 2),
                (int) port.readConfig(2, 2),
                (int) port.readConfig(CLASS_CODE - 1, 4) >>> 8,
                0,
                (int) port.readConfig(COMMAND, 2),
                (int) port.readConfig(STATUS, 2),
                0,
                false,
                List.of(),
                new FunctionReport.Port(
                        port.slotNumber(),
                        now.secondary(),
                        now.subordinate(),
                        now.io(),
                        now.memory(),
                        now.prefetchable(),
                        port.function().map(PciFunction::slot).orElse(""),
                        state.powered(),
                        state.linkActive()));
    }

    private static FunctionReport report(PciFunction function) {
        PciShape shape = function.shape();
        return new FunctionReport(
                function.address().toString(),
                function.slot(),
                shape.vendorId(),
                shape.deviceId(),
                shape.classCode(),
                shape.revision(),
                (int) function.readConfig(COMMAND, 2),
                (int) function.readConfig(STATUS, 2),
                shape.msix().map(PciShape.Msix::vectors).orElse(0),
                function.wires().msixEnabled(),
                function.bars().stream()
                        .map(
                                bar ->
                                        new FunctionReport.Bar(
                                                bar.bar().index(),
                                                kind(bar.bar()),
                                                bar.base(),
                                                bar.bar().size(),
                                                bar.decoding()))
                        .toList());
    }

    private static String kind(PciShape.Bar bar) {
        String space =
                switch (bar.kind()) {
                    case IO -> "io";
                    case MEMORY_32 -> "mem32";
                    case MEMORY_64 -> "mem64";
                };
        return bar.prefetchable() ? space + ",pref" : space;
    }
}
