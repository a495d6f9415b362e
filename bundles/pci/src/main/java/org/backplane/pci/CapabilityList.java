package org.backplane.pci;

import java.util.Arrays;
import java.util.List;

/**
 * Where the capabilities of a function lie and how they are linked (PCI 3.0, section 6.7): one
 * behind the other from the end of the header, each on a multiple of four, MSI-X last.
 */
final class CapabilityList {
    private static final int NONE = -1;

    private final List<PciShape.Capability> capabilities;
    private final int[] offsets;
    private final int msix;

    CapabilityList(PciShape shape) {
        capabilities = shape.capabilities();
        offsets = new int[capabilities.size()];
        int next = Type0Header.END;
        for (int i = 0; i < offsets.length; i++) {
            offsets[i] = next;
            next += aligned(length(capabilities.get(i)));
        }
        msix = shape.msix().isPresent() ? next : NONE;
    }

    /**
     * @throws IllegalArgumentException they do not fit into the space
     */
    static void requireRoom(List<PciShape.Capability> capabilities, boolean msix) {
        int end =
                Type0Header.END
                        + capabilities.stream().mapToInt(each -> aligned(length(each))).sum()
                        + (msix ? Type0Header.MSIX_LENGTH : 0);
        if (end > Type0Header.SPACE_SIZE) {
            throw new IllegalArgumentException(
                    "no PCI function: its capabilities end at 0x%x, the space ends at 0x%x"
                            .formatted(end, Type0Header.SPACE_SIZE));
        }
    }

    private static int length(PciShape.Capability capability) {
        return Type0Header.CAPABILITY_BODY + capability.body().length;
    }

    private static int aligned(int length) {
        return length + 3 & ~3;
    }

    /** Offset of the MSI-X capability; there is one. */
    int msix() {
        return msix;
    }

    int offset(int capability) {
        return offsets[capability];
    }

    /**
     * By offset in the space, the capability whose registers the handler answers there, or -1. A
     * table, because every configuration access asks.
     */
    byte[] answeredBy(BarHandler handler) {
        byte[] answered = new byte[Type0Header.SPACE_SIZE];
        Arrays.fill(answered, (byte) NONE);
        for (int i = 0; i < offsets.length; i++) {
            if (handler.answersCapability(i)) {
                int end = offsets[i] + aligned(length(capabilities.get(i)));
                for (int at = offsets[i] + 4; at < end; at++) {
                    answered[at] = (byte) i;
                }
            }
        }
        return answered;
    }

    /** Lays the capabilities down and links them. */
    void define(ConfigSpace space, PciShape shape) {
        int pointer = Type0Header.CAPABILITIES_POINTER;
        for (int i = 0; i < offsets.length; i++) {
            PciShape.Capability capability = capabilities.get(i);
            byte[] body = capability.body();
            byte[] writable = capability.writable();
            int at = offsets[i];
            space.define(pointer, 1, at, 0);
            space.define(at + Type0Header.CAPABILITY_ID, 1, capability.id(), 0);
            for (int k = 0; k < body.length; k++) {
                space.define(at + Type0Header.CAPABILITY_BODY + k, 1, body[k], writable[k]);
            }
            pointer = at + Type0Header.CAPABILITY_NEXT;
        }
        if (shape.msix().isPresent()) {
            space.define(pointer, 1, msix, 0);
            defineMsix(space, shape.msix().get());
        }
        if (pointer != Type0Header.CAPABILITIES_POINTER || shape.msix().isPresent()) {
            space.define(Type0Header.STATUS, 2, Type0Header.STATUS_CAPABILITIES, 0);
        }
    }

    private void defineMsix(ConfigSpace space, PciShape.Msix shape) {
        space.define(msix + Type0Header.CAPABILITY_ID, 1, Type0Header.MSIX_ID, 0);
        space.define(
                msix + Type0Header.MSIX_CONTROL,
                2,
                shape.vectors() - 1,
                Type0Header.MSIX_CONTROL_ENABLE | Type0Header.MSIX_CONTROL_FUNCTION_MASK);
        space.define(
                msix + Type0Header.MSIX_TABLE, 4, (int) shape.tableOffset() | shape.tableBar(), 0);
        space.define(msix + Type0Header.MSIX_PBA, 4, (int) shape.pbaOffset() | shape.pbaBar(), 0);
    }
}
