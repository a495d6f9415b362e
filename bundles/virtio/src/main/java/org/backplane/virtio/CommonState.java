package org.backplane.virtio;

import java.util.ArrayList;
import java.util.List;
import org.backplane.device.DeviceException;
import org.backplane.device.state.SavedState;

/**
 * The common configuration, ISR and the rings as they are saved: the part of schema {@code
 * virtio-pci} that is virtio's own. Reading trusts nothing: what a driver could not have reached is
 * refused.
 */
record CommonState(
        int deviceFeatureSelect,
        int driverFeatureSelect,
        long offered,
        long driverFeatures,
        int status,
        boolean resetPending,
        int generation,
        int queueSelect,
        int configVector,
        int isr,
        boolean legacy,
        boolean usedEarly,
        List<Queue> queues) {

    private static final String QUEUE_SCHEMA = "virtio-queue";
    private static final int QUEUE_VERSION = 1;
    private static final int HEAD_BYTES = 2;

    /** One queue's registers and its ring. */
    record Queue(
            int size,
            int vector,
            boolean enabled,
            long descriptors,
            long driverArea,
            long deviceArea,
            QueueState ring) {}

    CommonState {
        queues = List.copyOf(queues);
    }

    void write(SavedState.Builder to) {
        to.number("deviceFeatureSelect", deviceFeatureSelect)
                .number("driverFeatureSelect", driverFeatureSelect)
                .number("offered", offered)
                .number("driverFeatures", driverFeatures)
                .number("status", status)
                .number("resetPending", resetPending ? 1 : 0)
                .number("generation", generation)
                .number("queueSelect", queueSelect)
                .number("configVector", configVector)
                .number("isr", isr);
        if (legacy) {
            to.number("legacy", 1).number("usedEarly", usedEarly ? 1 : 0);
        }
        for (int i = 0; i < queues.size(); i++) {
            to.child("queue" + i, write(queues.get(i)));
        }
    }

    private static SavedState write(Queue queue) {
        QueueState ring = queue.ring;
        byte[] heads = new byte[ring.ledger().length * HEAD_BYTES];
        for (int i = 0; i < ring.ledger().length; i++) {
            heads[HEAD_BYTES * i] = (byte) ring.ledger()[i];
            heads[HEAD_BYTES * i + 1] = (byte) (ring.ledger()[i] >>> 8);
        }
        return SavedState.of(QUEUE_SCHEMA, QUEUE_VERSION)
                .number("size", queue.size)
                .number("vector", queue.vector)
                .number("enabled", queue.enabled ? 1 : 0)
                .number("descriptors", queue.descriptors)
                .number("driverArea", queue.driverArea)
                .number("deviceArea", queue.deviceArea)
                .number("ringState", ringState(ring.state()))
                .number("nextAvailable", ring.nextAvailable())
                .number("usedIndex", ring.usedIndex())
                .number("wantsDoorbell", ring.wantsDoorbell() ? 1 : 0)
                .number("presentNext", ring.presentNext())
                .bytes("ledger", heads)
                .build();
    }

    /**
     * @param offerable every feature that the slot's device can offer, the transport's included
     * @param maxSizes largest size of each queue
     * @param transitional whether the device has a legacy interface
     */
    static CommonState read(
            SavedState from, long offerable, List<Integer> maxSizes, boolean transitional)
            throws DeviceException {
        long offered = from.number("offered", offerable);
        require(
                from,
                (offered & ~offerable) == 0,
                "the driver was offered features 0x%x of which this device has 0x%x",
                offered,
                offerable);
        long accepted = from.number("driverFeatures", 0);
        int status = bits(from, "status", 8);
        int statusKnown = VirtioPciLayout.DRIVER_STATUS | VirtioPciLayout.NEEDS_RESET;
        require(from, (status & ~statusKnown) == 0, "status 0x%x", status);
        boolean featuresOk = (status & VirtioPciLayout.FEATURES_OK) != 0;
        boolean legacy = from.flag("legacy", false);
        boolean usedEarly = from.flag("usedEarly", false);
        require(
                from,
                !legacy || transitional,
                "a legacy driver of a device without legacy interface");
        require(from, !usedEarly || legacy, "a device in use before DRIVER_OK");
        require(
                from,
                !usedEarly || (status & VirtioPciLayout.DRIVER) != 0,
                "a device in use with status 0x%x",
                status);
        boolean acceptable =
                legacy
                        ? !featuresOk
                                && (accepted
                                                & ~(offered & LegacyLayout.FEATURES
                                                        | LegacyLayout.ANY_LAYOUT))
                                        == 0
                        : (accepted & ~offered) == 0 && (accepted & VirtioPciLayout.VERSION_1) != 0;
        require(
                from,
                !(featuresOk || legacy) || acceptable,
                "features 0x%x accepted of 0x%x offered",
                accepted,
                offered);
        require(
                from,
                featuresOk || legacy || (status & VirtioPciLayout.DRIVER_OK) == 0,
                "status 0x%x: DRIVER_OK without FEATURES_OK",
                status);
        boolean resetPending = from.flag("resetPending", false);
        require(from, !resetPending || status != 0, "a reset under way with status 0");
        int vectors = maxSizes.size() + 1;
        List<Queue> queues = new ArrayList<>();
        for (int i = 0; i < maxSizes.size(); i++) {
            SavedState child = from.child("queue" + i);
            if (child == null) {
                child = SavedState.of(QUEUE_SCHEMA, QUEUE_VERSION).build();
            }
            queues.add(
                    readQueue(child, maxSizes.get(i), vectors, featuresOk || legacy, resetPending));
        }
        return new CommonState(
                bits(from, "deviceFeatureSelect", 32),
                bits(from, "driverFeatureSelect", 32),
                offered,
                accepted,
                status,
                resetPending,
                bits(from, "generation", 8),
                bits(from, "queueSelect", 16),
                vector(from, "configVector", vectors),
                bits(from, "isr", 2),
                legacy,
                usedEarly,
                queues);
    }

    private static Queue readQueue(
            SavedState from, int maxSize, int vectors, boolean mayBeEnabled, boolean resetPending)
            throws DeviceException {
        from.require(QUEUE_SCHEMA, QUEUE_VERSION);
        long size = from.number("size", maxSize);
        require(
                from,
                size >= 1 && size <= maxSize && Long.bitCount(size) == 1,
                "queue size %d, of %d at most",
                size,
                maxSize);
        boolean enabled = from.flag("enabled", false);
        require(from, !enabled || mayBeEnabled, "a queue enabled without FEATURES_OK");
        int[] ledger = heads(from, (int) size);
        long presentNext = from.number("presentNext", Ledger.NONE);
        require(
                from,
                presentNext == Ledger.NONE || contains(ledger, presentNext),
                "head %d to be presented, which is not in the ledger",
                presentNext);
        RingState state = ringState(from);
        require(
                from,
                (state == RingState.DISABLED) != enabled,
                "ring state %d of a queue whose enable bit is %d",
                ringState(state),
                enabled ? 1 : 0);
        require(
                from,
                enabled || ledger.length == 0,
                "a disabled queue with %d requests out",
                ledger.length);
        // A reset halts every queue that runs, and nothing else does.
        require(
                from,
                state != (resetPending ? RingState.RUNNING : RingState.HALTED),
                resetPending
                        ? "a running queue with a reset under way"
                        : "a halted queue without a reset under way");
        QueueState ring =
                new QueueState(
                        state,
                        bits(from, "nextAvailable", 16),
                        bits(from, "usedIndex", 16),
                        from.flag("wantsDoorbell", true),
                        (int) presentNext,
                        ledger);
        return new Queue(
                (int) size,
                vector(from, "vector", vectors),
                enabled,
                from.number("descriptors", 0),
                from.number("driverArea", 0),
                from.number("deviceArea", 0),
                ring);
    }

    private static int[] heads(SavedState from, int size) throws DeviceException {
        byte[] bytes = from.bytes("ledger", 0, HEAD_BYTES * size);
        if (bytes == null) {
            return new int[0];
        }
        require(
                from,
                bytes.length % HEAD_BYTES == 0,
                "a ledger of %d bytes for a queue of %d",
                bytes.length,
                size);
        boolean[] out = new boolean[size];
        int[] heads = new int[bytes.length / HEAD_BYTES];
        for (int i = 0; i < heads.length; i++) {
            int head = bytes[HEAD_BYTES * i] & 0xff | (bytes[HEAD_BYTES * i + 1] & 0xff) << 8;
            require(
                    from,
                    head < size && !out[head],
                    "head %d in the ledger of a queue of %d",
                    head,
                    size);
            out[head] = true;
            heads[i] = head;
        }
        return heads;
    }

    private static boolean contains(int[] heads, long head) {
        for (int each : heads) {
            if (each == head) {
                return true;
            }
        }
        return false;
    }

    // Numbers in the saved form do not follow the order of an enum's constants.
    private static int ringState(RingState state) {
        return switch (state) {
            case DISABLED -> 0;
            case RUNNING -> 1;
            case HALTED -> 2;
            case BROKEN -> 3;
        };
    }

    private static RingState ringState(SavedState from) throws DeviceException {
        long number = from.number("ringState", 0, 0, 3);
        return switch ((int) number) {
            case 0 -> RingState.DISABLED;
            case 1 -> RingState.RUNNING;
            case 2 -> RingState.HALTED;
            default -> RingState.BROKEN;
        };
    }

    private static int vector(SavedState from, String name, int vectors) throws DeviceException {
        long vector = from.number(name, VirtioPciLayout.NO_VECTOR);
        require(
                from,
                vector == VirtioPciLayout.NO_VECTOR || (vector >= 0 && vector < vectors),
                "vector %d of %d",
                vector,
                vectors);
        return (int) vector;
    }

    /** A register's value; those of 32 bits are kept as signed numbers. */
    private static int bits(SavedState from, String name, int width) throws DeviceException {
        return (int)
                (width == Integer.SIZE
                        ? from.number(name, 0, Integer.MIN_VALUE, Integer.MAX_VALUE)
                        : from.number(name, 0, 0, (1L << width) - 1));
    }

    private static void require(SavedState from, boolean holds, String format, Object... values)
            throws DeviceException {
        if (!holds) {
            throw from.damaged(format, values);
        }
    }
}
