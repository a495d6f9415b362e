package org.backplane.shell.map;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.backplane.bus.AddressRange;
import org.backplane.machine.AddressMap;

/**
 * A range of addresses with what lies in it, by address.
 *
 * @param title what it is, with its range
 */
record Strip(String title, List<Part> parts) {
    Strip {
        parts =
                parts.stream()
                        .sorted(
                                Comparator.comparing(
                                        part -> part.range().base(), Long::compareUnsigned))
                        .toList();
    }

    /** Memory and windows of one address space, with the gaps between them. */
    static Strip overview(AddressMap map) {
        List<Part> parts = new ArrayList<>();
        map.memory().forEach(m -> parts.add(new Part(m.range(), m.kind(), true)));
        map.windows().stream()
                .filter(window -> window.space() == org.backplane.bus.Space.MMIO)
                .forEach(window -> parts.add(new Part(window.range(), window.name(), true)));
        Strip filled = new Strip("all addresses", parts);
        List<Part> whole = new ArrayList<>();
        long next = 0;
        for (Part part : filled.parts()) {
            long base = part.range().base();
            if (Long.compareUnsigned(base, next) > 0) {
                whole.add(Part.hole(new AddressRange(next, base - next)));
            }
            whole.add(part);
            next = part.range().base() + part.range().size();
        }
        return new Strip(filled.title(), whole);
    }

    /** A window with its regions and holes. */
    static Strip of(AddressMap.Window window) {
        List<Part> parts = new ArrayList<>();
        window.regions().forEach(r -> parts.add(new Part(r.range(), r.owner(), r.decoding())));
        window.holes().forEach(hole -> parts.add(Part.hole(hole)));
        return new Strip("%s %s".formatted(window.name(), window.range()), parts);
    }

    /**
     * In rows of at most that many parts; of a row, holes are left out before regions are split.
     */
    List<List<Part>> rows(int most) {
        List<Part> shown = parts;
        if (shown.size() > most) {
            shown = shown.stream().filter(part -> !part.isHole()).toList();
        }
        List<List<Part>> rows = new ArrayList<>();
        for (int i = 0; i < shown.size(); i += most) {
            rows.add(shown.subList(i, Math.min(shown.size(), i + most)));
        }
        return rows;
    }
}
