package org.backplane.virtio;

import org.backplane.memory.Access;
import org.backplane.memory.MemoryView;

/**
 * A split virtqueue as the driver set it up (virtio 1.2, section 2.7).
 *
 * @param size descriptors, a power of two up to 32,768
 * @param descriptors guest-physical address of the descriptor table
 * @param available guest-physical address of the available ring, the driver area
 * @param used guest-physical address of the used ring, the device area
 * @param eventIndex whether VIRTIO_F_EVENT_IDX was negotiated
 * @param indirect whether VIRTIO_F_INDIRECT_DESC was negotiated
 */
public record RingSetup(
        int size,
        long descriptors,
        long available,
        long used,
        boolean eventIndex,
        boolean indirect) {

    /**
     * What keeps a device from using the ring: size, alignment, or a part that does not lie in one
     * range of memory; null if nothing does.
     */
    String problem(MemoryView memory, int maxSize) {
        if (size < 1 || size > maxSize || Integer.bitCount(size) != 1) {
            return "queue size %d is no power of two up to %d".formatted(size, maxSize);
        }
        String problem =
                problem(
                        "descriptor table",
                        memory,
                        descriptors,
                        RingLayout.DESCRIPTOR_ALIGNMENT,
                        RingLayout.descriptorTableBytes(size),
                        Access.READ);
        if (problem == null) {
            problem =
                    problem(
                            "available ring",
                            memory,
                            available,
                            RingLayout.AVAIL_ALIGNMENT,
                            RingLayout.availBytes(size),
                            Access.READ);
        }
        if (problem == null) {
            problem =
                    problem(
                            "used ring",
                            memory,
                            used,
                            RingLayout.USED_ALIGNMENT,
                            RingLayout.usedBytes(size),
                            Access.WRITE);
        }
        return problem;
    }

    private static String problem(
            String part,
            MemoryView memory,
            long address,
            int alignment,
            long length,
            Access access) {
        if ((address & (alignment - 1)) != 0) {
            return "%s at 0x%x is not aligned to %d".formatted(part, address, alignment);
        }
        if (address < 0 || memory.translate(address, length, access) == 0) {
            return "%s at 0x%x, 0x%x bytes, is not in memory".formatted(part, address, length);
        }
        return null;
    }
}
