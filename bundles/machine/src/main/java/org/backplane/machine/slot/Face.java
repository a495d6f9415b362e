package org.backplane.machine.slot;

import java.util.Map;
import java.util.Optional;
import org.backplane.bus.ClaimException;
import org.backplane.device.Device;
import org.backplane.device.DeviceException;
import org.backplane.device.state.SavedState;
import org.backplane.machine.SlotCounters;
import org.backplane.pci.PciDevice;
import org.backplane.pci.PciFunction;
import org.backplane.virtio.VirtioDevice;
import org.backplane.virtio.VirtioShape;

/**
 * What the guest sees of a slot. It stays while devices behind it come and go; connecting another
 * is done with the slot's gate closed.
 */
sealed interface Face extends AutoCloseable permits PlatformFace, PciFace, VirtioFace {
    /**
     * Brings the slot's device to rest behind its closed gate, and resets it; or the next one, if
     * there is none now.
     */
    @FunctionalInterface
    interface DrainAndReset {
        void run() throws DeviceException, InterruptedException;
    }

    /**
     * Makes the face that a device of this type needs, placed by the board.
     *
     * @param drainAndReset for a driver that resets its device
     * @param linkLost posts what is to be done when the guest took the function's link down
     */
    static Face of(SlotGear gear, Device device, DrainAndReset drainAndReset, Runnable linkLost)
            throws ClaimException, DeviceException, InterruptedException {
        PciPlace place = PciPlace.wanted(gear, linkLost);
        Face face = unplaced(gear, device, drainAndReset, place);
        try {
            if (face.function().isEmpty()) {
                place.refuseNamed();
            } else {
                place.admit(face.function().get());
            }
            return face;
        } catch (ClaimException e) {
            face.close();
            throw e;
        }
    }

    /**
     * As {@link #of}, but BARs have no place yet: {@link #restore} gives them theirs.
     *
     * @param place of a PCI function
     */
    static Face unplaced(SlotGear gear, Device device, DrainAndReset drainAndReset, PciPlace place)
            throws ClaimException, DeviceException, InterruptedException {
        if (device instanceof VirtioDevice virtio) {
            VirtioShape shape = gear.calls().call("shape", virtio::shape);
            return new VirtioFace(gear, shape, drainAndReset, place);
        }
        if (device instanceof PciDevice pci) {
            return new PciFace(gear, gear.calls().call("shape", pci::shape), place);
        }
        return new PlatformFace();
    }

    /** What the guest can see of it, for a face of the same shape; device at rest. */
    Optional<SavedState> save();

    /**
     * Makes a face that was just made what it was; before a device is connected.
     *
     * @throws DeviceException the state is none of a face like this
     */
    void restore(SavedState saved) throws DeviceException;

    /** Why a device cannot take over, with both shapes; empty if it can. */
    Optional<String> mismatch(Device device);

    /**
     * Hands a device its wires, which stay dead until the attachment is connected. Before restore
     * and start, on a lent thread.
     */
    default void wire(Device device, Attachment attachment) {}

    /**
     * The device's part of being put behind the face, restored and started: on a lent thread, on
     * which it may stay for ever. Hence nothing of the face changes here.
     *
     * @param fresh whether it has yet to be given its wires and queues; not so in a roll-back
     * @return the face's part, for the control thread if the device came back in time; gate closed
     */
    Runnable introduce(Device device, boolean fresh);

    /** The device has gone; nothing may refer to it any more. Control thread, gate closed. */
    void disconnect();

    /**
     * The device that left was not drained, and a thread of it may come back: takes from it what it
     * still holds of the face. Control thread, no device connected.
     */
    default void cutOff() {}

    /** The guest reaches no memory of the device that left, until the next declares its own. */
    default void unmap() {}

    /** Gives the next device the requests that were taken and not completed. */
    default void presentAgain() {}

    /** Requests taken and not completed. */
    default int outstanding() {
        return 0;
    }

    /** Makes the device look at everything that may have come while the gate was closed. */
    void kick();

    /** A machine reset: as after plugging. Control thread, processors halted. */
    void reset();

    /** A device is behind it again after {@link #failed}: what the guest read since was nothing. */
    default void repaired() {}

    /** The device failed: tells the guest, where there is a way to. */
    void failed();

    /** The PCI function, if the guest sees one. */
    Optional<PciFunction> function();

    /** Where that is plugged in. */
    default Optional<PciPlace> place() {
        return Optional.empty();
    }

    /**
     * Whether the guest has let go of it: nobody tells the monitor of a removal in sysfs, but a
     * driver that left has switched its function off.
     */
    boolean released();

    /** What was counted since the face was made; lines and regions are the slot's, not in it. */
    SlotCounters counters();

    /** For inspection. */
    Map<String, String> facts();

    @Override
    void close();
}
