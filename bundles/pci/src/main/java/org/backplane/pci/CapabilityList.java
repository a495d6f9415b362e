package org.backplane.pci;

import static org.backplane.pci.PciShape.require;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * Where the capabilities of a function lie and how they are linked (PCI 3.0, section 6.7): those
 * with an offset of their own there, the others in the gaps from the end of the header on, each on
 * a multiple of four, MSI and MSI-X last; linked by rising offset.
 */
final class CapabilityList {
    private static final int NONE = -1;

    private final PciShape shape;
    private final List<Place> places;

    /**
     * One capability.
     *
     * @param index its place in {@link PciShape#capabilities}; of MSI and MSI-X, behind those
     * @param length in bytes, a multiple of four
     */
    private record Place(int index, int offset, int length) {
        int end() {
            return offset + length;
        }
    }

    CapabilityList(PciShape shape) {
        this.shape = shape;
        places = places(shape.capabilities(), shape.msi(), shape.msix());
    }

    /**
     * @throws IllegalArgumentException they do not fit into the space
     */
    static void requireLegal(
            List<PciShape.Capability> capabilities,
            Optional<PciShape.Msi> msi,
            Optional<PciShape.Msix> msix,
            List<PciShape.ConfigRange> answered) {
        List<Place> places = places(capabilities, msi, msix);
        for (int i = 0; i < answered.size(); i++) {
            PciShape.ConfigRange range = answered.get(i);
            require(
                    answered.subList(0, i).stream()
                            .noneMatch(
                                    other ->
                                            range.offset() < other.end()
                                                    && other.offset() < range.end()),
                    "registers of a device at 0x%x twice",
                    range.offset());
            require(
                    places.stream()
                            .filter(place -> place.index >= capabilities.size())
                            .noneMatch(
                                    place ->
                                            range.offset() < place.end()
                                                    && place.offset < range.end()),
                    "registers of a device at 0x%x are those of MSI or MSI-X",
                    range.offset());
        }
    }

    private static List<Place> places(
            List<PciShape.Capability> capabilities,
            Optional<PciShape.Msi> msi,
            Optional<PciShape.Msix> msix) {
        int count = capabilities.size();
        var space = new Space(count + 2);
        for (int i = 0; i < count; i++) {
            PciShape.Capability capability = capabilities.get(i);
            int length = Type0Header.CAPABILITY_BODY + capability.body().length;
            space.want(i, capability.at(), length + 3 & ~3);
        }
        msi.ifPresent(wanted -> space.want(count, wanted.at(), MsiLayout.of(wanted).length()));
        msix.ifPresent(wanted -> space.want(count + 1, wanted.at(), Type0Header.MSIX_LENGTH));
        return space.places();
    }

    /** The space behind the header while it is being filled. */
    private static final class Space {
        private final OptionalInt[] wanted;
        private final int[] lengths;
        private final boolean[] taken = new boolean[Type0Header.SPACE_SIZE];

        Space(int capabilities) {
            wanted = new OptionalInt[capabilities];
            lengths = new int[capabilities];
        }

        void want(int index, OptionalInt at, int length) {
            wanted[index] = at;
            lengths[index] = length;
        }

        List<Place> places() {
            Place[] places = new Place[wanted.length];
            for (int i = 0; i < wanted.length; i++) {
                if (wanted[i] != null && wanted[i].isPresent()) {
                    int at = wanted[i].getAsInt();
                    require(
                            free(at, lengths[i]),
                            "a capability of %d bytes has no room at 0x%x",
                            lengths[i],
                            at);
                    places[i] = take(i, at);
                }
            }
            for (int i = 0; i < wanted.length; i++) {
                if (wanted[i] != null && wanted[i].isEmpty()) {
                    places[i] = take(i, room(lengths[i]));
                }
            }
            return Arrays.stream(places).filter(place -> place != null).toList();
        }

        private int room(int length) {
            return IntStream.iterate(
                            Type0Header.END, at -> at < Type0Header.SPACE_SIZE, at -> at + 4)
                    .filter(at -> free(at, length))
                    .findFirst()
                    .orElseThrow(
                            () ->
                                    new IllegalArgumentException(
                                            "no PCI function: there is no room for a capability of %d bytes below 0x%x"
                                                    .formatted(length, Type0Header.SPACE_SIZE)));
        }

        private boolean free(int at, int length) {
            return at + length <= taken.length
                    && IntStream.range(at, at + length).noneMatch(each -> taken[each]);
        }

        private Place take(int index, int at) {
            Arrays.fill(taken, at, at + lengths[index], true);
            return new Place(index, at, lengths[index]);
        }
    }

    /** Offset of the MSI capability; there is one. */
    int msi() {
        return offset(shape.capabilities().size());
    }

    /** Offset of the MSI-X capability; there is one. */
    int msix() {
        return offset(shape.capabilities().size() + 1);
    }

    int offset(int capability) {
        return places.stream()
                .filter(place -> place.index == capability)
                .mapToInt(Place::offset)
                .findFirst()
                .orElseThrow();
    }

    /** Who answers a register: the register file. */
    static final int REGISTER_FILE = NONE;

    /** Who answers a register: the device, as configuration. */
    static final int DEVICE = -2;

    /**
     * By offset in the space, who answers there: the capability whose registers the handler does,
     * or one of the constants. A table, because every configuration access asks. In a double word
     * that is not all of one's, the bytes of the register file come first.
     *
     * @param size of the space
     */
    byte[] answeredBy(BarHandler handler, int size) {
        byte[] answered = new byte[size];
        Arrays.fill(answered, (byte) REGISTER_FILE);
        for (Place place : places) {
            if (place.index < shape.capabilities().size()
                    && handler.answersCapability(place.index)) {
                Arrays.fill(answered, place.offset + 4, place.end(), (byte) place.index);
            }
        }
        for (PciShape.ConfigRange range : shape.answered()) {
            Arrays.fill(answered, range.offset(), range.end(), (byte) DEVICE);
        }
        for (Place place : places) {
            Arrays.fill(
                    answered,
                    place.offset,
                    place.offset + Type0Header.CAPABILITY_BODY,
                    (byte) REGISTER_FILE);
        }
        for (int offset : ExtendedCapabilities.offsets(shape)) {
            Arrays.fill(
                    answered, offset, offset + Type0Header.EXTENDED_HEADER, (byte) REGISTER_FILE);
        }
        return answered;
    }

    /**
     * Lays the capabilities down and links them.
     *
     * @param integrated whether the function is on bus 0
     */
    void define(ConfigSpace space, boolean integrated) {
        int pointer = Type0Header.CAPABILITIES_POINTER;
        List<Place> linked =
                places.stream().sorted(Comparator.comparingInt(Place::offset)).toList();
        for (Place place : linked) {
            space.define(pointer, 1, place.offset, 0);
            pointer = place.offset + Type0Header.CAPABILITY_NEXT;
            define(space, place, integrated);
        }
        if (!linked.isEmpty()) {
            space.define(Type0Header.STATUS, 2, Type0Header.STATUS_CAPABILITIES, 0);
        }
    }

    private void define(ConfigSpace space, Place place, boolean integrated) {
        int at = place.offset;
        int others = shape.capabilities().size();
        if (place.index == others) {
            MsiLayout.of(shape.msi().orElseThrow()).define(space, at);
        } else if (place.index > others) {
            defineMsix(space, at, shape.msix().orElseThrow());
        } else {
            PciShape.Capability capability =
                    ExpressEndpoint.placed(shape.capabilities().get(place.index), integrated);
            byte[] body = capability.body();
            byte[] writable = capability.writable();
            space.define(at + Type0Header.CAPABILITY_ID, 1, capability.id(), 0);
            for (int k = 0; k < body.length; k++) {
                space.define(at + Type0Header.CAPABILITY_BODY + k, 1, body[k], writable[k]);
            }
        }
    }

    private static void defineMsix(ConfigSpace space, int at, PciShape.Msix shape) {
        space.define(at + Type0Header.CAPABILITY_ID, 1, Type0Header.MSIX_ID, 0);
        space.define(
                at + Type0Header.MSIX_CONTROL,
                2,
                shape.vectors() - 1,
                Type0Header.MSIX_CONTROL_ENABLE | Type0Header.MSIX_CONTROL_FUNCTION_MASK);
        space.define(
                at + Type0Header.MSIX_TABLE, 4, (int) shape.tableOffset() | shape.tableBar(), 0);
        space.define(at + Type0Header.MSIX_PBA, 4, (int) shape.pbaOffset() | shape.pbaBar(), 0);
    }
}
