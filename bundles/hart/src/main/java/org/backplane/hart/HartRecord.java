package org.backplane.hart;

import org.backplane.device.state.SavedState;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.StateReader;

/**
 * A hart as it is saved. A reservation is not: an SC after a restore fails, as it may at any time.
 */
record HartRecord(
        RegisterRecord registers,
        CsrRecord csrs,
        InterruptRecord interrupts,
        InterruptFileRecord file,
        LifeRecord life) {
    private static final String SCHEMA = "hart";
    private static final int VERSION = 1;
    private static final String FILE = "imsic";

    /**
     * @param identities highest identity of the interrupt file
     */
    SavedState state(int identities) {
        SavedState.Builder state = SavedState.of(SCHEMA, VERSION);
        registers.write(state);
        csrs.write(state);
        interrupts.write(state);
        life.write(state);
        return state.child(FILE, file.state(identities)).build();
    }

    static HartRecord read(StateReader parent, String name, int index, int identities)
            throws HypervisorException {
        String part = "hart " + index;
        StateReader state = parent.child(name, part, SCHEMA, VERSION);
        return new HartRecord(
                RegisterRecord.read(state),
                CsrRecord.read(state),
                InterruptRecord.read(state),
                InterruptFileRecord.read(state, FILE, part + "'s interrupt file", identities),
                LifeRecord.read(state, part));
    }
}
