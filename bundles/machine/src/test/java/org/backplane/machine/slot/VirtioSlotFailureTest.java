package org.backplane.machine.slot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.backplane.machine.MachineException;
import org.backplane.machine.SlotState;
import org.backplane.machine.processor.MachineThread;
import org.backplane.machine.slot.Factories.Offer;
import org.backplane.testkit.VirtioDriver;
import org.backplane.virtio.SplitQueue;
import org.backplane.virtio.VirtioShape;
import org.junit.jupiter.api.Test;

/** A virtio slot whose device fails, hangs, keeps requests or comes too late. */
class VirtioSlotFailureTest extends VirtioSlotBench {
    @Test
    void throwingWorkFailsTheSlotAndTheDriverIsTold() throws Exception {
        fill(offer(1, true, null));
        bringUp();
        request();
        awaitTrue(() -> !(slot.state() != SlotState.FAILED));
        awaitTrue(() -> !((driver.status() & VirtioDriver.NEEDS_RESET) == 0));
        slot.swap(offer(2, false, null), false);
        driver.requestReset();
        awaitTrue(() -> !(driver.status() != 0));
        bringUp();
        assertEquals(2, answer());
    }

    /** Linux reads the configuration anew when a device needs a reset: then it is all ones. */
    @Test
    void driverLooksAtTheConfigurationAgainAfterARepair() throws Exception {
        fill(offer(1, true, null));
        bringUp();
        request();
        awaitTrue(() -> slot.state() == SlotState.FAILED);
        long generation = driver.get(VirtioDriver.Common.CONFIG_GENERATION);
        assertEquals(-1, (int) driver.read(VirtioDriver.DEVICE, 0, 4));
        slot.swap(offer(2, false, null), false);
        assertNotEquals(generation, driver.get(VirtioDriver.Common.CONFIG_GENERATION));
        assertEquals(2, driver.read(VirtioDriver.DEVICE, 0, 4));
    }

    /** A device that says it is idle and holds a request will never answer it. */
    @Test
    void requestThatAnIdleDeviceKeptIsServedByTheNext() throws Exception {
        fill(
                code.offer(
                        "version",
                        context ->
                                new VersionDevice(1, false, null) {
                                    @Override
                                    public void work(int index) {
                                        kept().poll();
                                    }
                                }));
        bringUp();
        long address = heldRequest();
        assertEquals(0, slot.swap(offer(2, false, null), false).drained());
        awaitUsed(1);
        assertEquals(2, memory.getByte(address));
    }

    @Test
    void driverOfAFailedDeviceCanStillReset() throws Exception {
        fill(offer(1, true, null));
        bringUp();
        request();
        awaitTrue(() -> !(slot.state() != SlotState.FAILED));
        driver.requestReset();
        awaitTrue(() -> !(driver.status() != 0));
        assertEquals(SlotState.FAILED, slot.state());
    }

    @Test
    void deviceThatDoesNotComeToRestForTheDriversResetFails() throws Exception {
        fill(code.offer("version", context -> new Hoarder()));
        bringUp();
        request();
        awaitTrue(() -> slot.inspect().facts().get("outstanding requests").equals("1"));
        driver.requestReset();
        awaitTrue(() -> slot.state() == SlotState.FAILED);
        slot.swap(offer(2, false, null), false);
        driver.requestReset();
        awaitTrue(() -> driver.status() == 0);
        bringUp();
        assertEquals(2, answer());
    }

    /** The guest's driver is ready just when the next version begins, and that one gives up. */
    private final class Latecomer extends VersionDevice {
        private volatile boolean begun;

        Latecomer() {
            super(2, false, null);
        }

        @Override
        public void start() {
            begun = true;
            assertTrue(driver.ready());
        }

        @Override
        public VirtioShape shape() {
            if (begun) {
                throw new IllegalStateException("it does not want to");
            }
            return super.shape();
        }
    }

    @Test
    void driverThatIsReadyDuringASwapThatIsRolledBackIsServed() throws Exception {
        fill(offer(1, false, null));
        driver.enableMsix();
        assertTrue(driver.negotiate(FEATURES));
        ring.reset();
        assertTrue(driver.enableQueue(0, ring, 0));
        Offer next = code.offer("version", context -> new Latecomer());
        assertThrows(MachineException.class, () -> slot.swap(next, false));
        assertEquals(1, answer());
        assertEquals(SlotState.RUNNING, slot.state());
    }

    /** Comes back from activate when nobody waits for it any more. */
    private static final class SlowStarter extends VersionDevice {
        private final CountDownLatch hold;
        private final CountDownLatch back;

        SlowStarter(CountDownLatch hold, CountDownLatch back) {
            super(2, false, null);
            this.hold = hold;
            this.back = back;
        }

        @Override
        public void activate(long features, List<SplitQueue> queues) {
            while (hold.getCount() > 0) {
                Thread.onSpinWait();
            }
            super.activate(features, queues);
        }

        @Override
        public void close() {
            back.countDown();
        }
    }

    @Test
    void deviceThatIsActivatedTooLateDoesNotTakeTheSeatOfTheOneBefore() throws Exception {
        var hold = new CountDownLatch(1);
        var closed = new CountDownLatch(1);
        fill(offer(1, false, null));
        bringUp();
        Offer next = code.offer("version", context -> new SlowStarter(hold, closed));
        assertThrows(MachineException.class, () -> slot.swap(next, false));
        closed.await();
        hold.countDown();
        awaitTrue(
                () ->
                        MachineThread.all().stream()
                                .noneMatch(thread -> thread.getName().endsWith("/activate")));
        assertEquals(1, answer());
        assertEquals(1, driver.read(VirtioDriver.DEVICE, 0, 1));
    }

    @Test
    void requestOfCodeThatFailsOnProbationIsServedByTheCodeBefore() throws Exception {
        Offer first = offer(1, false, null);
        fill(first);
        bringUp();
        assertEquals(1, answer());
        slot.swap(offer(2, true, null), false);
        assertEquals(1, answer());
        assertTrue(slot.offer().orElseThrow() == first);
        assertEquals(0, driver.status() & VirtioDriver.NEEDS_RESET);
    }

    @Test
    void requestThatHangsOnProbationIsServedOnceByTheCodeBefore() throws Exception {
        var hold = new CountDownLatch(1);
        fill(offer(1, false, null));
        bringUp();
        slot.swap(offer(2, false, hold), false);
        long address = heldRequest();
        awaitTrue(this::overstayed);
        awaitUsed(1);
        assertEquals(1, memory.getByte(address));
        hold.countDown();
        assertEquals(1, answer());
        assertEquals(2, ring.usedIndex());
    }

    private boolean overstayed() {
        for (MachineThread thread : MachineThread.all()) {
            if (thread.getName().equals("disk0/queue0") && thread.inside() instanceof Gate gate) {
                gate.overstayed(thread);
                return true;
            }
        }
        return false;
    }

    @Test
    void requestThatADeviceKeepsForEverIsServedAfterAForcedSwap() throws Exception {
        var hold = new CountDownLatch(1);
        fill(offer(1, false, hold));
        bringUp();
        long address = heldRequest();
        Offer next = offer(2, false, null);
        assertThrows(MachineException.class, () -> slot.swap(next, false));
        slot.swap(next, true);
        awaitUsed(1);
        assertEquals(2, memory.getByte(address));
        hold.countDown();
        assertEquals(2, answer());
        assertEquals(2, ring.usedIndex());
    }

    @Test
    void requestsOfAFailedDeviceAreServedByTheOneThatRepairsTheSlot() throws Exception {
        fill(offer(1, true, null));
        bringUp();
        long address = request();
        awaitTrue(() -> slot.state() == SlotState.FAILED);
        slot.swap(offer(2, false, null), false);
        awaitUsed(1);
        assertEquals(2, memory.getByte(address));
    }
}
