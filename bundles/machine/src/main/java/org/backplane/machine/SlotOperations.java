package org.backplane.machine;

import java.util.List;
import org.backplane.machine.slot.Factories.Offer;
import org.backplane.machine.slot.Pin;
import org.backplane.machine.slot.Slot;
import org.backplane.machine.slot.SlotSpec;
import org.backplane.machine.slot.Slots;

/** What a user asks of slots, with the conditions that a machine sets for it. Thread-safe. */
final class SlotOperations {
    private final Slots slots;
    private final Swaps swaps;

    SlotOperations(Slots slots, Swaps swaps) {
        this.slots = slots;
        this.swaps = swaps;
    }

    List<String> kinds() {
        return slots.factories().offers().stream().map(Offer::kind).distinct().sorted().toList();
    }

    /** Adds a slot that the machine cannot start without. */
    void addAtStart(SlotSpec spec) throws MachineException {
        Slot slot = slots.add(spec);
        if (slot.state() == SlotState.WAITING) {
            List<String> there =
                    slot.pin().isEmpty()
                            ? kinds()
                            : slots.factories().offers().stream()
                                    .filter(offer -> offer.kind().equals(spec.kind()))
                                    .map(Offer::toString)
                                    .toList();
            throw new MachineException(
                    "%s: %s: there are %s."
                            .formatted(
                                    spec.source(),
                                    slot.report().detail(),
                                    there.isEmpty() ? "none" : String.join(", ", there)));
        }
    }

    /**
     * @param guest whether a guest runs already
     */
    SlotReport plug(SlotSpec spec, boolean guest) throws MachineException {
        return toFind(slots.add(spec).report(), guest);
    }

    /** Nothing on this board tells a running guest of a new function: whoever plugs it has to. */
    private static SlotReport toFind(SlotReport plugged, boolean guest) {
        return !guest || plugged.address().isEmpty()
                ? plugged
                : plugged.withDetail("the guest finds it by: echo 1 > /sys/bus/pci/rescan");
    }

    SlotReport pin(String slot, String pin) throws MachineException {
        slots.pin(slot, Pin.parse(pin));
        return slots.get(slot).report();
    }

    /** Nobody but its driver knows whether a device can go. */
    private static void requireReleased(Slot there, boolean force) throws MachineException {
        if (!force && !there.released()) {
            String address = there.report().address();
            throw new MachineException(
                    address.isEmpty()
                            ? "The slot '%s' is a fixed device of the board, which a guest cannot let go of: unplug it with --force."
                                    .formatted(there.spec().name())
                            : "The guest uses '%s': let it go there (echo 1 > /sys/bus/pci/devices/0000:%s/remove), or unplug with --force."
                                    .formatted(there.spec().name(), address));
        }
    }

    void unplug(String slot, boolean force) throws MachineException {
        requireReleased(slots.get(slot), force);
        slots.remove(slot);
    }

    SlotReport replug(String slot, String version, boolean force, boolean guest)
            throws MachineException {
        requireReleased(slots.get(slot), force);
        return toFind(swaps.replug(slots.get(slot), version), guest);
    }
}
