package org.backplane.rng;

import org.backplane.device.DeviceException;
import org.backplane.device.state.SavedState;

/**
 * What an entropy device knows beyond its settings. Rings and requests are the slot's.
 *
 * @param allowance bytes that the guest may have at once, 0 to the rate
 */
record RngState(long allowance) {
    static final String SCHEMA = "virtio-rng";
    static final int VERSION = 1;

    SavedState saved() {
        return SavedState.of(SCHEMA, VERSION).number("allowance", allowance).build();
    }

    /**
     * @param rate of the device now; one that was not limited has no allowance
     */
    static RngState of(SavedState state, long rate) throws DeviceException {
        state.require(SCHEMA, VERSION);
        return new RngState(state.number("allowance", rate, 0, rate));
    }
}
