package org.backplane.pci;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.backplane.device.context.Lease;
import org.backplane.linux.Fd;
import org.backplane.linux.Mapping;

/**
 * Host memory behind the BARs of one function: what the device declares, at the places where the
 * BARs decode, by whole pages. Thread-safe; nothing is called with the bus's lock held.
 *
 * <p>A page that holds a byte of the MSI-X table or of the pending bits stays out, and so does one
 * in which the device wants to see accesses: the processor finds no memory there, and the access
 * comes by the bus. What the host refuses to map comes by the bus, too.
 *
 * <p>The areas are the function's, not the device's. When a device leaves they stay as they are,
 * for the next to declare them anew; what that does not declare goes as it comes.
 */
final class MappedAreas {
    /** Part of a BAR, and what is to be there. Of two descriptors only the same object is equal. */
    record Area(int bar, long offset, Fd descriptor, long fileOffset, long length) {
        boolean overlaps(Area other) {
            return bar == other.bar
                    && offset < other.offset + other.length
                    && other.offset < offset + length;
        }
    }

    /** Bytes of a BAR that are not to be mapped. */
    record Trap(int bar, long offset, long length) {}

    /** What a device has declared. */
    record Declaration(List<Area> areas, List<Trap> traps) {
        static final Declaration NOTHING = new Declaration(List.of(), List.of());
    }

    /** Whole pages of an area, at offsets of its BAR. */
    private record Piece(Area area, long offset, long length) {}

    /** Ends before it begins if it is empty. */
    private record Run(long start, long end) {}

    private static final int BARS = Type0Header.BASE_ADDRESS_REGISTERS;

    private final Logger log = System.getLogger(MappedAreas.class.getName());
    private final String slot;
    private final BarMemory memory;
    private final List<Trap> own = new ArrayList<>();

    /** Where BARs decode, or {@link BaseAddressRegister#NOWHERE}. */
    private final long[] bases = new long[BARS];

    private final Map<Piece, Lease> mapped = new LinkedHashMap<>();

    /** Areas that the log has been told of. */
    private final Set<Area> refused = new HashSet<>();

    private Declaration declared = Declaration.NOTHING;
    private boolean closed;

    /**
     * @param slot for messages
     */
    MappedAreas(String slot, PciShape shape, BarMemory memory) {
        this.slot = slot;
        this.memory = memory;
        Arrays.fill(bases, BaseAddressRegister.NOWHERE);
        shape.msix()
                .ifPresent(
                        msix -> {
                            own.add(
                                    new Trap(
                                            msix.tableBar(),
                                            msix.tableOffset(),
                                            msix.tableLength()));
                            own.add(new Trap(msix.pbaBar(), msix.pbaOffset(), msix.pbaLength()));
                        });
    }

    /** A BAR decodes at a base, or nowhere; from one base to another it goes by nowhere. */
    synchronized void moved(int bar, long base) {
        if (closed || bases[bar] == base) {
            return;
        }
        bases[bar] = BaseAddressRegister.NOWHERE;
        settle();
        bases[bar] = base;
        settle();
    }

    /** The device behind the function declares this, and what was declared before no longer. */
    synchronized void declare(Declaration next) {
        if (!closed) {
            declared = next;
            refused.retainAll(next.areas());
            settle();
        }
    }

    /** Nothing is mapped from now on, and never again. */
    synchronized void close() {
        declared = Declaration.NOTHING;
        settle();
        closed = true;
    }

    /** What is mapped now. */
    synchronized List<PciFunction.MappedRange> ranges() {
        return mapped.keySet().stream()
                .map(
                        piece ->
                                new PciFunction.MappedRange(
                                        piece.area().bar(),
                                        piece.offset(),
                                        bases[piece.area().bar()] + piece.offset(),
                                        piece.length()))
                .toList();
    }

    /** Maps what is wanted and missing, after what is not wanted any more is gone. */
    private void settle() {
        List<Piece> wanted = new ArrayList<>();
        for (Area area : declared.areas()) {
            if (bases[area.bar()] != BaseAddressRegister.NOWHERE) {
                wanted.addAll(pieces(area));
            }
        }
        for (Piece piece : List.copyOf(mapped.keySet())) {
            if (!wanted.contains(piece)) {
                unmap(mapped.remove(piece));
            }
        }
        for (Piece piece : wanted) {
            if (!mapped.containsKey(piece)) {
                map(piece);
            }
        }
    }

    private void unmap(Lease lease) {
        try {
            lease.close();
        } catch (RuntimeException e) {
            // Of the engine. What else has to go must not stay for that.
            log.log(Level.ERROR, slot + ": host memory stays in a BAR", e);
        }
    }

    private void map(Piece piece) {
        Area area = piece.area();
        long address = bases[area.bar()] + piece.offset();
        long fileOffset = area.fileOffset() + piece.offset() - area.offset();
        try {
            Lease lease = memory.map(address, area.descriptor(), fileOffset, piece.length());
            mapped.put(piece, lease);
        } catch (IOException | RuntimeException e) {
            // The engine tells listeners of memory by unchecked exceptions. The BAR decodes all
            // the same, so that the device is asked for each access instead.
            if (refused.add(area)) {
                log.log(
                        Level.WARNING,
                        "{0}: 0x{1} bytes at 0x{2} of BAR {3} are trapped access by access: {4}",
                        slot,
                        Long.toHexString(piece.length()),
                        Long.toHexString(piece.offset()),
                        area.bar(),
                        e.getMessage());
            }
        }
    }

    /** The whole pages of an area that nobody wants to see accesses in. */
    private List<Piece> pieces(Area area) {
        long page = Mapping.pageSize();
        if (Math.floorMod(area.fileOffset() - area.offset(), page) != 0) {
            return List.of();
        }
        List<Run> runs = new ArrayList<>();
        runs.add(new Run(up(area.offset(), page), down(area.offset() + area.length(), page)));
        own.forEach(trap -> cut(runs, area.bar(), trap, page));
        declared.traps().forEach(trap -> cut(runs, area.bar(), trap, page));
        return runs.stream()
                .filter(run -> run.start() < run.end())
                .map(run -> new Piece(area, run.start(), run.end() - run.start()))
                .toList();
    }

    private static void cut(List<Run> runs, int bar, Trap trap, long page) {
        if (trap.bar() != bar) {
            return;
        }
        long first = down(trap.offset(), page);
        long end = up(trap.offset() + trap.length(), page);
        for (Run run : List.copyOf(runs)) {
            if (run.start() < end && first < run.end()) {
                runs.remove(run);
                runs.add(new Run(run.start(), first));
                runs.add(new Run(end, run.end()));
            }
        }
    }

    private static long down(long offset, long page) {
        return offset & -page;
    }

    private static long up(long offset, long page) {
        return offset + page - 1 & -page;
    }
}
