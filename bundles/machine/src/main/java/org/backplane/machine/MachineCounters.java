package org.backplane.machine;

import java.util.List;

/**
 * What the machine has counted so far. Totals, of which none falls while its slot is there: swaps,
 * failures and reboots of the guest take nothing from them. A machine restored from a snapshot
 * counts from zero, its processors' instructions excepted. Rates are the reader's business.
 *
 * @param time when they were read, in nanoseconds on {@link System#nanoTime}; the counters are read
 *     one after the other while the guest runs
 * @param slots in the order they were made
 * @param vcpus by index
 */
public record MachineCounters(long time, List<SlotCounters> slots, List<VcpuCounters> vcpus) {
    public MachineCounters {
        slots = List.copyOf(slots);
        vcpus = List.copyOf(vcpus);
    }
}
