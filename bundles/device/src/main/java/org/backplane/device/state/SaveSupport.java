package org.backplane.device.state;

import java.util.Optional;
import org.backplane.device.DeviceException;

/**
 * How a device answers the question for its state; there is no default. A device gives the same
 * kind of answer all its life.
 *
 * <p>What the guest sees of a function is not the device's to save: configuration space, BARs,
 * vectors, a virtio function's common configuration, its rings and the requests taken from them are
 * the slot's, and so is what a context keeps.
 */
public sealed interface SaveSupport {
    /** Everything the device knows follows from its settings. */
    record Stateless() implements SaveSupport {}

    /** The device's state cannot be saved: it can be replaced only by unplugging. */
    record Unsupported(String reason) implements SaveSupport {}

    /**
     * The device goes on in the next version of its code, or in another process.
     *
     * @param saver writes the state
     * @param restorer reads one
     * @param bound why the state is good for the next version in the same slot only, and a machine
     *     with the device cannot be saved: a clause; empty if that can be
     */
    record Saveable(Saver saver, Restorer restorer, Optional<String> bound) implements SaveSupport {
        /** A state that goes anywhere. */
        public Saveable(Saver saver, Restorer restorer) {
            this(saver, restorer, Optional.empty());
        }
    }

    /** Writes the state. */
    @FunctionalInterface
    interface Saver {
        /**
         * Called with the device quiesced, idle and behind its closed gate; changes nothing,
         * because the device may be resumed: a swap is rolled back, a snapshot was all that was
         * wanted.
         *
         * <p>A device that failed is asked too, as it is: perhaps never quiesced, perhaps with a
         * thread inside that does not come out. What it throws says that it cannot vouch for
         * anything.
         *
         * @return not null, and nothing that refers to the device
         */
        SavedState save();
    }

    /** Reads a state and trusts nothing in it. */
    @FunctionalInterface
    interface Restorer {
        /**
         * Called at most once, between create and start, without any effect on the host: the device
         * may be closed instead of started, and the one before may go on. Whatever the state holds,
         * it is taken as it is or refused; a value is not bent until it fits.
         *
         * @throws DeviceException the state is newer, damaged or contradicts the settings; the
         *     message names schema, version and value. See {@link SavedState#damaged}
         */
        void restore(SavedState state) throws DeviceException;
    }
}
