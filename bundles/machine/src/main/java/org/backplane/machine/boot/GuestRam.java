package org.backplane.machine.boot;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.LongStream;
import org.backplane.bus.AddressRange;
import org.backplane.machine.MachineException;
import org.backplane.memory.Access;
import org.backplane.memory.GuestMemory;
import org.backplane.memory.OffHeap;

/**
 * Guest RAM while it is loaded: what goes where, no two things at one place, nothing outside of
 * RAM. Loaders take the places that a file names before those that they may choose. RAM is clear at
 * the beginning. Not thread-safe.
 */
public final class GuestRam {
    private static final long MEGABYTE = 1 << 20;
    private static final long PAGE = 4096;

    private record Placed(String what, AddressRange range) {}

    private final GuestMemory memory;
    private final AddressRange low;
    private final AddressRange high;
    private final AddressRange gap;
    private final List<Placed> placed = new ArrayList<>();

    /**
     * @param low what loaders may use for small things, for firmware's memory map calls it free
     * @param high the rest of RAM that addresses of 32 bits reach
     * @param gap where no machine has RAM, however much it has
     */
    public GuestRam(GuestMemory memory, AddressRange low, AddressRange high, AddressRange gap) {
        this.memory = memory;
        this.low = low;
        this.high = high;
        this.gap = gap;
    }

    AddressRange high() {
        return high;
    }

    /**
     * Takes a place that a file names.
     *
     * @param address any value
     * @param length in bytes, any value; nothing is taken if it is 0
     * @throws MachineException there is no free RAM
     */
    void take(ImageFile file, String what, long address, long length) throws MachineException {
        if (length == 0) {
            return;
        }
        if (length > 0 && address >= 0 && address < gap.end() && length > gap.base() - address) {
            throw file.refused(
                    "its %s wants 0x%x bytes at 0x%x, and no size of memory has any from 0x%x to 0x%x; link it for other addresses, or take another"
                            .formatted(what, length, address, gap.base(), gap.end() - 1));
        }
        if (length < 0 || memory.layout().translate(address, length, Access.WRITE) == 0) {
            throw file.refused(
                    "its %s wants 0x%x bytes at 0x%x, and memory ends at 0x%x; give more with --memory, or take another"
                            .formatted(what, length, address, high.end()));
        }
        AddressRange range = new AddressRange(address, length);
        for (Placed other : placed) {
            if (other.range.overlaps(range)) {
                throw file.refused(
                        "its %s at %s overlaps the %s at %s; take another"
                                .formatted(what, range, other.what, other.range));
            }
        }
        placed.add(new Placed(what, range));
    }

    /**
     * Refuses a file that is to be entered where nothing can be.
     *
     * @param entry any value
     */
    void requireEntry(ImageFile file, long entry) throws MachineException {
        if (memory.layout().translate(entry, 1, Access.READ) == 0) {
            throw file.refused(
                    "its entry 0x%x lies outside of memory, which ends at 0x%x; link it again, or take another"
                            .formatted(entry, high.end()));
        }
    }

    /** Keeps a range for the board itself, whether there is RAM or not. */
    public void reserve(String what, AddressRange range) {
        placed.add(new Placed(what, range));
    }

    /**
     * Takes the lowest free place in low memory and writes there.
     *
     * @return its address
     */
    long putLow(String what, byte[] content, long alignment) throws MachineException {
        long address =
                lowest(content.length, alignment, low)
                        .orElseThrow(
                                () ->
                                        new MachineException(
                                                "The %s of %d bytes has no room below 640 KiB; shorten the command line, or take a kernel that leaves that memory free."
                                                        .formatted(what, content.length)));
        placed.add(new Placed(what, new AddressRange(address, content.length)));
        OffHeap.copy(content, 0, host(address, content.length), content.length);
        return address;
    }

    /**
     * Takes the highest free place for a whole file and reads it there.
     *
     * @param below limit of the last byte's address
     */
    AddressRange putHighest(ImageFile file, String what, long below) throws MachineException {
        requireContent(file);
        return put(file, what, highest(file.size(), below), below);
    }

    /** As {@link #putHighest}, the lowest that is a whole page behind all else. */
    AddressRange putBehind(ImageFile file, String what, long alignment) throws MachineException {
        requireContent(file);
        long behind = placed.stream().mapToLong(each -> each.range.end()).max().orElse(0);
        long from = Math.max(behind, high.base());
        OptionalLong place =
                from < high.end()
                        ? lowest(file.size(), alignment, new AddressRange(from, high.end() - from))
                        : OptionalLong.empty();
        return put(file, what, place, high.end());
    }

    private static void requireContent(ImageFile file) throws MachineException {
        if (file.size() == 0) {
            throw file.refused("it is empty; leave it out, or take another");
        }
    }

    private AddressRange put(ImageFile file, String what, OptionalLong place, long below)
            throws MachineException {
        if (place.isEmpty()) {
            throw file.refused(
                    "its %d MiB do not fit beside the kernel into the memory below 0x%x; give at least %d MiB more with --memory"
                            .formatted(
                                    file.size() / MEGABYTE,
                                    Math.min(below, high.end()),
                                    file.size() / MEGABYTE + 1));
        }
        AddressRange range = new AddressRange(place.getAsLong(), file.size());
        placed.add(new Placed(what, range));
        file.copy(what, 0, range.size(), host(range.base(), range.size()));
        return range;
    }

    private OptionalLong highest(long length, long below) {
        long end = Math.min(below, high.end());
        return LongStream.concat(
                        LongStream.of(end), placed.stream().mapToLong(each -> each.range.base()))
                .map(candidate -> candidate - length & -PAGE)
                .filter(at -> at >= high.base() && at + length <= end && free(at, length))
                .max();
    }

    private OptionalLong lowest(long length, long alignment, AddressRange bounds) {
        return LongStream.concat(
                        LongStream.of(bounds.base()),
                        placed.stream().mapToLong(each -> each.range.end()))
                .map(candidate -> candidate + alignment - 1 & -alignment)
                .filter(
                        at ->
                                at >= bounds.base()
                                        && at + length <= bounds.end()
                                        && free(at, length))
                .min();
    }

    private boolean free(long at, long length) {
        AddressRange wanted = new AddressRange(at, length);
        return placed.stream().noneMatch(each -> each.range.overlaps(wanted));
    }

    /** Writes real-address mode's vectors, whose place is address 0 and nobody else's. */
    void putVectors(byte[] vectors) {
        OffHeap.copy(vectors, 0, host(0, vectors.length), vectors.length);
    }

    /** Address in this process of RAM. */
    long host(long address, long length) {
        long host = memory.layout().translate(address, length, Access.WRITE);
        if (host == 0) {
            throw new IllegalArgumentException(
                    "no RAM of 0x%x bytes at 0x%x".formatted(length, address));
        }
        return host;
    }
}
