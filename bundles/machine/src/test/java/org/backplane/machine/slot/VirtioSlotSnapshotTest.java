package org.backplane.machine.slot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.backplane.device.state.SavedState;
import org.backplane.machine.MachineException;
import org.backplane.machine.SlotState;
import org.backplane.machine.slot.Factories.Offer;
import org.backplane.testkit.VirtioDriver;
import org.junit.jupiter.api.Test;

/** A virtio slot that is saved and restored. */
class VirtioSlotSnapshotTest extends VirtioSlotBench {
    /** Saves the slot, takes it out and puts another in its place. */
    private void restore(Offer offer, List<SavedState> saved) throws Exception {
        slot.close();
        plug();
        slot.restore(offer, SavedSlot.of(saved.get(0)));
    }

    @Test
    void restoredQueueGoesOnWhereItStopped() throws Exception {
        fill(offer(1, false, null));
        bringUp();
        for (int count = 0; count < 20; count++) {
            assertEquals(1, answer());
        }
        List<SavedState> saved = new ArrayList<>();
        long address;
        try (Standstill still = Standstill.of(List.of(slot), saved)) {
            address = request();
        }
        awaitUsed(21);
        // As if the snapshot's memory had come back: the request waits, its answer is not there.
        memory.putByte(address, (byte) 0);
        memory.putShort(ring.used() + 2, 20);
        restore(offer(2, false, null), saved);
        assertEquals(0, memory.getByte(address), "served before anybody was let in");
        slot.letIn();
        awaitUsed(21);
        assertEquals(2, memory.getByte(address));
        ring.collect();
        assertEquals(2, answer());
        assertEquals(2, driver.read(VirtioDriver.DEVICE, 0, 4));
    }

    @Test
    void requestsOfADeviceThatDidNotComeToRestArePresentedAgain() throws Exception {
        var hoarder = new Hoarder();
        fill(code.offer("version", context -> hoarder));
        bringUp();
        long first = request();
        long second = request();
        awaitTrue(() -> slot.inspect().facts().get("outstanding requests").equals("2"));
        List<SavedState> saved = new ArrayList<>();
        Standstill.of(List.of(slot), saved).close();
        restore(offer(3, false, null), saved);
        slot.letIn();
        awaitUsed(2);
        assertEquals(3, memory.getByte(first));
        assertEquals(3, memory.getByte(second));
        ring.collect();
        assertEquals(3, answer());
    }

    @Test
    void deviceWithAStateThatDoesNotComeToRestRefusesTheSnapshotAndGoesOn() throws Exception {
        var hold = new CountDownLatch(1);
        fill(offer(1, false, hold));
        bringUp();
        long address = request();
        awaitTrue(() -> slot.inspect().facts().get("outstanding requests").equals("1"));
        MachineException refusal =
                assertThrows(
                        MachineException.class,
                        () -> Standstill.of(List.of(slot), new ArrayList<>()));
        assertTrue(refusal.getMessage().contains("'disk0'"), refusal.getMessage());
        hold.countDown();
        awaitUsed(1);
        assertEquals(1, memory.getByte(address));
        ring.collect();
        assertEquals(1, answer());
    }

    @Test
    void damagedStateOfTheFunctionIsRefusedAndNothingIsLeft() throws Exception {
        fill(offer(1, false, null));
        bringUp();
        List<SavedState> saved = new ArrayList<>();
        Standstill.of(List.of(slot), saved).close();
        SavedState face = saved.get(0).child("face");
        SavedState.Builder worse = SavedState.of(face.schema(), face.version());
        face.numbers().forEach(worse::number);
        face.children().forEach(worse::child);
        SavedState.Builder whole = SavedState.of("slot", 1);
        saved.get(0).numbers().forEach(whole::number);
        saved.get(0).byteNames().forEach(name -> whole.bytes(name, saved.get(0).bytes(name)));
        whole.child("face", worse.number("status", 0xff).build());
        assertThrows(
                MachineException.class,
                () -> restore(offer(2, false, null), List.of(whole.build())));
        assertEquals(SlotState.WAITING, slot.state());
        assertTrue(board.bridge().functions().isEmpty());
    }
}
