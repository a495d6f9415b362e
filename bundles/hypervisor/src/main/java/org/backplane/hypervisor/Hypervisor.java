package org.backplane.hypervisor;

import org.backplane.memory.GuestMemory;
import org.osgi.annotation.versioning.ProviderType;

/** An engine that runs guest code; a service. */
@ProviderType
public interface Hypervisor {
    /** Short name, as given to {@code --engine}. */
    String name();

    /** What it executes, in the kernel's words: {@code riscv64}, {@code x86_64}. */
    String architecture();

    /** Whether it can run guests here; asked anew each time, for the host may have changed. */
    default Fitness fitness() {
        return new Fitness(Fitness.Grade.FULL, "engine " + name() + " runs on any host");
    }

    /**
     * How wide the guest-physical addresses are that guests of this engine reach here, in bits: a
     * board puts nothing above. 56 is what RISC-V's page tables hold (privileged specification,
     * section 12.4).
     *
     * @throws HypervisorException the host does not tell, with a sentence that holds the remedy
     */
    default int physicalAddressBits() throws HypervisorException {
        return 56;
    }

    /**
     * Makes a VM whose processors are stopped. The memory stays the caller's and outlives the VM.
     *
     * @param exits answers what leaves the processors; called on the threads inside {@link
     *     Vcpu#run}
     * @throws HypervisorException with a sentence that holds the values and the remedy
     */
    Vm create(VmSpec spec, GuestMemory memory, ExitHandler exits) throws HypervisorException;
}
