package org.backplane.kvm;

import static org.backplane.kvm.KvmAbi.*;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.backplane.hypervisor.HypervisorException;

/**
 * The registers of a processor of KVM's: all of them, read and written. The processor is outside of
 * guest code.
 */
final class VcpuState {
    /** IA32_TIME_STAMP_COUNTER. */
    static final int TSC = 0x10;

    /** IA32_TSC_DEADLINE: means what the local APIC's timer mode says, so it comes after that. */
    static final int TSC_DEADLINE = 0x6e0;

    /** IA32_MTRR_DEF_TYPE. */
    private static final int MTRR_DEF_TYPE = 0x2ff;

    /** MTRRs on, memory without a range is write-back: what firmware leaves. */
    private static final int WRITE_BACK = 0x806;

    private final KvmFd fd;
    private final int[] msrs;
    private final int xsaveBytes;
    private final boolean xcrs;

    /**
     * @param msrs indices of the registers that KVM has
     * @param xsaveBytes 0 where KVM knows only the first version of its request
     */
    VcpuState(KvmFd fd, int[] msrs, int xsaveBytes, boolean xcrs) throws HypervisorException {
        this.fd = fd;
        this.xsaveBytes = xsaveBytes;
        this.xcrs = xcrs;
        this.msrs = readable(msrs);
    }

    /** KVM lists registers that this processor may not have. */
    private int[] readable(int[] all) throws HypervisorException {
        List<Integer> there = new ArrayList<>();
        for (int index : all) {
            if (index != TSC && tryGetMsr(index) != null) {
                there.add(index);
            }
        }
        return there.stream().mapToInt(Integer::intValue).toArray();
    }

    private Long tryGetMsr(int index) throws HypervisorException {
        try (Struct one = one(index, 0)) {
            return fd.call(KVM_GET_MSRS, one, "register 0x%x".formatted(index)) == 1
                    ? one.u64(MSRS_ENTRIES + MSR_DATA)
                    : null;
        }
    }

    private static Struct one(int index, long value) throws HypervisorException {
        return Struct.of(MSRS_ENTRIES + MSR_BYTES)
                .u32(MSRS_COUNT, 1)
                .u32(MSRS_ENTRIES + MSR_INDEX, index)
                .u64(MSRS_ENTRIES + MSR_DATA, value);
    }

    /** A model-specific register; 0 if this processor does not have it. */
    long msr(int index) throws HypervisorException {
        Long value = tryGetMsr(index);
        return value == null ? 0 : value;
    }

    void msr(int index, long value) throws HypervisorException {
        try (Struct one = one(index, value)) {
            String what = "register 0x%x = 0x%x".formatted(index, value);
            // KVM skips what it refuses, and says how many it took.
            if (fd.call(KVM_SET_MSRS, one, what) != 1 && msr(index) != value) {
                throw fd.failure(KVM_SET_MSRS, what, KvmFd.EINVAL);
            }
        }
    }

    /** Whether KVM tells and takes how far the time-stamp counter is from the host's. */
    boolean hasTscOffset() throws HypervisorException {
        try (Struct offset = Struct.of(Long.BYTES);
                Struct attribute = tscOffset(offset)) {
            return fd.attempt(KVM_HAS_DEVICE_ATTR, attribute.address()) == 0;
        }
    }

    long tscOffset() throws HypervisorException {
        try (Struct offset = Struct.of(Long.BYTES);
                Struct attribute = tscOffset(offset)) {
            fd.call(KVM_GET_DEVICE_ATTR, attribute, "the offset of the time-stamp counter");
            return offset.u64(0);
        }
    }

    void tscOffset(long value) throws HypervisorException {
        try (Struct offset = Struct.of(Long.BYTES).u64(0, value);
                Struct attribute = tscOffset(offset)) {
            fd.call(KVM_SET_DEVICE_ATTR, attribute, "offset of the counter " + value);
        }
    }

    private static Struct tscOffset(Struct offset) throws HypervisorException {
        return Struct.of(DEVICE_ATTR_BYTES)
                .u32(DEVICE_ATTR_GROUP, KVM_VCPU_TSC_CTRL)
                .u64(DEVICE_ATTR_NUMBER, KVM_VCPU_TSC_OFFSET)
                .u64(DEVICE_ATTR_ADDRESS, offset.address());
    }

    /** What firmware leaves in a processor that is made. */
    void firmware() throws HypervisorException {
        msr(MTRR_DEF_TYPE, WRITE_BACK);
    }

    int mpState() throws HypervisorException {
        try (Struct state = get(KVM_GET_MP_STATE, MP_STATE_BYTES)) {
            return state.u32(0);
        }
    }

    Struct registers() throws HypervisorException {
        return get(KVM_GET_REGS, REGS_BYTES);
    }

    long pc() throws HypervisorException {
        try (Struct registers = registers()) {
            return registers.u64(REGS_RIP);
        }
    }

    Struct systemRegisters() throws HypervisorException {
        return get(KVM_GET_SREGS, SREGS_BYTES);
    }

    /** Has the processor begin somewhere; both structures stay the caller's. */
    void begin(Struct registers, Struct systemRegisters) throws HypervisorException {
        fd.call(KVM_SET_SREGS, systemRegisters, "an initial state");
        fd.call(
                KVM_SET_REGS,
                registers,
                "an initial state at 0x" + Long.toHexString(registers.u64(REGS_RIP)));
        setMpState(KVM_MP_STATE_RUNNABLE);
    }

    private void setMpState(int state) throws HypervisorException {
        try (Struct argument = Struct.of(MP_STATE_BYTES).u32(0, state)) {
            fd.call(KVM_SET_MP_STATE, argument, "state " + state);
        }
    }

    private Struct get(long request, int length) throws HypervisorException {
        Struct struct = Struct.of(length);
        try {
            fd.call(request, struct, length + " bytes");
            return struct;
        } catch (HypervisorException e) {
            struct.close();
            throw e;
        }
    }

    private byte[] bytes(long request, int length) throws HypervisorException {
        try (Struct struct = get(request, length)) {
            return struct.bytes();
        }
    }

    private void put(long request, byte[] content) throws HypervisorException {
        try (Struct struct = Struct.of(content)) {
            fd.call(request, struct, content.length + " bytes");
        }
    }

    VcpuRecord save(boolean shutDown, List<Access> owed, RunPage.Answered answered)
            throws HypervisorException {
        long[] general = new long[REGS_BYTES / Long.BYTES];
        try (Struct registers = registers()) {
            for (int i = 0; i < general.length; i++) {
                general[i] = registers.u64(i * Long.BYTES);
            }
        }
        byte[] xsave =
                xsaveBytes > XSAVE_BYTES
                        ? bytes(KVM_GET_XSAVE2, xsaveBytes)
                        : bytes(KVM_GET_XSAVE, XSAVE_BYTES);
        return new VcpuRecord(
                general,
                bytes(KVM_GET_SREGS, SREGS_BYTES),
                xsave,
                xcrs ? bytes(KVM_GET_XCRS, XCRS_BYTES) : new byte[0],
                saveMsrs(),
                bytes(KVM_GET_LAPIC, LAPIC_BYTES),
                bytes(KVM_GET_VCPU_EVENTS, VCPU_EVENTS_BYTES),
                bytes(KVM_GET_DEBUGREGS, DEBUGREGS_BYTES),
                mpState(),
                msr(TSC),
                shutDown,
                List.copyOf(owed),
                answered);
    }

    private long[] saveMsrs() throws HypervisorException {
        long[] pairs = new long[2 * msrs.length];
        try (Struct all = Struct.of(MSRS_ENTRIES + msrs.length * MSR_BYTES)) {
            all.u32(MSRS_COUNT, msrs.length);
            for (int i = 0; i < msrs.length; i++) {
                all.u32(MSRS_ENTRIES + i * MSR_BYTES + MSR_INDEX, msrs[i]);
            }
            String what = msrs.length + " registers";
            int read = fd.call(KVM_GET_MSRS, all, what);
            if (read != msrs.length) {
                throw fd.failure(
                        KVM_GET_MSRS, what + ", of 0x%x".formatted(msrs[read]), KvmFd.EINVAL);
            }
            for (int i = 0; i < msrs.length; i++) {
                pairs[2 * i] = msrs[i] & 0xffff_ffffL;
                pairs[2 * i + 1] = all.u64(MSRS_ENTRIES + i * MSR_BYTES + MSR_DATA);
            }
        }
        return pairs;
    }

    /**
     * Writes everything but the time-stamp counter. The order is KVM's: each part is interpreted by
     * those before it.
     */
    void restore(VcpuRecord saved) throws HypervisorException {
        try (Struct registers = Struct.of(REGS_BYTES)) {
            for (int i = 0; i < saved.registers().length; i++) {
                registers.u64(i * Long.BYTES, saved.registers()[i]);
            }
            fd.call(KVM_SET_REGS, registers, REGS_BYTES + " bytes");
        }
        put(KVM_SET_SREGS, saved.sregs());
        if (saved.xcrs().length == XCRS_BYTES && xcrs) {
            put(KVM_SET_XCRS, saved.xcrs());
        }
        int most = Math.max(xsaveBytes, XSAVE_BYTES);
        if (saved.xsave().length > most) {
            throw new HypervisorException(
                    "The saved processor has %d bytes of extended registers and this host's have %d; restore it on a host with the same processor."
                            .formatted(saved.xsave().length, most));
        }
        put(KVM_SET_XSAVE, Arrays.copyOf(saved.xsave(), most));
        restoreMsrs(saved.msrs(), false);
        put(KVM_SET_LAPIC, saved.lapic());
        restoreMsrs(saved.msrs(), true);
        put(KVM_SET_DEBUGREGS, saved.debugRegisters());
        setMpState(saved.mpState());
        put(KVM_SET_VCPU_EVENTS, saved.events());
    }

    private void restoreMsrs(long[] pairs, boolean deadline) throws HypervisorException {
        for (int i = 0; i < pairs.length; i += 2) {
            if ((pairs[i] == TSC_DEADLINE) == deadline) {
                msr((int) pairs[i], pairs[i + 1]);
            }
        }
    }
}
