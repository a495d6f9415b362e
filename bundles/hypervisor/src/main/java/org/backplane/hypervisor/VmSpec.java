package org.backplane.hypervisor;

/**
 * What a board wants of a VM.
 *
 * @param name for threads and messages
 * @param vcpus number of processors, at least 1
 * @param interruptControllers what delivers interrupts, and where
 */
public record VmSpec(String name, int vcpus, InterruptControllers interruptControllers) {
    public VmSpec {
        if (vcpus < 1) {
            throw new IllegalArgumentException("a VM needs a processor, not " + vcpus);
        }
    }
}
