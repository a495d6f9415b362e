package org.backplane.vfio.kernel;

/**
 * Addresses that devices of a group cannot use for DMA, as {@code
 * /sys/kernel/iommu_groups/N/reserved_regions} has it.
 *
 * @param first an unsigned number
 * @param last belongs to it; an unsigned number
 * @param type the kernel's word, {@code msi} or {@code reserved} for some
 * @param group of the devices
 */
public record ReservedRegion(long first, long last, String type, int group) {
    /** Whether the host would let the addresses be used all the same. */
    public boolean relaxable() {
        return type.equals("direct-relaxable");
    }

    boolean overlaps(long address, long length) {
        return Long.compareUnsigned(first, address + length - 1) <= 0
                && Long.compareUnsigned(address, last) <= 0;
    }

    @Override
    public String toString() {
        return "0x%x-0x%x (%s, group %d)".formatted(first, last, type, group);
    }
}
