package org.backplane.device.vfio;

import java.util.BitSet;
import org.backplane.device.DeviceException;
import org.backplane.device.state.SavedState;

/**
 * What is switched on in the device, which the next version of the code finds so. All else is the
 * slot's, or in the device itself.
 *
 * @param kind of interrupts that is on
 * @param vectors of that kind that the transport has set up; 0 if none is on
 * @param used of them, those with an eventfd
 * @param busMaster whether the device may do DMA
 */
record VfioState(Kind kind, int vectors, BitSet used, boolean busMaster) {
    static final String SCHEMA = "vfio";
    static final int VERSION = 1;

    /** Most vectors that a function can have (PCI 3.0, section 6.8.2). */
    static final int MOST_VECTORS = 2048;

    /** Kinds of interrupts, in the order of their saved numbers. */
    enum Kind {
        NONE(0),
        INTX(1),
        MSI(32),
        MSIX(MOST_VECTORS);

        private final int most;

        Kind(int most) {
            this.most = most;
        }
    }

    SavedState saved() {
        return SavedState.of(SCHEMA, VERSION)
                .number("kind", kind.ordinal())
                .number("vectors", vectors)
                .bytes("used", used.toByteArray())
                .number("busMaster", busMaster ? 1 : 0)
                .build();
    }

    static VfioState of(SavedState state) throws DeviceException {
        state.require(SCHEMA, VERSION);
        Kind kind = Kind.values()[(int) state.number("kind", 0, 0, Kind.values().length - 1)];
        int least = kind == Kind.NONE ? 0 : 1;
        int vectors = (int) state.number("vectors", least, least, kind.most);
        byte[] bytes =
                state.bytes("used") == null
                        ? new byte[0]
                        : state.bytes("used", 0, MOST_VECTORS / Byte.SIZE);
        if (bytes.length > 0 && bytes[bytes.length - 1] == 0) {
            throw state.damaged("'used' ends with a byte without a vector");
        }
        BitSet used = BitSet.valueOf(bytes);
        if (used.length() > vectors) {
            throw state.damaged("vector %d is used, and there are %d", used.length() - 1, vectors);
        }
        return new VfioState(kind, vectors, used, state.flag("busMaster", false));
    }
}
