package org.backplane.kvm;

import java.util.ArrayList;
import java.util.List;
import org.backplane.device.state.SavedState;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.StateReader;

/**
 * A VM as it is saved.
 *
 * @param guestTime in nanoseconds
 */
record VmRecord(long guestTime, ChipsetRecord chipset, List<VcpuRecord> processors) {
    private static final String SCHEMA = "kvm-x86-vm";
    private static final int VERSION = 1;
    private static final String CHIPSET = "chipset";
    private static final String PROCESSOR = "processor";

    SavedState state() {
        SavedState.Builder state =
                SavedState.of(SCHEMA, VERSION)
                        .number("processors", processors.size())
                        .number("guestTime", guestTime)
                        .child(CHIPSET, chipset.state());
        for (int i = 0; i < processors.size(); i++) {
            state.child(PROCESSOR + i, processors.get(i).state());
        }
        return state.build();
    }

    /**
     * @param count of this VM's processors
     * @throws HypervisorException the state is not of such a VM, or damaged
     */
    static VmRecord read(SavedState saved, int count) throws HypervisorException {
        StateReader state = new StateReader("the VM", saved, SCHEMA, VERSION);
        state.requireSame("processors", count);
        long time = state.number("guestTime", 0, StateReader.ANY);
        if (time < 0) {
            throw state.refusal("guest time is before the VM was made");
        }
        List<VcpuRecord> processors = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            processors.add(VcpuRecord.read(state, PROCESSOR + i, i));
        }
        return new VmRecord(time, ChipsetRecord.read(state, CHIPSET), List.copyOf(processors));
    }
}
