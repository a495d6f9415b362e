package org.backplane.virtio;

import java.util.List;

/**
 * What a driver sees of a virtio device.
 *
 * @param deviceId virtio 1.2, chapter 5: 1 network, 2 block, ...
 * @param classCode PCI class, 24 bits
 * @param features device-specific feature bits offered, 0 to 23 and 50 to 63; the transport adds
 *     its own
 * @param queueSizes largest size of each queue, powers of two up to 32,768; 1 to 1,024 queues
 * @param configLength bytes of device-specific configuration, up to 4,096
 */
public record VirtioShape(
        int deviceId, int classCode, long features, List<Integer> queueSizes, int configLength) {
    /**
     * @throws IllegalArgumentException if a value is outside of what is said above
     */
    public VirtioShape {
        queueSizes = List.copyOf(queueSizes);
        require(
                deviceId >= 1 && deviceId <= 0xffff - VirtioPciLayout.FIRST_DEVICE,
                "device ID",
                deviceId);
        require(classCode >>> 24 == 0, "class code", classCode);
        require(
                (features & VirtioPciLayout.NOT_DEVICE_FEATURES) == 0,
                "features, of which bits 24 to 49 belong to the transport,",
                features);
        require(
                !queueSizes.isEmpty() && queueSizes.size() <= VirtioPciLayout.MAX_QUEUES,
                "number of queues",
                queueSizes.size());
        for (int size : queueSizes) {
            require(
                    size >= 1 && size <= RingLayout.MAX_SIZE && Integer.bitCount(size) == 1,
                    "queue size",
                    size);
        }
        require(
                configLength >= 0 && configLength <= VirtioPciLayout.PAGE,
                "configuration length",
                configLength);
    }

    private static void require(boolean holds, String what, long value) {
        if (!holds) {
            throw new IllegalArgumentException(
                    "a virtio shape with the %s 0x%x".formatted(what, value));
        }
    }
}
