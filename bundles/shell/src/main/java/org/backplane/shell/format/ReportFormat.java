package org.backplane.shell.format;

import java.time.Duration;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.felix.service.command.Converter;
import org.backplane.bus.AddressRange;
import org.backplane.machine.AddressMap;
import org.backplane.machine.FunctionReport;
import org.backplane.machine.HistoryEntry;
import org.backplane.machine.MachineReport;
import org.backplane.machine.SlotInspection;
import org.backplane.machine.SlotReport;
import org.backplane.machine.SwapReport;
import org.backplane.shell.command.Answer;

/** How what commands return looks to a person. */
public final class ReportFormat implements Converter {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("HH:mm:ss.SSS", Locale.ROOT)
                    .withZone(ZoneId.systemDefault());

    /** Bits of a PCI function's command register that decide what it does (PCI 3.0, 6.2.2). */
    private static final Map<Integer, String> COMMAND_BITS =
            new TreeMap<>(Map.of(0x1, "io", 0x2, "memory", 0x4, "master", 0x400, "intx-off"));

    @Override
    public Object convert(Class<?> desiredType, Object in) {
        return null;
    }

    @Override
    public CharSequence format(Object target, int level, Converter escape) {
        return level == INSPECT ? inDetail(target) : inShort(target);
    }

    private static String inDetail(Object target) {
        if (target instanceof List<?> list && !list.isEmpty()) {
            return listed(list);
        }
        if (target instanceof Answer answer) {
            return answer.text();
        }
        if (target instanceof Json json) {
            return json.text();
        }
        if (target instanceof SlotReport slot) {
            return slots(List.of(slot));
        }
        if (target instanceof SwapReport swap) {
            return swap(swap);
        }
        if (target instanceof MachineReport machine) {
            return machine(machine);
        }
        if (target instanceof AddressMap map) {
            return map(map);
        }
        if (target instanceof SlotInspection inspection) {
            return inspection(inspection);
        }
        return null;
    }

    private static String listed(List<?> list) {
        if (all(list, SlotReport.class)) {
            return slots(cast(list, SlotReport.class));
        }
        if (all(list, FunctionReport.class)) {
            return functions(cast(list, FunctionReport.class));
        }
        if (all(list, HistoryEntry.class)) {
            return history(cast(list, HistoryEntry.class));
        }
        return null;
    }

    private static boolean all(List<?> list, Class<?> type) {
        return list.stream().allMatch(type::isInstance);
    }

    private static <T> List<T> cast(List<?> list, Class<T> type) {
        return list.stream().map(type::cast).toList();
    }

    /** For a cell of Gogo's own, or inside of another value. */
    private static String inShort(Object target) {
        if (target instanceof SlotReport slot) {
            return slot.name();
        }
        if (target instanceof FunctionReport function) {
            return function.address();
        }
        if (target instanceof HistoryEntry entry) {
            return entry.step();
        }
        return null;
    }

    private static String slots(List<SlotReport> slots) {
        Table table = new Table("SLOT", "KIND", "STATE", "PCI", "BUNDLE", "SOURCE", "");
        for (SlotReport slot : slots) {
            table.row(
                    slot.name(),
                    slot.kind(),
                    slot.state().name().toLowerCase(Locale.ROOT),
                    dash(slot.address()),
                    bundle(slot),
                    dash(slot.source()),
                    slot.detail());
        }
        return table.toString();
    }

    private static String bundle(SlotReport slot) {
        return slot.bundle().isEmpty()
                ? "-"
                : "%s %s [%d]".formatted(slot.bundle(), slot.version(), slot.bundleId());
    }

    private static String swap(SwapReport swap) {
        String now = "%s: %s".formatted(swap.slot().name(), bundle(swap.slot()));
        return swap.pause().isZero()
                ? now + " fills the slot"
                : "%s; pause %s, %d requests drained, %d bytes of state"
                        .formatted(
                                now, Quantity.time(swap.pause()), swap.drained(), swap.stateSize());
    }

    private static String dash(String text) {
        return text.isEmpty() ? "-" : text;
    }

    private static String machine(MachineReport machine) {
        return new Table("name", machine.name())
                .row("state", machine.state())
                .row("board", machine.board())
                .row("engine", machine.engine())
                .row("processors", machine.vcpus())
                .row("memory", Quantity.bytes(machine.memory()))
                .row("guest time", Quantity.time(machine.guestTime()))
                .row("instructions", machine.instructions())
                .row("boots", machine.boots())
                .toString();
    }

    private static String map(AddressMap map) {
        List<String> parts = new ArrayList<>();
        Table memory = new Table("memory");
        map.memory().forEach(m -> memory.row("  " + m.range(), m.kind(), size(m.range())));
        parts.add(memory.toString());
        map.windows().forEach(window -> parts.add(window(window)));
        if (!map.ports().isEmpty()) {
            Table ports = new Table("ports");
            map.ports()
                    .forEach(
                            window ->
                                    ports.row(
                                            "  port " + window.port(),
                                            window.kind(),
                                            window.range(),
                                            size(window.range())));
            parts.add(ports.toString());
        }
        return String.join("\n", parts);
    }

    private static String window(AddressMap.Window window) {
        record Line(AddressRange range, Object[] cells) {}

        List<Line> lines = new ArrayList<>();
        for (AddressMap.Region region : window.regions()) {
            lines.add(new Line(region.range(), regionCells(region)));
        }
        for (AddressRange hole : window.holes()) {
            lines.add(new Line(hole, new Object[] {"  " + hole, "free", size(hole)}));
        }
        lines.sort(Comparator.comparingLong(line -> line.range().base()));
        Table table = new Table("  ", "");
        lines.forEach(line -> table.row(line.cells()));
        String body = table.toString();
        return "%s (%s) %s %s%s"
                .formatted(
                        window.name(),
                        window.space().name().toLowerCase(Locale.ROOT),
                        window.range(),
                        size(window.range()),
                        // The heading is this line, not the table's.
                        body.substring(Math.max(0, body.indexOf('\n'))));
    }

    private static Object[] regionCells(AddressMap.Region region) {
        return new Object[] {
            "  " + region.range(),
            region.owner(),
            size(region.range()),
            region.decoding() ? "decoding" : "off",
            "reads " + region.reads(),
            "writes " + region.writes()
        };
    }

    private static String size(AddressRange range) {
        return Quantity.bytes(range.size());
    }

    private static String functions(List<FunctionReport> functions) {
        return functions.stream().map(ReportFormat::function).collect(Collectors.joining("\n"));
    }

    private static String port(FunctionReport.Port port) {
        StringBuilder text = new StringBuilder();
        text.append(
                "\n    port %d: %s, power %s, link %s, bus %02x-%02x"
                        .formatted(
                                port.number(),
                                port.occupant().isEmpty() ? "empty" : port.occupant(),
                                port.powered() ? "on" : "off",
                                port.linkActive() ? "up" : "down",
                                port.secondary(),
                                port.subordinate()));
        window(text, "io", port.io());
        window(text, "mem32", port.memory());
        window(text, "pref", port.prefetchable());
        return text.toString();
    }

    private static void window(StringBuilder text, String kind, AddressRange range) {
        if (range != null) {
            text.append("\n    %s %s %s".formatted(kind, range, size(range)));
        }
    }

    private static String function(FunctionReport function) {
        StringBuilder text = new StringBuilder();
        text.append(
                "%s %04x:%04x class %06x rev %02x  %s"
                        .formatted(
                                function.address(),
                                function.vendorId(),
                                function.deviceId(),
                                function.classCode(),
                                function.revision(),
                                dash(function.slot())));
        text.append("\n    command %04x%s".formatted(function.command(), commandBits(function)));
        text.append("  status %04x".formatted(function.status()));
        if (function.msixVectors() > 0) {
            text.append(
                    "  msix %s, %d vectors"
                            .formatted(
                                    function.msixEnabled() ? "on" : "off", function.msixVectors()));
        }
        if (function.port() != null) {
            text.append(port(function.port()));
        }
        for (FunctionReport.Bar bar : function.bars()) {
            text.append(
                    "\n    BAR%d %s %s %s %s"
                            .formatted(
                                    bar.index(),
                                    bar.kind(),
                                    bar.base() < 0 ? "unplaced" : "0x%x".formatted(bar.base()),
                                    Quantity.bytes(bar.size()),
                                    bar.decoding() ? "decoding" : "off"));
        }
        return text.toString();
    }

    private static String commandBits(FunctionReport function) {
        String bits =
                COMMAND_BITS.entrySet().stream()
                        .filter(bit -> (function.command() & bit.getKey()) != 0)
                        .map(Map.Entry::getValue)
                        .collect(Collectors.joining(","));
        return bits.isEmpty() ? "" : " (" + bits + ")";
    }

    private static String inspection(SlotInspection inspection) {
        SlotReport slot = inspection.slot();
        Table facts =
                new Table("slot", slot.name())
                        .row("kind", slot.kind())
                        .row("state", slot.state().name().toLowerCase(Locale.ROOT))
                        .row("source", dash(slot.source()))
                        .row("bundle", bundle(slot))
                        .row("pci", dash(slot.address()));
        if (!slot.detail().isEmpty()) {
            facts.row("detail", slot.detail());
        }
        new TreeMap<>(slot.settings()).forEach((k, v) -> facts.row("setting " + k, v));
        inspection.facts().forEach(facts::row);
        List<String> parts = new ArrayList<>(List.of(facts.toString()));
        if (!inspection.regions().isEmpty()) {
            Table regions = new Table("regions");
            inspection.regions().forEach(region -> regions.row(regionCells(region)));
            parts.add(regions.toString());
        }
        if (!inspection.leases().isEmpty()) {
            parts.add("leases\n  " + String.join("\n  ", inspection.leases()));
        }
        return String.join("\n", parts);
    }

    private static String history(List<HistoryEntry> entries) {
        Table table = new Table("TIME", "STEP", "TOOK", "");
        for (HistoryEntry entry : entries) {
            table.row(TIME.format(entry.at()), entry.step(), took(entry.took()), entry.detail());
        }
        return table.toString();
    }

    private static String took(Duration took) {
        return took.isZero() ? "-" : Quantity.time(took);
    }
}
