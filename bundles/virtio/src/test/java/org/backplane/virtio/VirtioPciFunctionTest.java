package org.backplane.virtio;

import static org.backplane.testkit.VirtioDriver.COMMON;
import static org.backplane.testkit.VirtioDriver.DEVICE;
import static org.backplane.testkit.VirtioDriver.FEATURES_OK;
import static org.backplane.testkit.VirtioDriver.ISR;
import static org.backplane.testkit.VirtioDriver.MESSAGE_DATA;
import static org.backplane.testkit.VirtioDriver.NEEDS_RESET;
import static org.backplane.testkit.VirtioDriver.NOTIFY;
import static org.backplane.testkit.VirtioDriver.NO_VECTOR;
import static org.backplane.testkit.VirtioDriver.PCI_CFG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.backplane.bus.Space;
import org.backplane.testkit.DriverRing;
import org.backplane.testkit.DriverRing.Buffer;
import org.backplane.testkit.VirtioDriver;
import org.backplane.testkit.VirtioDriver.Common;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class VirtioPciFunctionTest {
    @Test
    void identifiesItselfAsAModernDevice() throws Exception {
        try (FunctionRig rig = new FunctionRig()) {
            assertEquals(0x1af4, rig.driver.config(0x00, 2));
            assertEquals(0x1042, rig.driver.config(0x02, 2));
            assertEquals(1, rig.driver.config(0x08, 1));
            assertEquals(0x018000, rig.driver.config(0x08, 4) >>> 8);
            assertEquals(0x1af4, rig.driver.config(0x2c, 2));
            assertTrue(rig.driver.config(0x2e, 2) >= 0x40);
            assertEquals(1, rig.driver.config(0x3d, 1));
        }
    }

    @Test
    void givesEachStructureAPageOfItsOwn() throws Exception {
        try (FunctionRig rig = new FunctionRig()) {
            assertEquals(0x38, rig.driver.structure(COMMON).length());
            assertEquals(2 * 4, rig.driver.structure(NOTIFY).length());
            assertEquals(24, rig.driver.structure(DEVICE).length());
            assertTrue(rig.driver.structure(ISR).length() >= 1);
            assertNotNull(rig.driver.structure(PCI_CFG));
            List<Long> pages =
                    List.of(COMMON, NOTIFY, ISR, DEVICE).stream()
                            .map(kind -> rig.driver.address(kind, 0) >>> 12)
                            .distinct()
                            .toList();
            assertEquals(4, pages.size());
            assertNotEquals(rig.driver.doorbell(0), rig.driver.doorbell(1));
        }
    }

    @Test
    void leavesOutTheDeviceStructureOfADeviceWithoutConfiguration() throws Exception {
        VirtioShape entropy = new VirtioShape(4, 0x00ff00, 0, List.of(8), 0);
        try (FunctionRig rig = new FunctionRig(entropy)) {
            assertNull(rig.driver.structure(DEVICE));
            assertEquals(1, rig.driver.get(Common.NUM_QUEUES));
            assertEquals(1, rig.driver.windowRead(0, 0x12, 2));
        }
    }

    @Test
    void goesThroughInitializationAsTheSpecificationOrdersIt() throws Exception {
        try (FunctionRig rig = new FunctionRig()) {
            assertEquals(0, rig.driver.status());
            assertEquals(FunctionRig.ALL, rig.driver.offeredFeatures());
            assertEquals(2, rig.driver.get(Common.NUM_QUEUES));
            rig.bringUp();
            assertEquals(0x0f, rig.driver.status());
            assertEquals(List.of("driverOk 0x%x".formatted(FunctionRig.ALL)), rig.calls);
            assertEquals(2, rig.activated.size());
            assertTrue(rig.function.active());
            assertEquals(FunctionRig.ALL, rig.function.negotiatedFeatures());

            int head = rig.rings.get(0).add(Buffer.writable(rig.memory.allocate(4, 4), 4));
            assertTrue(rig.rings.get(0).publish());
            DescriptorChain chain = rig.activated.get(0).poll();
            assertEquals(head, chain.head());
            rig.activated.get(0).complete(chain, 4);
            rig.activated.get(0).interrupt();
            assertEquals(1, rig.msi.count(MESSAGE_DATA));
            assertEquals(head, rig.rings.get(0).collect().head());
        }
    }

    @Test
    void saysWhichQueuesTheDriverLeftDisabled() throws Exception {
        try (FunctionRig rig = new FunctionRig()) {
            rig.driver.negotiate(FunctionRig.ALL);
            rig.driver.enableQueue(1, rig.rings.get(1), NO_VECTOR);
            rig.driver.ready();
            assertNull(rig.activated.get(0));
            assertNotNull(rig.activated.get(1));
            assertEquals(Map.of(1, rig.driver.doorbell(1)), rig.bound);
        }
    }

    @Test
    void refusesFeaturesThatWereNotOffered() throws Exception {
        try (FunctionRig rig = new FunctionRig()) {
            assertFalse(rig.driver.negotiate(VirtioDriver.VERSION_1 | 0b10));
            assertFalse(rig.driver.enableQueue(0, rig.rings.get(0), 0), "no features, no queue");
            assertFalse(rig.driver.ready());
            assertTrue(rig.calls.isEmpty());
            // The driver may think again.
            assertTrue(rig.driver.negotiate(VirtioDriver.VERSION_1));
        }
    }

    @Test
    void refusesADriverOfTheLegacyInterface() throws Exception {
        try (FunctionRig rig = new FunctionRig()) {
            assertFalse(rig.driver.negotiate(FunctionRig.OWN_FEATURES));
            assertFalse(rig.driver.negotiate(0));
        }
    }

    @Test
    void keepsFeaturesAsTheyWereOnceBothSidesAgreed() throws Exception {
        try (FunctionRig rig = new FunctionRig()) {
            assertTrue(rig.driver.negotiate(VirtioDriver.VERSION_1 | 1));
            rig.driver.set(Common.DRIVER_FEATURE_SELECT, 0);
            rig.driver.set(Common.DRIVER_FEATURE, 0b101);
            assertEquals(VirtioDriver.VERSION_1 | 1, rig.function.negotiatedFeatures());
        }
    }

    @Test
    void forgetsAcceptedFeaturesWithEachReset() throws Exception {
        try (FunctionRig rig = new FunctionRig()) {
            rig.driver.negotiate(VirtioDriver.VERSION_1 | 0b1);
            rig.driver.requestReset();
            rig.function.resetDone();
            assertEquals(0, rig.driver.get(Common.DRIVER_FEATURE));
            assertTrue(rig.driver.negotiate(VirtioDriver.VERSION_1 | 0b100));
            assertEquals(VirtioDriver.VERSION_1 | 0b100, rig.function.negotiatedFeatures());
        }
    }

    @Test
    void readsAsBeforeUntilTheResetIsDone() throws Exception {
        try (FunctionRig rig = new FunctionRig()) {
            rig.bringUp();
            rig.rings.get(0).add(Buffer.writable(rig.memory.allocate(4, 4), 4));
            rig.rings.get(0).add(Buffer.writable(rig.memory.allocate(4, 4), 4));
            rig.rings.get(0).publish();
            SplitQueue queue = rig.queue(0);
            DescriptorChain out = queue.poll();
            rig.calls.clear();
            rig.driver.requestReset();
            assertEquals(List.of("reset"), rig.calls);
            assertEquals(0x0f, rig.driver.status());
            assertFalse(rig.function.active());
            assertNull(queue.poll(), "nothing new");

            // What the driver does meanwhile has no effect, and is not asked for twice.
            rig.driver.requestReset();
            rig.driver.set(Common.QUEUE_SELECT, 1);
            assertEquals(List.of("reset"), rig.calls);

            queue.complete(out, 4);
            assertEquals(1, rig.rings.get(0).usedIndex(), "what is out completes");
            rig.function.resetDone();
            assertEquals(0, rig.driver.status());
            assertEquals(0, rig.driver.get(Common.QUEUE_SELECT));
            assertEquals(NO_VECTOR, rig.driver.get(Common.QUEUE_MSIX_VECTOR));
            assertEquals(NO_VECTOR, rig.driver.get(Common.CONFIG_MSIX_VECTOR));
            assertEquals(0, rig.driver.get(Common.QUEUE_ENABLE));
            assertEquals(0, rig.driver.get(Common.QUEUE_DESC));
            assertTrue(rig.bound.isEmpty(), "no doorbells");
            rig.bringUp();
            assertSame(queue, rig.activated.get(0));
        }
    }

    @Test
    void resetsWithRequestsStillOutAndIgnoresTheirCompletion() throws Exception {
        try (FunctionRig rig = new FunctionRig()) {
            rig.bringUp();
            rig.rings.get(0).add(Buffer.writable(rig.memory.allocate(4, 4), 4));
            rig.rings.get(0).publish();
            SplitQueue queue = rig.queue(0);
            DescriptorChain late = queue.poll();
            assertEquals(1, rig.function.outstanding());
            rig.driver.requestReset();
            rig.function.resetDone();
            assertEquals(0, rig.function.outstanding());
            queue.complete(late, 4);
            queue.interrupt();
            assertEquals(0, rig.rings.get(0).usedIndex());
            assertTrue(rig.msi.messages().isEmpty());
        }
    }

    @Test
    void resetsAtOnceADeviceThatNobodyHasTouched() throws Exception {
        try (FunctionRig rig = new FunctionRig()) {
            rig.driver.set(Common.QUEUE_SELECT, 1);
            rig.driver.set(Common.QUEUE_SIZE, 4);
            rig.driver.requestReset();
            assertTrue(rig.calls.isEmpty());
            rig.driver.set(Common.QUEUE_SELECT, 1);
            assertEquals(8, rig.driver.get(Common.QUEUE_SIZE));
        }
    }

    @Test
    void refusesQueuesItCannotUse() throws Exception {
        try (FunctionRig rig = new FunctionRig()) {
            DriverRing ring = rig.rings.get(0);
            assertFalse(rig.driver.enableQueue(0, ring, 0), "before FEATURES_OK");
            rig.driver.negotiate(FunctionRig.ALL);
            rig.driver.set(Common.QUEUE_SELECT, 0);
            for (int size : new int[] {0, 3, 32, 0x8000}) {
                rig.driver.set(Common.QUEUE_SIZE, size);
                assertEquals(16, rig.driver.get(Common.QUEUE_SIZE));
            }
            rig.driver.set(Common.QUEUE_DRIVER, ring.available());
            rig.driver.set(Common.QUEUE_DEVICE, ring.used());
            for (long address : new long[] {0, ring.descriptors() + 4, 1L << 63, -16}) {
                rig.driver.set(Common.QUEUE_DESC, address);
                rig.driver.set(Common.QUEUE_ENABLE, 1);
                assertEquals(0, rig.driver.get(Common.QUEUE_ENABLE));
            }
            assertTrue(rig.function.guestErrors() >= 8);
            assertTrue(rig.driver.enableQueue(0, ring, 0));
            rig.driver.set(Common.QUEUE_DESC, 0);
            rig.driver.set(Common.QUEUE_ENABLE, 0);
            rig.driver.set(Common.QUEUE_SIZE, 2);
            assertEquals(ring.descriptors(), rig.driver.get(Common.QUEUE_DESC));
            assertEquals(1, rig.driver.get(Common.QUEUE_ENABLE));
            assertEquals(16, rig.driver.get(Common.QUEUE_SIZE));
            rig.driver.ready();
            assertFalse(rig.driver.enableQueue(1, rig.rings.get(1), 0), "after DRIVER_OK");
        }
    }

    @Test
    void hasNoQueueBeyondTheLast() throws Exception {
        try (FunctionRig rig = new FunctionRig()) {
            for (int queue : new int[] {2, 0x7fff, 0xffff}) {
                rig.driver.set(Common.QUEUE_SELECT, queue);
                assertEquals(queue, rig.driver.get(Common.QUEUE_SELECT));
                assertEquals(0, rig.driver.get(Common.QUEUE_SIZE));
                rig.driver.set(Common.QUEUE_SIZE, 4);
                rig.driver.set(Common.QUEUE_ENABLE, 1);
                assertEquals(0, rig.driver.get(Common.QUEUE_ENABLE));
            }
        }
    }

    @Test
    void readsAddressesInWholeAndInHalves() throws Exception {
        try (FunctionRig rig = new FunctionRig()) {
            rig.driver.write(COMMON, 0x20, 8, 0x1122_3344_5566_7788L);
            assertEquals(0x5566_7788L, rig.driver.read(COMMON, 0x20, 4));
            assertEquals(0x1122_3344L, rig.driver.read(COMMON, 0x24, 4));
            assertEquals(0x1122_3344_5566_7788L, rig.driver.read(COMMON, 0x20, 8));
            assertEquals(0, rig.driver.read(COMMON, 0x22, 2), "no field begins there");
            assertEquals(0, rig.driver.read(COMMON, 0x14, 4), "nor is it that wide");
            rig.driver.write(COMMON, 0x00, 8, 1);
            assertEquals(0, rig.driver.get(Common.DEVICE_FEATURE_SELECT), "two fields at once");
        }
    }

    @Test
    void readsBackNoVectorForOneItDoesNotHave() throws Exception {
        try (FunctionRig rig = new FunctionRig()) {
            assertEquals(NO_VECTOR, rig.driver.get(Common.CONFIG_MSIX_VECTOR));
            assertEquals(NO_VECTOR, rig.driver.get(Common.QUEUE_MSIX_VECTOR));
            rig.driver.set(Common.CONFIG_MSIX_VECTOR, 2);
            assertEquals(2, rig.driver.get(Common.CONFIG_MSIX_VECTOR));
            rig.driver.set(Common.CONFIG_MSIX_VECTOR, 3);
            assertEquals(NO_VECTOR, rig.driver.get(Common.CONFIG_MSIX_VECTOR));
            rig.driver.set(Common.QUEUE_MSIX_VECTOR, 0x8000);
            assertEquals(NO_VECTOR, rig.driver.get(Common.QUEUE_MSIX_VECTOR));
        }
    }

    @Test
    void sendsNothingForAQueueWithoutAVector() throws Exception {
        try (FunctionRig rig = new FunctionRig()) {
            rig.bringUp();
            rig.driver.set(Common.QUEUE_SELECT, 0);
            rig.driver.set(Common.QUEUE_MSIX_VECTOR, NO_VECTOR);
            useOne(rig, 0);
            useOne(rig, 1);
            assertEquals(1, rig.msi.messages().size());
            assertEquals(1, rig.msi.count(MESSAGE_DATA + 1));
        }
    }

    private static void useOne(FunctionRig rig, int queue) {
        rig.rings.get(queue).enableInterrupts();
        rig.rings.get(queue).add(Buffer.writable(rig.memory.allocate(4, 4), 4));
        rig.rings.get(queue).publish();
        SplitQueue device = rig.queue(queue);
        device.complete(device.poll(), 0);
        device.interrupt();
        rig.rings.get(queue).collect();
    }

    @Test
    void raisesThePinUntilIsrIsReadWhileMsixIsOff() throws Exception {
        try (FunctionRig rig = new FunctionRig()) {
            rig.driver.negotiate(FunctionRig.ALL);
            rig.driver.enableQueue(0, rig.rings.get(0), NO_VECTOR);
            rig.driver.ready();
            useOne(rig, 0);
            assertTrue(rig.pins.get(FunctionRig.DEVICE));
            rig.function.configurationChanged();
            assertEquals(3, rig.driver.isr());
            assertFalse(rig.pins.get(FunctionRig.DEVICE));
            assertEquals(0, rig.driver.isr());
            useOne(rig, 0);
            assertTrue(rig.pins.get(FunctionRig.DEVICE));
            rig.driver.requestReset();
            rig.function.resetDone();
            assertFalse(rig.pins.get(FunctionRig.DEVICE), "a reset lowers it");
        }
    }

    @Test
    void countsTheGenerationOnAndInterruptsWhenTheConfigurationChanges() throws Exception {
        try (FunctionRig rig = new FunctionRig()) {
            long before = rig.driver.get(Common.CONFIG_GENERATION);
            rig.function.configurationChanged();
            assertNotEquals(before, rig.driver.get(Common.CONFIG_GENERATION));
            assertTrue(rig.msi.messages().isEmpty());
            rig.bringUp();
            rig.function.configurationChanged();
            assertEquals(1, rig.msi.count(MESSAGE_DATA + 2));
        }
    }

    @Test
    void bindsDoorbellsWhereTheBarDecodesAndFollowsItsMoves() throws Exception {
        try (FunctionRig rig = new FunctionRig()) {
            rig.driver.negotiate(FunctionRig.ALL);
            assertTrue(rig.bound.isEmpty(), "no queue is enabled");
            rig.driver.enableQueue(0, rig.rings.get(0), 0);
            rig.driver.enableQueue(1, rig.rings.get(1), 1);
            Map<Integer, Long> first = Map.of(0, rig.driver.doorbell(0), 1, rig.driver.doorbell(1));
            assertEquals(first, rig.bound);

            rig.driver.setConfig(0x04, 2, 0);
            assertTrue(rig.bound.isEmpty(), "decoding is off");
            rig.driver.setConfig(0x10, 4, 0x4100_0000);
            rig.driver.setConfig(0x14, 4, 0);
            assertTrue(rig.bound.isEmpty(), "still off");
            rig.driver.setConfig(0x04, 2, 6);
            assertEquals(0x4100_0000, rig.driver.bar(0));
            Map<Integer, Long> moved = Map.of(0, rig.driver.doorbell(0), 1, rig.driver.doorbell(1));
            assertEquals(moved, rig.bound);
            assertNotEquals(first, moved);

            rig.driver.requestReset();
            rig.function.resetDone();
            assertTrue(rig.bound.isEmpty(), "no queue is enabled any more");
        }
    }

    @Test
    void signalsTheEventForAStoreThatComesThroughTheBar() throws Exception {
        try (FunctionRig rig = new FunctionRig()) {
            rig.driver.ring(1);
            assertEquals(0, rig.doorbells.get(1).drain(), "the queue is not enabled");
            rig.bringUp();
            rig.driver.ring(1);
            rig.driver.ring(1);
            assertEquals(2, rig.doorbells.get(1).drain());
            assertEquals(0, rig.doorbells.get(0).drain());
            rig.driver.write(NOTIFY, 2, 2, 0);
            rig.driver.write(NOTIFY, 8, 4, 0);
            rig.driver.write(NOTIFY, 0xffc, 4, 0);
            assertEquals(0, rig.doorbells.get(0).drain());
        }
    }

    @Test
    void passesDeviceConfigurationOnAndNothingBeyondIt() throws Exception {
        try (FunctionRig rig = new FunctionRig()) {
            rig.driver.write(DEVICE, 8, 8, 0x1122_3344_5566_7788L);
            assertEquals(0x5566, rig.driver.read(DEVICE, 10, 2));
            assertEquals(List.of("write 8+8", "read 10+2"), rig.calls);
            rig.calls.clear();
            assertEquals(0xffff_ffffL, rig.driver.read(DEVICE, 22, 4));
            assertEquals(0xff, rig.driver.read(DEVICE, 24, 1));
            rig.driver.write(DEVICE, 0xfff, 1, 0);
            assertTrue(rig.calls.isEmpty());
        }
    }

    @Test
    void reachesEveryStructureThroughTheConfigurationWindowBeforeTheBarDecodes() throws Exception {
        try (FunctionRig rig = new FunctionRig()) {
            long common = rig.driver.structure(COMMON).offset();
            long device = rig.driver.structure(DEVICE).offset();
            long notify = rig.driver.structure(NOTIFY).offset();
            rig.bringUp();
            rig.driver.setConfig(0x04, 2, 4);
            assertEquals(-1, rig.bus.read(Space.MMIO, rig.driver.address(COMMON, 0), 4) | ~0xffL);
            assertEquals(2, rig.driver.windowRead(0, common + 0x12, 2));
            assertEquals(0x0f, rig.driver.windowRead(0, common + 0x14, 1));
            rig.driver.windowWrite(0, device + 4, 4, 0xcafe_babeL);
            assertEquals(0xcafe_babeL, rig.driver.windowRead(0, device + 4, 4));
            assertEquals(0xca, rig.driver.windowRead(0, device + 7, 1));
            rig.driver.windowWrite(0, notify, 2, 0);
            assertEquals(1, rig.doorbells.get(0).drain());
            rig.driver.windowWrite(0, common + 0x14, 1, 0);
            assertTrue(rig.calls.contains("reset"));
        }
    }

    @Test
    void ignoresAConfigurationWindowThatIsAimedNowhere() throws Exception {
        try (FunctionRig rig = new FunctionRig()) {
            rig.driver.windowWrite(1, 0x2000, 4, 1);
            rig.driver.windowWrite(0, 0x4000, 4, 1);
            rig.driver.windowWrite(0, -4, 4, 1);
            rig.driver.windowWrite(0, 0x2001, 2, 1);
            int window = rig.driver.structure(PCI_CFG).capability();
            rig.driver.setConfig(window + 8, 4, 0x2000);
            for (int length : new int[] {0, 3, 8, -1}) {
                rig.driver.setConfig(window + 12, 4, length);
                rig.driver.setConfig(window + 16, 4, 1);
                rig.driver.config(window + 16, 4);
            }
            assertTrue(rig.calls.isEmpty());
            assertTrue(rig.function.guestErrors() > 0);
        }
    }

    @Test
    void breaksOneQueueAndTellsDriverAndSlot() throws Exception {
        try (FunctionRig rig = new FunctionRig()) {
            rig.bringUp();
            SplitQueue second = rig.queue(1);
            rig.rings.get(0).offer(16);
            assertNull(rig.queue(0).poll());
            assertTrue(rig.calls.contains("broken 0"));
            assertEquals(0x0f | NEEDS_RESET, rig.driver.status());
            assertEquals(1, rig.msi.count(MESSAGE_DATA + 2), "configuration interrupt");
            useOne(rig, 1);
            assertEquals(1, rig.rings.get(1).usedIndex(), "the other queue works on");
            assertSame(second, rig.queue(1));

            // The driver can neither set nor clear the bit; a reset does.
            rig.driver.set(Common.DEVICE_STATUS, 0x0f);
            assertEquals(0x0f | NEEDS_RESET, rig.driver.status());
            rig.driver.requestReset();
            rig.function.resetDone();
            rig.bringUp();
            assertEquals(0x0f, rig.driver.status());
            useOne(rig, 0);
            assertEquals(1, rig.rings.get(0).usedIndex());
        }
    }

    @Test
    void acceptsADeviceThatOffersMoreAndShowsItAfterTheNextReset() throws Exception {
        try (FunctionRig rig = new FunctionRig()) {
            rig.bringUp();
            VirtioShape shape = FunctionRig.SHAPE;
            VirtioShape more = with(shape, shape.features() | 0b1000);
            VirtioShape fewer = with(shape, 0b001);
            assertTrue(rig.function.accepts(shape));
            assertTrue(rig.function.accepts(more));
            assertFalse(rig.function.accepts(fewer));
            assertFalse(
                    rig.function.accepts(new VirtioShape(1, 0x018000, 0b101, List.of(16, 8), 24)));
            assertFalse(
                    rig.function.accepts(new VirtioShape(2, 0x018000, 0b101, List.of(16, 16), 24)));
            assertFalse(
                    rig.function.accepts(new VirtioShape(2, 0x018000, 0b101, List.of(16, 8), 32)));
            assertThrows(IllegalArgumentException.class, () -> rig.function.adopt(fewer));

            rig.function.adopt(more);
            assertEquals(FunctionRig.ALL, rig.driver.offeredFeatures());
            assertTrue(rig.function.accepts(shape), "the way back, unseen");
            rig.driver.requestReset();
            rig.function.resetDone();
            assertEquals(FunctionRig.ALL | 0b1000, rig.driver.offeredFeatures());
            assertFalse(rig.function.accepts(shape), "the driver has seen the new feature");
        }
    }

    private static VirtioShape with(VirtioShape shape, long features) {
        return new VirtioShape(
                shape.deviceId(),
                shape.classCode(),
                features,
                shape.queueSizes(),
                shape.configLength());
    }

    @Test
    void presentsOutstandingRequestsAgain() throws Exception {
        try (FunctionRig rig = new FunctionRig()) {
            rig.bringUp();
            int head = rig.rings.get(0).add(Buffer.writable(rig.memory.allocate(4, 4), 4));
            rig.rings.get(0).publish();
            SplitQueue queue = rig.queue(0);
            DescriptorChain chain = queue.poll();
            assertNull(queue.poll());
            rig.function.presentAgain();
            assertSame(chain, queue.poll());
            assertEquals(head, chain.head());
            assertEquals(1, rig.function.outstanding());
        }
    }

    @Test
    void comesBackFromAMachineResetAsAfterPlugging() throws Exception {
        try (FunctionRig rig = new FunctionRig()) {
            rig.bringUp();
            rig.function.reset();
            assertTrue(rig.bound.isEmpty());
            assertEquals(0, rig.function.status());
            VirtioDriver again = new VirtioDriver(rig.bus, rig.bridge.ecam(), FunctionRig.DEVICE);
            assertTrue(again.negotiate(FunctionRig.ALL));
        }
    }

    @Test
    void leavesNothingBehindWhenItIsClosed() throws Exception {
        FunctionRig rig = new FunctionRig();
        rig.bringUp();
        rig.rings.get(0).add(Buffer.writable(rig.memory.allocate(4, 4), 4));
        rig.rings.get(0).publish();
        assertNotNull(rig.queue(0).poll());
        rig.function.close();
        assertTrue(rig.bound.isEmpty());
        assertTrue(rig.bus.regions().isEmpty());
        assertTrue(rig.memory.guestMemory().pinned().isEmpty());
        assertEquals(0xffff, rig.driver.config(0, 2));
        rig.close();
    }

    /** A call under a lock would keep the other thread out for ever. */
    @Test
    @Timeout(value = 60, unit = TimeUnit.SECONDS)
    void holdsNoLockWhileItCallsTheSlot() throws Exception {
        try (FunctionRig rig = new FunctionRig()) {
            int[] entered = new int[1];
            rig.inCall =
                    () -> {
                        Thread other =
                                new Thread(
                                        () -> {
                                            rig.driver.status();
                                            rig.driver.isr();
                                            rig.driver.ring(0);
                                            rig.driver.windowRead(0, 0x12, 2);
                                            rig.function.outstanding();
                                            rig.function.needsReset();
                                            entered[0]++;
                                        });
                        other.start();
                        boolean interrupted = false;
                        while (other.isAlive()) {
                            try {
                                other.join();
                            } catch (InterruptedException e) {
                                interrupted = true;
                            }
                        }
                        if (interrupted) {
                            Thread.currentThread().interrupt();
                        }
                    };
            rig.bringUp();
            assertEquals(3, entered[0], "two doorbells and DRIVER_OK");
            rig.rings.get(0).offer(16);
            rig.queue(0).poll();
            rig.driver.requestReset();
            assertEquals(5, entered[0], "a broken ring and a reset");
            assertTrue(rig.calls.contains("reset"));
        }
    }

    @Test
    void tellsOfDriverOkBeforeTheResetThatFollowed() throws Exception {
        try (FunctionRig rig = new FunctionRig()) {
            // The second processor resets while the first is still telling the slot of DRIVER_OK.
            rig.inCall =
                    () -> {
                        if (rig.calls.size() == 1) {
                            rig.driver.requestReset();
                            assertEquals(1, rig.calls.size(), "its call waits for this one");
                        }
                    };
            rig.driver.negotiate(FunctionRig.ALL);
            rig.driver.ready();
            assertEquals(List.of("driverOk 0x%x".formatted(FunctionRig.ALL), "reset"), rig.calls);
        }
    }

    @Test
    void shapesThatNoFunctionCanHaveAreRefused() {
        for (Runnable wrong :
                List.<Runnable>of(
                        () -> new VirtioShape(0, 0, 0, List.of(8), 0),
                        () -> new VirtioShape(2, 1 << 24, 0, List.of(8), 0),
                        () -> new VirtioShape(2, 0, 1L << 29, List.of(8), 0),
                        () -> new VirtioShape(2, 0, 0, List.of(), 0),
                        () -> new VirtioShape(2, 0, 0, List.of(6), 0),
                        () -> new VirtioShape(2, 0, 0, List.of(1 << 16), 0),
                        () -> new VirtioShape(2, 0, 0, List.of(8), 4097))) {
            assertThrows(IllegalArgumentException.class, wrong::run);
        }
    }

    @Test
    void doesNotAgreeToFeaturesFromBeyondItsHalves() throws Exception {
        try (FunctionRig rig = new FunctionRig()) {
            rig.driver.set(Common.DEVICE_FEATURE_SELECT, 2);
            assertEquals(0, rig.driver.get(Common.DEVICE_FEATURE));
            rig.driver.set(Common.DEVICE_FEATURE_SELECT, 0xffff_ffffL);
            assertEquals(0, rig.driver.get(Common.DEVICE_FEATURE));
            assertEquals(0xffff_ffffL, rig.driver.get(Common.DEVICE_FEATURE_SELECT));
            rig.driver.set(Common.DRIVER_FEATURE_SELECT, 2);
            rig.driver.set(Common.DRIVER_FEATURE, 1);
            assertEquals(0, rig.driver.get(Common.DRIVER_FEATURE));
            assertTrue((rig.driver.status() & FEATURES_OK) == 0);
        }
    }
}
