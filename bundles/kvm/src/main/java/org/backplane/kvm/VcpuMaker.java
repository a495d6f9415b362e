package org.backplane.kvm;

import static org.backplane.kvm.KvmAbi.*;

import org.backplane.hypervisor.ExitHandler;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.VmSpec;

/** Makes the processors of a VM. */
final class VcpuMaker {
    private final KvmFd vm;
    private final ExitHandler exits;
    private final Kind kind;
    private final CpuidTable cpuid;
    private final int[] msrs;
    private final int runBytes;
    private final int xsaveBytes;
    private final boolean xcrs;
    private final boolean statistics;

    VcpuMaker(KvmDevice device, KvmFd vm, VmSpec spec, ExitHandler exits, Kind kind)
            throws HypervisorException {
        this.vm = vm;
        this.exits = exits;
        this.kind = kind;
        cpuid =
                new CpuidTable(
                        device.supportedCpuid(),
                        spec.vcpus(),
                        device.capability(KVM_CAP_TSC_DEADLINE_TIMER) > 0);
        msrs = device.msrIndices();
        runBytes = device.runBytes();
        xsaveBytes = device.capability(KVM_CAP_XSAVE2);
        xcrs = device.capability(KVM_CAP_XCRS) > 0;
        statistics = device.capability(KVM_CAP_BINARY_STATS_FD) > 0;
    }

    KvmVcpu make(int index) throws HypervisorException {
        String name = vm.name() + " processor " + index;
        KvmFd fd = new KvmFd(vm.open(KVM_CREATE_VCPU, index, name));
        try {
            try (Struct table = CpuidEntry.write(cpuid.of(index))) {
                fd.call(KVM_SET_CPUID2, table, table.u32(CPUID_COUNT) + " entries");
            }
            VcpuState state = new VcpuState(fd, msrs, xsaveBytes, xcrs);
            state.firmware();
            ProcessorStatistics counted = statistics ? new ProcessorStatistics(fd) : null;
            RunPage page = new RunPage(fd.map(runBytes));
            return new KvmVcpu(index, fd, page, state, counted, exits, kind);
        } catch (HypervisorException | RuntimeException e) {
            fd.close();
            throw e;
        }
    }
}
