package org.backplane.pci;

import static org.backplane.pci.PciShape.require;

import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The chain of extended capabilities, which begins at 0x100 and rises from there (PCI Express 5.0,
 * section 7.6.3). A function that has some but none at its beginning shows a null capability there.
 */
final class ExtendedCapabilities {
    private static final int FIRST = Type0Header.SPACE_SIZE;
    private static final int NULL_CAPABILITY = 0;

    private ExtendedCapabilities() {}

    /**
     * @throws IllegalArgumentException two of them overlap
     */
    static void requireLegal(List<PciShape.ExtendedCapability> capabilities) {
        List<PciShape.ExtendedCapability> rising = rising(capabilities);
        for (int i = 1; i < rising.size(); i++) {
            require(
                    end(rising.get(i - 1)) <= rising.get(i).offset(),
                    "extended capability at 0x%x overlaps the one before",
                    rising.get(i).offset());
        }
    }

    private static int end(PciShape.ExtendedCapability capability) {
        return capability.offset() + Type0Header.EXTENDED_HEADER + capability.body().length;
    }

    private static List<PciShape.ExtendedCapability> rising(
            List<PciShape.ExtendedCapability> capabilities) {
        return capabilities.stream()
                .sorted(Comparator.comparingInt(PciShape.ExtendedCapability::offset))
                .toList();
    }

    /** Size of the configuration space that a function of the shape needs. */
    static int spaceSize(PciShape shape) {
        boolean beyond =
                !shape.extended().isEmpty()
                        || shape.answered().stream()
                                .anyMatch(range -> range.end() > Type0Header.SPACE_SIZE);
        return beyond ? Type0Header.EXTENDED_SIZE : Type0Header.SPACE_SIZE;
    }

    /** Offsets of the headers of the chain, rising. */
    static int[] offsets(PciShape shape) {
        IntStream own = rising(shape.extended()).stream().mapToInt(each -> each.offset());
        return shape.extended().isEmpty()
                ? new int[0]
                : IntStream.concat(IntStream.of(FIRST), own).distinct().toArray();
    }

    /** Lays the capabilities down and links them. */
    static void define(ConfigSpace space, PciShape shape) {
        int[] offsets = offsets(shape);
        if (offsets.length > shape.extended().size()) {
            space.define(FIRST, 4, header(NULL_CAPABILITY, 0, offsets[1]), 0);
        }
        List<PciShape.ExtendedCapability> rising = rising(shape.extended());
        for (int i = 0; i < rising.size(); i++) {
            PciShape.ExtendedCapability each = rising.get(i);
            int next = i + 1 < rising.size() ? rising.get(i + 1).offset() : 0;
            space.define(each.offset(), 4, header(each.id(), each.version(), next), 0);
            byte[] body = each.body();
            byte[] writable = each.writable();
            for (int k = 0; k < body.length; k++) {
                int at = each.offset() + Type0Header.EXTENDED_HEADER + k;
                space.define(at, 1, body[k], writable[k]);
            }
        }
    }

    private static int header(int id, int version, int next) {
        return id
                | version << Type0Header.EXTENDED_VERSION_SHIFT
                | next << Type0Header.EXTENDED_NEXT_SHIFT;
    }
}
