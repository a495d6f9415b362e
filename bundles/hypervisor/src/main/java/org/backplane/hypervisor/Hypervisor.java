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
     * Makes a VM whose processors are stopped. The memory stays the caller's and outlives the VM.
     *
     * @param exits answers what leaves the processors; called on the threads inside {@link
     *     Vcpu#run}
     * @throws HypervisorException with a sentence that holds the values and the remedy
     */
    Vm create(VmSpec spec, GuestMemory memory, ExitHandler exits) throws HypervisorException;
}
