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
 * @param configLength bytes of device-specific configuration, up to 4,096; up to 232 where {@code
 *     transitional}
 * @param transitional whether drivers of before virtio 1.0 can use the device, too, through its
 *     legacy interface (section 1.3.1); for those types only that had a number then: 1 to 5, 8, 9.
 *     Such a driver has no VIRTIO_F_VERSION_1 among its features, and the device behaves as its
 *     type's "Legacy Interface" sections say. It may ring a doorbell before DRIVER_OK: {@link
 *     VirtioDevice#activate} is called then, with every queue, of which those that it has not set
 *     up give nothing
 */
public record VirtioShape(
        int deviceId,
        int classCode,
        long features,
        List<Integer> queueSizes,
        int configLength,
        boolean transitional) {
    /** A device without a legacy interface. */
    public VirtioShape(
            int deviceId,
            int classCode,
            long features,
            List<Integer> queueSizes,
            int configLength) {
        this(deviceId, classCode, features, queueSizes, configLength, false);
    }

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
        if (transitional) {
            require(
                    LegacyLayout.pciDevice(deviceId) != 0,
                    "legacy interface, which there is none of for the device ID",
                    deviceId);
            require(
                    configLength <= LegacyLayout.MAX_CONFIG_BYTES,
                    "legacy interface and the configuration length",
                    configLength);
        }
    }

    private static void require(boolean holds, String what, long value) {
        if (!holds) {
            throw new IllegalArgumentException(
                    "a virtio shape with the %s 0x%x".formatted(what, value));
        }
    }
}
