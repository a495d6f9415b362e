package org.backplane.kvm;

import static org.backplane.kvm.KvmAbi.*;

import java.nio.file.Path;
import java.util.Optional;
import org.backplane.hypervisor.ExitHandler;
import org.backplane.hypervisor.Fitness;
import org.backplane.hypervisor.Hypervisor;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.InterruptControllers.X86;
import org.backplane.hypervisor.Vm;
import org.backplane.hypervisor.VmSpec;
import org.backplane.memory.GuestMemory;

/** The engine of hosts with KVM: x86-64 processors at the speed of the host's. */
public final class KvmHypervisor implements Hypervisor {
    /** Identities of local APICs in their first mode: 255 is the broadcast. */
    private static final int MOST_PROCESSORS = 255;

    private final Path device;
    private final Optional<Kind> said;

    /**
     * @param device {@code /dev/kvm}
     * @param kind what the user says that it is, {@code hardware} or {@code pvm}; null or empty to
     *     have it found out
     * @throws IllegalArgumentException it is another word
     */
    public KvmHypervisor(Path device, String kind) {
        this.device = device;
        this.said = Kind.named(kind);
    }

    @Override
    public String name() {
        return "kvm";
    }

    @Override
    public String architecture() {
        return "x86_64";
    }

    private Kind kind() {
        return said.orElseGet(() -> Kind.of(Path.of("/sys/module"), Path.of("/proc/cpuinfo")));
    }

    @Override
    public Fitness fitness() {
        String why = said.isPresent() ? ", as the configuration says" : "";
        try (KvmDevice opened = KvmDevice.open(device)) {
            return switch (kind()) {
                case HARDWARE ->
                        new Fitness(
                                Fitness.Grade.FULL,
                                "%s runs guests on the host's processors%s, up to %d for each."
                                        .formatted(device, why, mostProcessors(opened)));
                case PVM ->
                        new Fitness(
                                Fitness.Grade.LIMITED,
                                "%s is a page-table VM (PVM)%s, which runs small programs and no stock kernel; if it is not, give --kvm-kind hardware."
                                        .formatted(device, why));
            };
        } catch (HypervisorException e) {
            return new Fitness(Fitness.Grade.NONE, e.getMessage());
        }
    }

    /** As the guest's processors tell it. */
    @Override
    public int physicalAddressBits() throws HypervisorException {
        try (KvmDevice opened = KvmDevice.open(device)) {
            return CpuidTable.physicalAddressBits(opened.supportedCpuid());
        }
    }

    private static int mostProcessors(KvmDevice device) throws HypervisorException {
        return Math.min(device.capability(KVM_CAP_MAX_VCPUS), MOST_PROCESSORS);
    }

    @Override
    public Vm create(VmSpec spec, GuestMemory memory, ExitHandler exits)
            throws HypervisorException {
        if (!(spec.interruptControllers() instanceof X86 where)) {
            throw new HypervisorException(
                    "Engine kvm has the interrupt controllers of a PC, not %s; choose an x86-64 board."
                            .formatted(spec.interruptControllers()));
        }
        try (KvmDevice opened = KvmDevice.open(device)) {
            int most = mostProcessors(opened);
            if (spec.vcpus() > most) {
                throw new HypervisorException(
                        "Engine kvm has at most %d processors on this host, not %d; ask for fewer with --cpus."
                                .formatted(most, spec.vcpus()));
            }
            return new KvmVm(opened, kind(), spec, where, memory, exits);
        }
    }
}
