package org.backplane.hart;

import java.util.ArrayList;
import java.util.List;
import org.backplane.device.state.SavedState;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.InterruptControllers.RiscvAia;
import org.backplane.hypervisor.StateReader;

/**
 * A VM as it is saved.
 *
 * @param guestTime in nanoseconds
 */
record VmRecord(long guestTime, AplicRecord aplic, List<HartRecord> harts) {
    private static final String SCHEMA = "hart-vm";
    private static final int VERSION = 1;
    private static final String APLIC = "aplic";
    private static final String HART = "hart";

    /** Some 146 years, so that going on from there does not overflow. */
    private static final long TIME_MASK = Long.MAX_VALUE >>> 1;

    SavedState state(RiscvAia layout) {
        SavedState.Builder state =
                SavedState.of(SCHEMA, VERSION)
                        .number("processors", harts.size())
                        .number("identities", layout.identities())
                        .number("sources", layout.sources())
                        .number("timebaseFrequency", layout.timebaseFrequency())
                        .number("imsicBase", layout.imsicBase())
                        .number("aplicBase", layout.aplicBase())
                        .number("guestTime", guestTime)
                        .child(APLIC, aplic.state());
        for (int i = 0; i < harts.size(); i++) {
            state.child(HART + i, harts.get(i).state(layout.identities()));
        }
        return state.build();
    }

    /**
     * @throws HypervisorException the state is not of a VM like the one described, or damaged
     */
    static VmRecord read(SavedState saved, int processors, RiscvAia layout)
            throws HypervisorException {
        StateReader state = new StateReader("the processors", saved, SCHEMA, VERSION);
        state.requireSame("processors", processors);
        state.requireSame("identities", layout.identities());
        state.requireSame("sources", layout.sources());
        state.requireSame("timebaseFrequency", layout.timebaseFrequency());
        state.requireSame("imsicBase", layout.imsicBase());
        state.requireSame("aplicBase", layout.aplicBase());
        List<HartRecord> harts = new ArrayList<>();
        for (int i = 0; i < processors; i++) {
            harts.add(HartRecord.read(state, HART + i, i, layout.identities()));
        }
        return new VmRecord(
                state.number("guestTime", 0, TIME_MASK),
                AplicRecord.read(state, APLIC, layout.sources()),
                List.copyOf(harts));
    }
}
