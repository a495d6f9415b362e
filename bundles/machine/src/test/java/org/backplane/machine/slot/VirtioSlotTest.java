package org.backplane.machine.slot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Proxy;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.backplane.device.Device;
import org.backplane.machine.MachineException;
import org.backplane.machine.SlotCounters;
import org.backplane.machine.SlotState;
import org.backplane.machine.slot.Factories.Offer;
import org.backplane.testkit.DriverRing;
import org.backplane.testkit.VirtioDriver;
import org.backplane.virtio.VirtioDevice;
import org.backplane.virtio.VirtioShape;
import org.junit.jupiter.api.Test;

/** A virtio slot in service: requests, counters, swaps, resets. */
class VirtioSlotTest extends VirtioSlotBench {
    @Test
    void workerServesRequestsAndInterrupts() throws Exception {
        fill(offer(1, false, null));
        bringUp();
        assertEquals(1, answer());
        awaitTrue(() -> !(msi.messages().isEmpty()));
        assertFalse(slot.released());
    }

    @Test
    void whatTheDriverDoesIsCountedAndStaysOverSwapReplugAndReset() throws Exception {
        fill(offer(1, false, null));
        bringUp();
        exchange(3);
        assertCounted(3);

        // A swap kicks every queue, which is no doorbell of the driver.
        slot.swap(offer(2, false, null), false);
        exchange(2);
        assertCounted(5);

        slot.reset();
        driver = new VirtioDriver(bus, board.bridge().ecam(), 1);
        bringUp();
        exchange(1);
        assertCounted(6);

        slot.replug(offer(3, false, null));
        assertCounted(6);
        driver = new VirtioDriver(bus, board.bridge().ecam(), 1);
        bringUp();
        exchange(1);
        assertCounted(7);
    }

    /** Requests of three bytes to read and one to write. */
    private void exchange(int requests) {
        for (int i = 0; i < requests; i++) {
            int used = ring.usedIndex();
            ring.add(
                    new DriverRing.Buffer(memory.allocate(3, 1), 3, false),
                    new DriverRing.Buffer(memory.allocate(1, 1), 1, true));
            ring.publish();
            driver.ring(0);
            awaitUsed(used + 1 & 0xffff);
            ring.collect();
        }
    }

    private void assertCounted(int requests) {
        awaitTrue(() -> slot.counters().interrupts() == msi.messages().size());
        SlotCounters now = slot.counters();
        assertEquals(requests, now.doorbells());
        assertEquals(requests, now.requests());
        assertEquals(3L * requests, now.bytesRead());
        assertEquals(requests, now.bytesWritten());
        assertEquals(msi.messages().size(), now.interrupts());
        assertTrue(now.registerWrites() > requests && now.registerReads() > 10, now::toString);
        assertEquals(0, now.guestErrors());
    }

    @Test
    void aBrokenRingCountsAsAMistakeOfTheGuest() throws Exception {
        fill(offer(1, false, null));
        bringUp();
        ring.pokeAvailableIndex(100);
        driver.ring(0);
        awaitTrue(() -> slot.counters().guestErrors() == 1);
        assertEquals(0, slot.counters().requests());
    }

    @Test
    void nextVersionServesTheSameQueueAfterASwap() throws Exception {
        fill(offer(1, false, null));
        bringUp();
        for (int version = 2; version < 20; version++) {
            assertEquals(version - 1, answer());
            slot.swap(offer(version, false, null), false);
            assertEquals(version, driver.read(VirtioDriver.DEVICE, 0, 4));
        }
        assertEquals(18, ring.usedIndex());
    }

    @Test
    void requestThatComesDuringTheSwapIsServedOnce() throws Exception {
        var hold = new CountDownLatch(1);
        fill(offer(1, false, hold));
        bringUp();
        long first = heldRequest();
        var swap =
                new Thread(
                        () -> {
                            try {
                                slot.swap(offer(2, false, null), false);
                            } catch (MachineException e) {
                                throw new AssertionError(e);
                            }
                        });
        swap.start();
        // From here on the first device takes nothing new.
        awaitTrue(() -> made.get(0).quiesced);
        long second = request();
        hold.countDown();
        awaitUsed(2);
        swap.join();
        assertEquals(1, memory.getByte(first));
        assertEquals(2, memory.getByte(second));
        assertEquals(SlotState.RUNNING, slot.state());
    }

    @Test
    void resetReadsZeroOnceNobodyIsInTheDeviceAndTheDriverComesBack() throws Exception {
        var hold = new CountDownLatch(1);
        fill(offer(1, false, hold));
        bringUp();
        heldRequest();
        driver.requestReset();
        assertTrue(driver.status() != 0, "read 0 while a request was in the device");
        hold.countDown();
        awaitTrue(() -> !(driver.status() != 0));
        assertTrue(slot.released());
        bringUp();
        assertEquals(1, answer());
    }

    /** As Linux leaves it after a removal: reset, and acknowledged again. */
    @Test
    void functionWithoutADriverIsReleased() throws Exception {
        fill(offer(1, false, null));
        bringUp();
        assertFalse(slot.released());
        driver.requestReset();
        awaitTrue(() -> driver.status() == 0);
        driver.set(VirtioDriver.Common.DEVICE_STATUS, VirtioDriver.ACKNOWLEDGE);
        assertTrue(slot.released());
    }

    @Test
    void versionOfAnotherShapeIsRefused() throws Exception {
        fill(offer(1, false, null));
        bringUp();
        Offer other =
                code.offer(
                        "version",
                        context ->
                                (Device)
                                        Proxy.newProxyInstance(
                                                getClass().getClassLoader(),
                                                new Class<?>[] {VirtioDevice.class},
                                                (proxy, method, arguments) ->
                                                        method.getName().equals("shape")
                                                                ? new VirtioShape(
                                                                        1,
                                                                        0x020000,
                                                                        0,
                                                                        List.of(16),
                                                                        4)
                                                                : null));
        var refusal = assertThrows(MachineException.class, () -> slot.swap(other, false));
        assertTrue(refusal.getMessage().contains("deviceId=1"), refusal.getMessage());
        assertEquals(1, answer());
    }
}
