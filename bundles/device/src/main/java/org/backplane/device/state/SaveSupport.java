package org.backplane.device.state;

import org.backplane.device.DeviceException;

/** How a device answers the question for its state; there is no default. */
public sealed interface SaveSupport {
    /** Everything the device knows follows from its settings. */
    record Stateless() implements SaveSupport {}

    /** The device's state cannot be saved: it can be replaced only by unplugging. */
    record Unsupported(String reason) implements SaveSupport {}

    /**
     * @param saver called with the device quiesced, idle and behind its closed gate
     * @param restorer called once, between create and start; no effect on the host
     */
    record Saveable(Saver saver, Restorer restorer) implements SaveSupport {}

    /** Writes the state. */
    @FunctionalInterface
    interface Saver {
        SavedState save();
    }

    /** Reads a state and trusts nothing in it. */
    @FunctionalInterface
    interface Restorer {
        /**
         * @throws DeviceException the state is newer, damaged or contradicts the settings
         */
        void restore(SavedState state) throws DeviceException;
    }
}
