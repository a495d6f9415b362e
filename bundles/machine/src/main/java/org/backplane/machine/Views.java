package org.backplane.machine;

import java.util.List;
import org.backplane.bus.AddressAllocator;
import org.backplane.bus.AddressRange;
import org.backplane.bus.Bus;
import org.backplane.bus.RegionLease;
import org.backplane.machine.board.Board;
import org.backplane.pci.PciFunction;
import org.backplane.pci.PciShape;

/** Pictures of a board for those who manage it. */
final class Views {
    private static final int COMMAND = 0x04;
    private static final int STATUS = 0x06;

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
                bus.windows().stream().map(window -> window(window, regions)).toList());
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
        return board.bridge().functions().stream().map(Views::report).toList();
    }

    private static FunctionReport report(PciFunction function) {
        PciShape shape = function.shape();
        return new FunctionReport(
                "00:%02x.0".formatted(function.device()),
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
