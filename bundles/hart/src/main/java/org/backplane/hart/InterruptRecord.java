package org.backplane.hart;

import org.backplane.device.state.SavedState;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.StateReader;

/**
 * The supervisor interrupts of a hart as they are saved, but for its interrupt file; part of {@link
 * HartRecord}'s schema.
 *
 * @param software sip.SSIP
 */
record InterruptRecord(boolean software, long sie, long stimecmp) {
    void write(SavedState.Builder state) {
        state.number("ssip", software ? 1 : 0).number("sie", sie).number("stimecmp", stimecmp);
    }

    static InterruptRecord read(StateReader state) throws HypervisorException {
        return new InterruptRecord(
                state.flag("ssip"),
                state.number("sie", 0, Interrupts.ALL),
                state.number("stimecmp", -1, StateReader.ANY));
    }
}
