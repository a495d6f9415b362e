package org.backplane.hart;

import java.util.BitSet;
import org.backplane.device.state.SavedState;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.StateReader;

/**
 * An interrupt file as it is saved.
 *
 * @param pending by identity
 * @param enabled by identity
 */
record InterruptFileRecord(boolean delivery, int threshold, BitSet pending, BitSet enabled) {
    private static final String SCHEMA = "hart-imsic-file";
    private static final int VERSION = 1;

    /**
     * @param identities highest identity of the file
     */
    SavedState state(int identities) {
        return SavedState.of(SCHEMA, VERSION)
                .number("identities", identities)
                .number("eidelivery", delivery ? 1 : 0)
                .number("eithreshold", threshold)
                .bytes("eip", LittleEndian.bytes(pending, identities + 1))
                .bytes("eie", LittleEndian.bytes(enabled, identities + 1))
                .build();
    }

    static InterruptFileRecord read(StateReader parent, String name, String part, int identities)
            throws HypervisorException {
        StateReader state = parent.child(name, part, SCHEMA, VERSION);
        state.requireSame("identities", identities);
        return new InterruptFileRecord(
                state.flag("eidelivery"),
                (int) state.number("eithreshold", 0, InterruptFile.thresholdMask(identities)),
                state.bits("eip", identities + 1),
                state.bits("eie", identities + 1));
    }
}
