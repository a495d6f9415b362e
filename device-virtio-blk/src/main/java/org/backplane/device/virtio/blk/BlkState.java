package org.backplane.device.virtio.blk;

import org.backplane.device.DeviceException;
import org.backplane.device.state.SavedState;

/**
 * What a disk knows beyond its settings. Rings and requests are the slot's.
 *
 * @param capacity in sectors, as the guest was told
 * @param writeback the cache mode that the driver chose (virtio 1.2, section 5.2.5)
 */
record BlkState(long capacity, boolean writeback) {
    static final String SCHEMA = "virtio-blk";
    static final int VERSION = 1;

    SavedState saved() {
        return SavedState.of(SCHEMA, VERSION)
                .number("capacity", capacity)
                .number("writeback", writeback ? 1 : 0)
                .build();
    }

    /**
     * @param capacity of the image now: what a state that does not say is taken to have had
     */
    static BlkState of(SavedState state, long capacity) throws DeviceException {
        state.require(SCHEMA, VERSION);
        BlkState restored =
                new BlkState(state.number("capacity", capacity), state.flag("writeback", true));
        if (restored.capacity != capacity) {
            throw new DeviceException(
                    "The state of '%s', version %d, is of a disk of %d sectors, and the image has %d; give it the image that it was saved with."
                            .formatted(SCHEMA, state.version(), restored.capacity, capacity));
        }
        return restored;
    }
}
