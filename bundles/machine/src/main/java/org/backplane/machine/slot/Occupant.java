package org.backplane.machine.slot;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import org.backplane.bus.ClaimException;
import org.backplane.device.Device;
import org.backplane.device.DeviceException;
import org.backplane.device.LinkDevice;
import org.backplane.device.PowerButton;
import org.backplane.device.state.SaveSupport;
import org.backplane.device.state.SavedState;
import org.backplane.machine.MachineException;
import org.backplane.machine.slot.Factories.Offer;

/**
 * A device in a slot: where its code came from, the object, and what it was handed. Its methods are
 * the control thread's and wait, bounded, for the device.
 */
record Occupant(Offer offer, Device device, Attachment attachment, SlotGear gear) {
    private static final Logger LOG = System.getLogger(Occupant.class.getName());
    private static final long IDLE_POLL_NANOS = 20_000;

    /** Two minutes where the bound is 5 s: more than pinning the largest guest's memory takes. */
    private static final int OPENING = 24;

    private static final int BEFORE_THE_GUEST = 4;

    /** Makes a device; should it fail, nothing of it is left. */
    static Occupant create(Offer offer, SlotGear gear, SlotEnvironment environment)
            throws DeviceException, InterruptedException {
        var attachment = new Attachment(gear, environment);
        // The second of the two, who made it and who waits no more, closes it.
        var outcome = new CompletableFuture<Device>();
        Device device = null;
        try {
            device =
                    gear.calls()
                            .call(
                                    "create",
                                    () -> patience(gear, environment),
                                    () -> {
                                        Device made = offer.factory().create(attachment);
                                        if (!outcome.complete(made) && made != null) {
                                            made.close();
                                        }
                                        return made;
                                    });
        } finally {
            if (device == null) {
                giveUp(outcome, gear);
                attachment.close();
            }
        }
        if (device == null) {
            throw new DeviceException("its factory made nothing");
        }
        return new Occupant(offer, device, attachment, gear);
    }

    /**
     * The host may take its time to open what is kept, and a device whose code is loaded at the
     * start keeps no guest waiting.
     */
    private static int patience(SlotGear gear, SlotEnvironment environment) {
        if (environment.kept().opening()) {
            return OPENING;
        }
        return gear.guestStarted().getAsBoolean() ? 1 : BEFORE_THE_GUEST;
    }

    private static void giveUp(CompletableFuture<Device> outcome, SlotGear gear)
            throws InterruptedException {
        Device justMade = outcome.complete(null) ? null : outcome.join();
        if (justMade != null) {
            close(justMade, gear);
        }
    }

    private static void close(Device device, SlotGear gear) throws InterruptedException {
        try {
            gear.calls().run("close", device::close);
        } catch (DeviceException e) {
            // Nothing depends on it any more; its leases are closed all the same.
            LOG.log(Level.WARNING, () -> "%s: close".formatted(gear.name()), e);
        }
    }

    /** Quiesces, and waits until nothing is under way. */
    void drain() throws DeviceException, InterruptedException {
        // The device's requests have the bound; the call a little more, to tell of those.
        gear.calls()
                .run(
                        "quiesce",
                        gear.bounds().call().plus(gear.bounds().call().dividedBy(4)),
                        () -> drain(device));
    }

    private void drain(Device quiesced) throws DeviceException {
        quiesced.quiesce();
        long deadline = System.nanoTime() + gear.bounds().call().toNanos();
        while (!quiesced.idle()) {
            if (Thread.currentThread().isInterrupted() || System.nanoTime() - deadline > 0) {
                throw new DeviceException(
                        "its requests were not done after %s"
                                .formatted(Bounds.text(gear.bounds().call())));
            }
            LockSupport.parkNanos(IDLE_POLL_NANOS);
        }
    }

    void resume() throws DeviceException, InterruptedException {
        gear.calls().run("resume", device::resume);
    }

    /** Whether its link can be taken down. */
    boolean hasLink() {
        return device instanceof LinkDevice;
    }

    /** Takes its link down or up, of a device that has one. */
    void link(boolean up) throws DeviceException, InterruptedException {
        gear.calls().run("link", () -> ((LinkDevice) device).link(up));
    }

    boolean hasPowerButton() {
        return device instanceof PowerButton;
    }

    /** Presses its power button, of a device that has one. */
    void press() throws DeviceException, InterruptedException {
        gear.calls().run("press", () -> ((PowerButton) device).press());
    }

    void reset() throws DeviceException, InterruptedException {
        gear.calls().run("reset", device::reset);
    }

    void refuseUnsavable() throws DeviceException, InterruptedException {
        gear.calls().run("saveSupport", () -> refuse(device.saveSupport()));
    }

    /** Refuses for a snapshot: what is bound to this process besides. */
    void refuseBound() throws DeviceException, InterruptedException {
        gear.calls()
                .run(
                        "saveSupport",
                        () -> {
                            SaveSupport support = device.saveSupport();
                            refuse(support);
                            if (support instanceof SaveSupport.Saveable saveable
                                    && saveable.bound().isPresent()) {
                                throw new DeviceException(saveable.bound().get());
                            }
                        });
    }

    boolean stateless() throws DeviceException, InterruptedException {
        return gear.calls()
                .call("saveSupport", () -> device.saveSupport() instanceof SaveSupport.Stateless);
    }

    private static void refuse(SaveSupport support) throws DeviceException {
        if (support == null) {
            throw new DeviceException("it does not say whether its state can be saved");
        }
        if (support instanceof SaveSupport.Unsupported unsupported) {
            throw new DeviceException(
                    "its state cannot be saved: %s".formatted(unsupported.reason()));
        }
    }

    /** The device's state, or empty if it has none; behind its closed gate. */
    Optional<SavedState> save() throws DeviceException, InterruptedException {
        return gear.calls().call("save", () -> save(device));
    }

    private static Optional<SavedState> save(Device device) throws DeviceException {
        SaveSupport support = device.saveSupport();
        refuse(support);
        if (!(support instanceof SaveSupport.Saveable saveable)) {
            return Optional.empty();
        }
        SavedState saved = saveable.saver().save();
        if (saved == null) {
            throw new DeviceException("it saved nothing, and did not say why");
        }
        return Optional.of(saved);
    }

    /**
     * Takes over a state, if there is one, and begins to act on the host.
     *
     * @param face that it will be behind
     * @param link how the slot's link is
     */
    void start(Optional<SavedState> state, Face face, boolean link)
            throws DeviceException, InterruptedException {
        gear.calls()
                .run(
                        "start",
                        () -> {
                            face.wire(device, attachment);
                            if (device instanceof LinkDevice linked) {
                                linked.link(link);
                            }
                            if (state.isPresent()) {
                                restore(state.get());
                            }
                            device.start();
                        });
    }

    private void restore(SavedState saved) throws DeviceException {
        if (device.saveSupport() instanceof SaveSupport.Saveable saveable) {
            saveable.restorer().restore(saved);
        } else {
            throw new DeviceException(
                    "the old device saved '%s', the new one takes no state"
                            .formatted(saved.schema()));
        }
    }

    /** Puts it behind the face, and its handlers, lines, timers and watches to work. */
    void connect(Face face, boolean fresh) throws DeviceException, InterruptedException {
        gear.calls().call("activate", () -> face.introduce(device, fresh)).run();
        attachment.connect();
    }

    /** Takes everything from it but its leases; behind its closed gate. */
    void disconnect(Face face) {
        attachment.disconnect();
        face.disconnect();
    }

    /** Closes a device that answers no longer, and its leases backwards. */
    void discard() throws InterruptedException {
        try {
            close(device, gear);
        } finally {
            attachment.close();
        }
    }

    /** What to tell of a fault: the sentence of those that have one. */
    static String sentence(Throwable cause) {
        // So the virtual machine tells of SIGBUS in an access to mapped memory.
        if (cause instanceof InternalError
                && String.valueOf(cause.getMessage()).contains("unsafe memory access")) {
            return "memory that it shares with another process or has of a file was cut off under it; see that its owner keeps it as long as it was (%s)"
                    .formatted(cause);
        }
        return cause instanceof DeviceException
                        || cause instanceof ClaimException
                        || cause instanceof MachineException
                ? cause.getMessage()
                : cause instanceof ExceptionInInitializerError && cause.getCause() != null
                        ? cause.getCause().toString()
                        : cause.toString();
    }
}
