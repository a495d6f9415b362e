package org.backplane.testkit.vfio;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.backplane.vfio.RegionInfo.Area;

/**
 * A BAR. Bytes that no register covers are plain memory, zero at first.
 *
 * @param index 0 to 5; a 64-bit one takes the next index too
 * @param kind what configuration space says of it
 * @param size in bytes, a power of two
 * @param mappable what clients may map, whole pages; empty: messages only
 * @param registers not overlapping. One in what can be mapped acts only on messages
 * @param sameAs another BAR whose bytes these are, from its first on, as of cards that have their
 *     registers in I/O and in memory space
 */
public record BarDescription(
        int index,
        Kind kind,
        long size,
        List<Area> mappable,
        List<Register> registers,
        OptionalInt sameAs) {
    /** The low bits of the BAR's register (PCI 3.0, 6.2.5.1). */
    public enum Kind {
        IO(1),
        MEMORY_32(0),
        MEMORY_32_PREFETCHABLE(8),
        MEMORY_64(4),
        MEMORY_64_PREFETCHABLE(0xc);

        private final int bits;

        Kind(int bits) {
            this.bits = bits;
        }

        int bits() {
            return bits;
        }

        boolean isWide() {
            return (bits & 7) == 4;
        }
    }

    public BarDescription {
        int last = kind.isWide() ? 4 : 5;
        if (index < 0 || index > last || Long.bitCount(size) != 1 || size < 4) {
            throw new IllegalArgumentException(
                    "BAR %d of kind %s with 0x%x bytes".formatted(index, kind, size));
        }
        mappable = List.copyOf(mappable);
        registers = List.copyOf(registers);
    }

    /** One that is accessed by messages. */
    public static BarDescription trapped(int index, Kind kind, long size, Register... registers) {
        return new BarDescription(
                index, kind, size, List.of(), List.of(registers), OptionalInt.empty());
    }

    /** One that can be mapped, all of it. */
    public static BarDescription mapped(int index, Kind kind, long size) {
        return trapped(index, kind, size).mapping(new Area(0, size));
    }

    /** This one with areas that can be mapped. */
    public BarDescription mapping(Area... areas) {
        return new BarDescription(index, kind, size, List.of(areas), registers, sameAs);
    }

    /** This one with more registers. */
    public BarDescription with(Register... more) {
        List<Register> all = new ArrayList<>(registers);
        all.addAll(List.of(more));
        return new BarDescription(index, kind, size, mappable, all, sameAs);
    }

    /** The first bytes of another BAR, in this one's kind and size. */
    public static BarDescription mirror(int index, Kind kind, long size, int of) {
        return new BarDescription(index, kind, size, List.of(), List.of(), OptionalInt.of(of));
    }
}
