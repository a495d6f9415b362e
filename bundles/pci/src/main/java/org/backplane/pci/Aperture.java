package org.backplane.pci;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.backplane.bus.AddressAllocator;
import org.backplane.bus.AddressRange;
import org.backplane.bus.Placement;

/**
 * A part of one of the host bridge's windows.
 *
 * @param range inside of the window
 */
record Aperture(AddressAllocator window, AddressRange range) {
    static Aperture whole(AddressAllocator window) {
        return new Aperture(window, window.range());
    }

    /** What a range and a window have in common. */
    static Optional<Aperture> common(AddressAllocator window, AddressRange range) {
        long base = Math.max(window.range().base(), range.base());
        long end = Math.min(window.range().end(), range.end());
        return base < end
                ? Optional.of(new Aperture(window, new AddressRange(base, end - base)))
                : Optional.empty();
    }

    /** Where firmware puts a BAR of that size. */
    Placement lowest(long size) {
        return range.equals(window.range())
                ? Placement.natural(size)
                : Placement.naturalIn(range, size);
    }

    /** What is left of it without a range: nothing, one part or two. */
    List<Aperture> without(AddressRange taken) {
        if (!range.overlaps(taken)) {
            return List.of(this);
        }
        return Stream.of(part(range.base(), taken.base()), part(taken.end(), range.end()))
                .flatMap(Optional::stream)
                .toList();
    }

    private Optional<Aperture> part(long base, long end) {
        return base < end
                ? Optional.of(new Aperture(window, new AddressRange(base, end - base)))
                : Optional.empty();
    }
}
