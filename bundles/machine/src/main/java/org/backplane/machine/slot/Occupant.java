package org.backplane.machine.slot;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Optional;
import org.backplane.bus.ClaimException;
import org.backplane.device.Device;
import org.backplane.device.DeviceException;
import org.backplane.device.state.SaveSupport;
import org.backplane.device.state.SavedState;
import org.backplane.machine.MachineException;
import org.backplane.machine.slot.Factories.Offer;

/** A device in a slot: where its code came from, the object, and what it was handed. */
record Occupant(Offer offer, Device device, Attachment attachment) {
    private static final Logger LOG = System.getLogger(Occupant.class.getName());

    /** Makes a device; should it fail, nothing of it is left. */
    static Occupant create(Offer offer, SlotGear gear, SlotEnvironment environment)
            throws DeviceException {
        var attachment = new Attachment(gear, environment);
        Device device = null;
        try {
            device = offer.factory().create(attachment);
        } finally {
            if (device == null) {
                attachment.close();
            }
        }
        if (device == null) {
            throw new DeviceException("its factory made nothing");
        }
        return new Occupant(offer, device, attachment);
    }

    /** Quiesces, and waits, bounded, until nothing is under way. */
    void drain() throws DeviceException {
        device.quiesce();
        if (!SlotGear.drained(device)) {
            throw new DeviceException(
                    "its requests were not done after %d s"
                            .formatted(SlotGear.DRAIN_BOUND.toSeconds()));
        }
    }

    void refuseUnsavable() throws DeviceException {
        if (device.saveSupport() instanceof SaveSupport.Unsupported unsupported) {
            throw new DeviceException(
                    "its state cannot be saved: %s".formatted(unsupported.reason()));
        }
    }

    /** The device's state, or empty if it has none; drained, behind its closed gate. */
    Optional<SavedState> save() throws DeviceException {
        refuseUnsavable();
        return device.saveSupport() instanceof SaveSupport.Saveable saveable
                ? Optional.of(saveable.saver().save())
                : Optional.empty();
    }

    void restore(SavedState saved) throws DeviceException {
        if (device.saveSupport() instanceof SaveSupport.Saveable saveable) {
            saveable.restorer().restore(saved);
        } else {
            throw new DeviceException(
                    "the old device saved '%s', the new one takes no state"
                            .formatted(saved.schema()));
        }
    }

    /** Closes a device that answers no longer, and its leases backwards. */
    void discard() {
        try {
            device.close();
        } catch (Throwable e) {
            // Nothing depends on it any more; what it held is closed below all the same.
            LOG.log(Level.WARNING, () -> "%s: close".formatted(attachment.slot()), e);
        }
        attachment.close();
    }

    /** What to tell of a fault: the sentence of those that have one. */
    static String sentence(Throwable cause) {
        return cause instanceof DeviceException
                        || cause instanceof ClaimException
                        || cause instanceof MachineException
                ? cause.getMessage()
                : cause.toString();
    }
}
