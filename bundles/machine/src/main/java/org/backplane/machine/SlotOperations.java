package org.backplane.machine;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.backplane.machine.slot.Factories.Offer;
import org.backplane.machine.slot.Pin;
import org.backplane.machine.slot.Slot;
import org.backplane.machine.slot.SlotSpec;
import org.backplane.machine.slot.Slots;

/** What a user asks of slots, with the conditions that a machine sets for it. Thread-safe. */
final class SlotOperations {
    private final Slots slots;
    private final Swaps swaps;
    private final BooleanSupplier guestRuns;
    private final FormerFunctions former = new FormerFunctions();

    /**
     * @param guestRuns whether a guest can be asked at this time
     */
    SlotOperations(Slots slots, Swaps swaps, BooleanSupplier guestRuns) {
        this.slots = slots;
        this.swaps = swaps;
        this.guestRuns = guestRuns;
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

    /** Nothing tells a running guest of a function on bus 0: whoever plugs it has to. */
    private SlotReport toFind(SlotReport plugged, boolean guest) throws MachineException {
        if (!guest || plugged.address().isEmpty()) {
            return plugged;
        }
        Optional<Integer> port = slots.get(plugged.name()).port();
        return plugged.withDetail(
                port.isPresent()
                        ? "in port %d, the guest was told".formatted(port.get())
                        : former.toFind(plugged.address()));
    }

    /** A guest begins: whatever was here before, it has not seen. */
    void guestBegins() {
        former.forget();
    }

    /** What to do in the guest about a device that leaves; empty if it knows, or has none. */
    private Optional<String> leaves(Slot there) {
        return Optional.of(there.report().address())
                .filter(address -> !address.isEmpty() && there.port().isEmpty())
                .map(former::left);
    }

    SlotReport pin(String slot, String pin) throws MachineException {
        slots.pin(slot, Pin.parse(pin));
        return slots.get(slot).report();
    }

    /** Nobody but its driver knows whether a device on bus 0 can go. */
    private static void requireReleased(Slot there) throws MachineException {
        if (!there.released()) {
            String address = there.report().address();
            throw new MachineException(
                    address.isEmpty()
                            ? "The slot '%s' is a fixed device of the board, which a guest cannot let go of: unplug it with --force."
                                    .formatted(there.spec().name())
                            : "The guest uses '%s': let it go there (echo 1 > /sys/bus/pci/devices/0000:%s/remove), or unplug with --force."
                                    .formatted(there.spec().name(), address));
        }
    }

    /**
     * Has the guest let go of a device, or finds that it has.
     *
     * @return half a sentence on how
     */
    private String release(Slot there, Duration bound) throws MachineException {
        Optional<Integer> port = there.port();
        if (port.isEmpty()) {
            requireReleased(there);
            return "unplugged";
        }
        String name = there.spec().name();
        if (!guestRuns.getAsBoolean()) {
            throw new MachineException(
                    "The guest does not run, and cannot let go of '%s' in port %d: vm:resume, or unplug with --force, which is surprise removal."
                            .formatted(name, port.get()));
        }
        switch (there.ask(bound)) {
            case GIVEN:
                return "the guest let go of it; unplugged from port %d".formatted(port.get());
            case NOT_GIVEN:
                throw new MachineException(
                        "The guest did not let go of '%s' within %d s: it stays in port %d. Ask again, or unplug with --force, which is surprise removal."
                                .formatted(name, bound.toSeconds(), port.get()));
            default:
                if (there.released()) {
                    return "no driver had it; unplugged from port %d".formatted(port.get());
                }
                throw new MachineException(
                        "The guest does not heed the attention button of port %d, where '%s' is (Linux: pciehp): unplug with --force, which is surprise removal."
                                .formatted(port.get(), name));
        }
    }

    /**
     * @param guest whether a guest runs already
     */
    UnplugReport unplug(String slot, Duration bound, boolean force, boolean guest)
            throws MachineException {
        Slot there = slots.get(slot);
        long began = System.nanoTime();
        String outcome = force ? forced(there) : release(there, bound);
        Duration waited = Duration.ofNanos(System.nanoTime() - began);
        Optional<String> todo = guest ? leaves(there) : Optional.empty();
        slots.remove(slot);
        return new UnplugReport(
                slot, outcome + todo.map(clause -> "; " + clause).orElse(""), waited);
    }

    private String forced(Slot there) {
        return there.port()
                .filter(port -> guestRuns.getAsBoolean())
                .map("taken out of port %d by surprise"::formatted)
                .orElse("unplugged");
    }

    SlotReport replug(String slot, String version, boolean force, boolean guest)
            throws MachineException {
        Slot there = slots.get(slot);
        if (!force) {
            release(there, Machine.UNPLUG_BOUND);
        }
        leaves(there);
        return toFind(swaps.replug(there, version), guest);
    }

    /**
     * Removes a slot that is not wanted any longer: at once, or if its device is in a port of a
     * guest that runs, when the guest has let go of it; a thread of its own waits for that.
     *
     * @param stays hears why the slot is still there
     */
    void removeUnwanted(String slot, Consumer<MachineException> stays) throws MachineException {
        Slot there = slots.get(slot);
        if (there.port().isEmpty() || !guestRuns.getAsBoolean()) {
            leaves(there);
            slots.remove(slot);
            return;
        }
        Runnable wait =
                () -> {
                    try {
                        release(there, Machine.UNPLUG_BOUND);
                        slots.remove(slot);
                    } catch (MachineException e) {
                        stays.accept(e);
                    }
                };
        Thread waiting = new Thread(wait, slot + "/unplug");
        waiting.setDaemon(true);
        waiting.start();
    }
}
