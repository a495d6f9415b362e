package org.backplane.virtio;

/**
 * One queue's registers of the common configuration (virtio 1.2, section 4.1.4.3). The vector is
 * with {@link VirtioInterrupts}. Under the lock of {@link CommonConfig}.
 */
final class QueueRegisters {
    private final QueuePort port;
    private int size;
    private boolean enabled;
    private long descriptors;
    private long driverArea;
    private long deviceArea;

    QueueRegisters(QueuePort port) {
        this.port = port;
        this.size = port.maxSize();
    }

    QueuePort port() {
        return port;
    }

    boolean enabled() {
        return enabled;
    }

    /** A field of 2 bytes, or half of one of 8. */
    long read(int offset) {
        return switch (offset) {
            case VirtioPciLayout.QUEUE_SIZE -> size;
            case VirtioPciLayout.QUEUE_ENABLE -> enabled ? 1 : 0;
            case VirtioPciLayout.QUEUE_NOTIFY_OFF -> port.queue().index();
            case VirtioPciLayout.QUEUE_DESC -> Halves.get(descriptors, 0);
            case VirtioPciLayout.QUEUE_DESC + 4 -> Halves.get(descriptors, 1);
            case VirtioPciLayout.QUEUE_DRIVER -> Halves.get(driverArea, 0);
            case VirtioPciLayout.QUEUE_DRIVER + 4 -> Halves.get(driverArea, 1);
            case VirtioPciLayout.QUEUE_DEVICE -> Halves.get(deviceArea, 0);
            case VirtioPciLayout.QUEUE_DEVICE + 4 -> Halves.get(deviceArea, 1);
            default -> throw new AssertionError("no field at " + offset);
        };
    }

    /**
     * Sets size or addresses of a queue that is not enabled.
     *
     * @return whether the driver may set that
     */
    boolean write(int offset, long value) {
        switch (offset) {
            case VirtioPciLayout.QUEUE_SIZE -> {
                if (Long.bitCount(value) != 1 || value > port.maxSize()) {
                    return false;
                }
                size = (int) value;
            }
            case VirtioPciLayout.QUEUE_DESC -> descriptors = Halves.set(descriptors, 0, value);
            case VirtioPciLayout.QUEUE_DESC + 4 -> descriptors = Halves.set(descriptors, 1, value);
            case VirtioPciLayout.QUEUE_DRIVER -> driverArea = Halves.set(driverArea, 0, value);
            case VirtioPciLayout.QUEUE_DRIVER + 4 -> driverArea = Halves.set(driverArea, 1, value);
            case VirtioPciLayout.QUEUE_DEVICE -> deviceArea = Halves.set(deviceArea, 0, value);
            case VirtioPciLayout.QUEUE_DEVICE + 4 -> deviceArea = Halves.set(deviceArea, 1, value);
            default -> {
                return false;
            }
        }
        return true;
    }

    /**
     * Starts the queue as it is set up.
     *
     * @return null, or why not
     */
    String enable(long features) {
        String problem = port.enable(setup(features));
        enabled = problem == null;
        return problem;
    }

    /** The page in which the descriptor table begins; 0 of a queue that is not set up. */
    long legacyAddress() {
        return enabled ? descriptors >>> LegacyLayout.ADDRESS_SHIFT : 0;
    }

    /**
     * Starts the queue where a legacy driver put it: all parts in one piece, of the largest size
     * (virtio 1.2, sections 2.7.2 and 4.1.5.1.3.1).
     *
     * @param page its number, 32 bits, not 0
     * @return null, or why not
     */
    String enableLegacy(long page, long features) {
        descriptors = page << LegacyLayout.ADDRESS_SHIFT;
        driverArea = LegacyLayout.available(descriptors, size);
        deviceArea = LegacyLayout.used(descriptors, size);
        return enable(features);
    }

    /** As after a reset. */
    void clear() {
        port.disable();
        size = port.maxSize();
        enabled = false;
        descriptors = 0;
        driverArea = 0;
        deviceArea = 0;
    }

    CommonState.Queue save(int vector) {
        return new CommonState.Queue(
                size, vector, enabled, descriptors, driverArea, deviceArea, port.save());
    }

    /**
     * @return null, or what is wrong with the ring
     */
    String restore(CommonState.Queue saved, long features) {
        size = saved.size();
        enabled = saved.enabled();
        descriptors = saved.descriptors();
        driverArea = saved.driverArea();
        deviceArea = saved.deviceArea();
        if (!enabled) {
            return null;
        }
        String problem = port.restore(setup(features), saved.ring());
        // A ring that is no longer in memory was not even begun.
        enabled = port.queue().size() != 0;
        return problem;
    }

    private RingSetup setup(long features) {
        return new RingSetup(
                size,
                descriptors,
                driverArea,
                deviceArea,
                (features & VirtioPciLayout.EVENT_IDX) != 0,
                (features & VirtioPciLayout.INDIRECT_DESC) != 0);
    }
}
