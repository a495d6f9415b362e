package org.backplane.kvm;

import static org.backplane.kvm.KvmAbi.*;

import org.backplane.device.state.SavedState;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.StateReader;

/**
 * Interrupt controllers and timer as they are saved: the structures of {@code asm/kvm.h},
 * little-endian.
 *
 * @param timer {@code struct kvm_pit_state2}, but how long ago each channel was loaded in the place
 *     of when, in nanoseconds
 */
record ChipsetRecord(byte[] picMaster, byte[] picSlave, byte[] ioApic, byte[] timer) {
    private static final String SCHEMA = "kvm-x86-chipset";
    private static final int VERSION = 1;

    SavedState state() {
        return SavedState.of(SCHEMA, VERSION)
                .bytes("picMaster", picMaster)
                .bytes("picSlave", picSlave)
                .bytes("ioApic", ioApic)
                .bytes("timer", timer)
                .build();
    }

    static ChipsetRecord read(StateReader vm, String name) throws HypervisorException {
        StateReader state = vm.child(name, "the interrupt controllers", SCHEMA, VERSION);
        return new ChipsetRecord(
                state.bytes("picMaster", PIC_BYTES, PIC_BYTES),
                state.bytes("picSlave", PIC_BYTES, PIC_BYTES),
                state.bytes("ioApic", IOAPIC_BYTES, IOAPIC_BYTES),
                state.bytes("timer", PIT_BYTES, PIT_BYTES));
    }
}
