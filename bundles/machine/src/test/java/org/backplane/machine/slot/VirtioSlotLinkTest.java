package org.backplane.machine.slot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.backplane.device.LinkDevice;
import org.backplane.machine.MachineException;
import org.backplane.machine.slot.Factories.Offer;
import org.backplane.testkit.VirtioDriver;
import org.backplane.virtio.VirtioWires;
import org.junit.jupiter.api.Test;

/** A virtio slot whose device has a link. */
class VirtioSlotLinkTest extends VirtioSlotBench {
    /** Has a link, and tells its driver of a change. */
    private static final class Linked extends VersionDevice implements LinkDevice {
        private final List<String> told = new CopyOnWriteArrayList<>();
        private VirtioWires wires;

        Linked() {
            super(1, false, null);
        }

        @Override
        public void wired(VirtioWires given) {
            wires = given;
            told.add("wires");
        }

        @Override
        public void link(boolean up) {
            told.add(up ? "up" : "down");
            wires.configurationChanged();
        }

        @Override
        public void start() {
            told.add("start");
        }
    }

    private Offer linked() {
        return code.offer(
                "version",
                context -> {
                    var device = new Linked();
                    made.add(device);
                    return device;
                });
    }

    private List<String> told(int device) {
        return ((Linked) made.get(device)).told;
    }

    private long generation() {
        return driver.get(VirtioDriver.Common.CONFIG_GENERATION);
    }

    @Test
    void linkThatIsTakenDownStaysDownForEveryDeviceThatFollows() throws Exception {
        fill(linked());
        assertEquals(List.of("wires", "up", "start"), told(0));
        assertEquals("up", slot.inspect().facts().get("link"));
        slot.link(false);
        assertEquals(List.of("wires", "up", "start", "down"), told(0));
        assertEquals("down", slot.inspect().facts().get("link"));
        slot.swap(linked(), false);
        assertEquals(List.of("wires", "down", "start"), told(1));
        slot.reset();
        slot.link(true);
        assertEquals(List.of("wires", "down", "start", "up"), told(1));
    }

    @Test
    void driverHearsOfAChangeFromTheDeviceThatServesOnly() throws Exception {
        fill(linked());
        bringUp();
        long before = generation();
        slot.link(false);
        assertEquals(before + 1, generation());
        slot.swap(linked(), false);
        // The new one raised before it served: the driver heard of it once it did.
        assertEquals(before + 2, generation());
        ((Linked) made.get(0)).wires.configurationChanged();
        assertEquals(before + 2, generation());
    }

    @Test
    void mistakesThatTheDeviceFindsCountAsTheSlots() throws Exception {
        fill(linked());
        assertEquals("0", slot.inspect().facts().get("guest mistakes"));
        ((Linked) made.get(0)).wires.guestMistook("a frame of %d bytes", 3);
        assertEquals("1", slot.inspect().facts().get("guest mistakes"));
    }

    @Test
    void slotWithoutALinkRefusesToChangeIt() throws Exception {
        fill(offer(1, false, null));
        MachineException refusal = assertThrows(MachineException.class, () -> slot.link(false));
        assertEquals("The slot 'disk0' has no link: its kind is version.", refusal.getMessage());
        assertFalse(slot.inspect().facts().containsKey("link"));
    }
}
