package org.backplane.kvm;

import static org.backplane.kvm.KvmAbi.*;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.backplane.device.state.SavedState;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.StateReader;

/**
 * A processor as it is saved. Byte strings are the structures of {@code asm/kvm.h} of the same
 * name, little-endian; their contents are checked by KVM when they are restored.
 *
 * @param registers RAX, RBX, RCX, RDX, RSI, RDI, RSP, RBP, R8 to R15, RIP, RFLAGS
 * @param xcrs empty where the processor has none
 * @param msrs pairs of an index and a value, without the time-stamp counter
 * @param mpState {@code KVM_MP_STATE_...}
 * @param tsc the time-stamp counter
 * @param shutDown whether it stays still until a reset
 * @param owed stores that instructions already executed made, and no device has seen
 * @param answered what an I/O port has given of a string whose instruction is executed again
 */
record VcpuRecord(
        long[] registers,
        byte[] sregs,
        byte[] xsave,
        byte[] xcrs,
        long[] msrs,
        byte[] lapic,
        byte[] events,
        byte[] debugRegisters,
        int mpState,
        long tsc,
        boolean shutDown,
        List<Access> owed,
        RunPage.Answered answered) {
    private static final String SCHEMA = "kvm-x86-processor";
    private static final int VERSION = 1;
    private static final String[] REGISTERS = {
        "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rsp", "rbp", "r8", "r9", "r10", "r11", "r12",
        "r13", "r14", "r15", "rip", "rflags"
    };

    /** AMX's tiles make it 11 KiB; what comes later is not known. */
    private static final int MOST_XSAVE = 1 << 16;

    private static final int MOST_MSRS = 1024;

    /** The page that KVM has for strings. */
    private static final int MOST_ANSWERED = 4096;

    private static final int MOST_OWED = 4096;

    VcpuRecord withTsc(long value) {
        return new VcpuRecord(
                registers,
                sregs,
                xsave,
                xcrs,
                msrs,
                lapic,
                events,
                debugRegisters,
                mpState,
                value,
                shutDown,
                owed,
                answered);
    }

    SavedState state() {
        SavedState.Builder state =
                SavedState.of(SCHEMA, VERSION)
                        .bytes("sregs", sregs)
                        .bytes("xsave", xsave)
                        .bytes("xcrs", xcrs)
                        .bytes("msrs", bytes(msrs))
                        .bytes("lapic", lapic)
                        .bytes("events", events)
                        .bytes("debugregs", debugRegisters)
                        .number("mpState", mpState)
                        .number("tsc", tsc)
                        .number("shutDown", shutDown ? 1 : 0);
        for (int i = 0; i < REGISTERS.length; i++) {
            state.number(REGISTERS[i], registers[i]);
        }
        long[] stores = new long[owed.size() * Access.SAVED_LONGS];
        for (int i = 0; i < owed.size(); i++) {
            Access store = owed.get(i);
            stores[i * Access.SAVED_LONGS] = (store.port() ? 0x100 : 0) | store.width();
            stores[i * Access.SAVED_LONGS + 1] = store.address();
            stores[i * Access.SAVED_LONGS + 2] = store.value();
        }
        return state.bytes("owed", bytes(stores))
                .number("answeredPort", answered.port())
                .bytes("answered", answered.elements())
                .build();
    }

    static VcpuRecord read(StateReader vm, String name, int index) throws HypervisorException {
        StateReader state = vm.child(name, "processor " + index, SCHEMA, VERSION);
        long[] registers = new long[REGISTERS.length];
        for (int i = 0; i < registers.length; i++) {
            registers[i] = state.number(REGISTERS[i], 0, StateReader.ANY);
        }
        return new VcpuRecord(
                registers,
                state.bytes("sregs", SREGS_BYTES, SREGS_BYTES),
                state.bytes("xsave", XSAVE_BYTES, MOST_XSAVE),
                state.bytes("xcrs", 0, XCRS_BYTES),
                state.groups("msrs", 2, MOST_MSRS),
                state.bytes("lapic", LAPIC_BYTES, LAPIC_BYTES),
                state.bytes("events", VCPU_EVENTS_BYTES, VCPU_EVENTS_BYTES),
                state.bytes("debugregs", DEBUGREGS_BYTES, DEBUGREGS_BYTES),
                state.within("mpState", 0, KVM_MP_STATE_SIPI_RECEIVED),
                state.number("tsc", 0, StateReader.ANY),
                state.within("shutDown", 0, 1) != 0,
                owed(state),
                new RunPage.Answered(
                        state.within("answeredPort", 0, 0xffff),
                        state.bytes("answered", 0, MOST_ANSWERED)));
    }

    private static List<Access> owed(StateReader state) throws HypervisorException {
        long[] stores = state.groups("owed", Access.SAVED_LONGS, MOST_OWED);
        List<Access> owed = new ArrayList<>();
        for (int i = 0; i < stores.length; i += Access.SAVED_LONGS) {
            long kind = stores[i];
            int width = (int) kind & 0xff;
            boolean port = (kind & 0x100) != 0;
            if ((kind & ~0x1ff) != 0 || width < 1 || width > 8 || Integer.bitCount(width) != 1) {
                throw state.refusal("a store of kind 0x%x cannot be".formatted(kind));
            }
            if (port && (stores[i + 1] >>> 16 != 0 || width == 8)) {
                throw state.refusal("there is no I/O port 0x%x".formatted(stores[i + 1]));
            }
            owed.add(new Access(port, stores[i + 1], width, stores[i + 2]));
        }
        return List.copyOf(owed);
    }

    private static byte[] bytes(long[] values) {
        ByteBuffer bytes =
                ByteBuffer.allocate(values.length * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asLongBuffer().put(values);
        return bytes.array();
    }
}
