package org.backplane.virtio;

import java.util.List;

/**
 * What a driver sees of a virtio device.
 *
 * @param deviceId virtio 1.2, chapter 5: 1 network, 2 block, ...
 * @param classCode PCI class, 24 bits
 * @param features device-specific feature bits offered; the transport adds its own
 * @param queueSizes largest size of each queue, powers of two up to 32,768
 * @param configLength bytes of device-specific configuration
 */
public record VirtioShape(
        int deviceId, int classCode, long features, List<Integer> queueSizes, int configLength) {
    public VirtioShape {
        queueSizes = List.copyOf(queueSizes);
    }
}
