package org.backplane.hypervisor;

/**
 * How well an engine can run guests on this host.
 *
 * @param reason one sentence for the user: what there is or lacks, and what to do
 */
public record Fitness(Grade grade, String reason) {
    /** From worst to best. */
    public enum Grade {
        /** It makes no VM. */
        NONE,
        /** It makes VMs and runs small programs, but no stock kernel. */
        LIMITED,
        FULL
    }
}
