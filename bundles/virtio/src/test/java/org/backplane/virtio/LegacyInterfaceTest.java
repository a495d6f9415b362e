package org.backplane.virtio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.backplane.device.DeviceException;
import org.backplane.device.state.SavedState;
import org.backplane.testkit.DriverRing;
import org.backplane.testkit.DriverRing.Buffer;
import org.backplane.testkit.DriverRing.Used;
import org.backplane.testkit.LegacyVirtioDriver;
import org.backplane.testkit.LegacyVirtioDriver.Register;
import org.backplane.testkit.VirtioDriver;
import org.backplane.testkit.VirtioDriver.Common;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The legacy interface of a transitional device, against virtio 1.2, section 4.1.4.10. */
class LegacyInterfaceTest {
    private static final long ANY_LAYOUT = 1L << 27;
    private static final long FEATURES =
            FunctionRig.OWN_FEATURES
                    | VirtioDriver.INDIRECT_DESC
                    | VirtioDriver.EVENT_IDX
                    | ANY_LAYOUT;

    private FunctionRig rig;
    private LegacyVirtioDriver driver;
    private final List<DriverRing> rings = new ArrayList<>();

    @BeforeEach
    void plugTransitionalDevice() throws Exception {
        rig = new FunctionRig(FunctionRig.TRANSITIONAL);
        driver = rig.legacyDriver();
        for (int size : FunctionRig.TRANSITIONAL.queueSizes()) {
            rings.add(LegacyVirtioDriver.ring(rig.memory, size, true));
        }
        // The slot has done a reset when it has been waited for.
        rig.inWait = () -> rig.function.resetDone();
    }

    @AfterEach
    void unplug() throws Exception {
        rig.close();
    }

    private void bringUp() {
        driver.reset();
        driver.negotiate(FEATURES);
        for (int i = 0; i < rings.size(); i++) {
            rings.get(i).reset();
            assertTrue(driver.enableQueue(i, rings.get(i)));
        }
        driver.ready();
    }

    @Test
    void isIdentifiedAsTransitional() {
        assertEquals(0x1af4_1001, reversed(0x00));
        assertEquals(0, rig.driver.config(0x08, 1), "revision");
        assertEquals(2, rig.driver.config(0x2e, 2), "subsystem ID");
        assertEquals(1, rig.driver.config(0x10, 4) & 3, "BAR 0 is in I/O space");
        for (int kind = VirtioDriver.COMMON; kind <= VirtioDriver.DEVICE; kind++) {
            assertEquals(4, rig.driver.structure(kind).bar());
        }
        assertEquals(0x1000, LegacyLayout.pciDevice(1));
        assertEquals(0x1005, LegacyLayout.pciDevice(4));
    }

    private long reversed(int offset) {
        long both = rig.driver.config(offset, 4);
        return (both & 0xffff) << 16 | both >>> 16;
    }

    @Test
    void coversHeaderAndConfigurationWithItsBar() {
        rig.driver.setConfig(0x10, 4, 0xffff_ffffL);
        assertEquals(0xffff_ffffL & -64 | 1, rig.driver.config(0x10, 4));
    }

    @Test
    void offersBits0To31AndAnyLayout() {
        assertEquals(FEATURES, driver.get(Register.DEVICE_FEATURES));
        assertEquals(0, rig.driver.offeredFeatures() & ANY_LAYOUT, "not to others");
        assertTrue((rig.driver.offeredFeatures() & VirtioDriver.VERSION_1) != 0);
    }

    @Test
    void movesDataOfALegacyDriver() {
        bringUp();
        assertEquals(List.of("driverOk 0x%x".formatted(FEATURES)), rig.calls);
        assertTrue(rig.function.active());
        assertEquals(FEATURES, rig.function.negotiatedFeatures());
        int head = rings.get(1).add(Buffer.writable(rig.memory.allocate(8, 8), 8));
        rings.get(1).publish();
        driver.ring(1);
        assertEquals(1, rig.doorbells.get(1).drain());
        assertEquals(0, rig.doorbells.get(0).drain());
        SplitQueue queue = rig.activated.get(1);
        queue.complete(queue.poll(), 8);
        queue.interrupt();
        assertEquals(new Used(head, 8), rings.get(1).collect());
        assertTrue(rig.pins.get(FunctionRig.DEVICE));
        assertEquals(1, driver.isr());
        assertFalse(rig.pins.get(FunctionRig.DEVICE));
        assertEquals(0, driver.isr());
    }

    @Test
    void saysHowLargeItsQueuesAre() {
        driver.set(Register.QUEUE_SELECT, 1);
        assertEquals(8, driver.get(Register.QUEUE_SIZE));
        driver.set(Register.QUEUE_SIZE, 4);
        assertEquals(8, driver.get(Register.QUEUE_SIZE), "read-only");
        driver.set(Register.QUEUE_SELECT, 2);
        assertEquals(0, driver.get(Register.QUEUE_SIZE));
        driver.set(Register.QUEUE_ADDRESS, 0x80000);
        assertEquals(0, driver.get(Register.QUEUE_ADDRESS));
    }

    @Test
    void showsTheConfigurationInAnyWidthBehindTheHeader() {
        for (int i = 0; i < rig.deviceConfig.length; i++) {
            rig.deviceConfig[i] = (byte) (i + 1);
        }
        assertEquals(0x0403_0201, driver.config(0, 4));
        assertEquals(0x04, driver.config(3, 1));
        assertEquals(0x1817, driver.config(22, 2));
        assertEquals(0xffff_ffffL, driver.config(21, 4), "past the end");
        rig.driver.enableMsix();
        driver.msixEnabled(true);
        assertEquals(0x0403_0201, driver.config(0, 4));
        driver.setConfig(1, 1, 0x77);
        assertEquals(0x77, rig.deviceConfig[1]);
    }

    @Test
    void interruptsByTheVectorsOfTheTwoRegistersThatMsixAdds() {
        rig.driver.enableMsix();
        driver.msixEnabled(true);
        bringUp();
        driver.set(Register.CONFIG_MSIX_VECTOR, 2);
        assertEquals(2, driver.get(Register.CONFIG_MSIX_VECTOR));
        driver.set(Register.QUEUE_SELECT, 0);
        driver.set(Register.QUEUE_MSIX_VECTOR, 1);
        assertEquals(1, driver.get(Register.QUEUE_MSIX_VECTOR));
        driver.set(Register.QUEUE_MSIX_VECTOR, 7);
        assertEquals(
                VirtioDriver.NO_VECTOR,
                driver.get(Register.QUEUE_MSIX_VECTOR),
                "a vector that there is not");
        driver.set(Register.QUEUE_MSIX_VECTOR, 1);
        rings.get(0).add(Buffer.writable(rig.memory.allocate(8, 8), 8));
        rings.get(0).publish();
        SplitQueue queue = rig.queue(0);
        queue.complete(queue.poll(), 8);
        queue.interrupt();
        rig.function.configurationChanged();
        assertEquals(1, rig.msi.count(VirtioDriver.MESSAGE_DATA + 1));
        assertEquals(1, rig.msi.count(VirtioDriver.MESSAGE_DATA + 2));
        assertEquals(0, driver.isr());
    }

    @Test
    void servesADriverThatNotifiesBeforeDriverOk() {
        driver.negotiate(FEATURES);
        driver.enableQueue(0, rings.get(0));
        driver.ring(0);
        assertEquals(List.of("driverOk 0x%x".formatted(FEATURES)), rig.calls);
        assertTrue(rig.function.active());
        driver.enableQueue(1, rings.get(1));
        driver.ready();
        assertEquals(1, rig.calls.size(), "it is activated once");
        rings.get(1).add(Buffer.writable(rig.memory.allocate(8, 8), 8));
        rings.get(1).publish();
        assertNotNull(rig.activated.get(1).poll(), "the queue that came later");
    }

    @Test
    void takesFeaturesThatAreAcceptedAfterTheQueueWasSetUp() {
        driver.addStatus(VirtioDriver.ACKNOWLEDGE);
        driver.addStatus(VirtioDriver.DRIVER);
        driver.enableQueue(0, rings.get(0));
        driver.set(Register.DRIVER_FEATURES, FEATURES);
        driver.ready();
        rings.get(0)
                .addIndirect(
                        Buffer.readable(rig.memory.allocate(8, 8), 8),
                        Buffer.writable(rig.memory.allocate(8, 8), 8));
        rings.get(0).publish();
        assertEquals(2, rig.queue(0).poll().segments(), "indirect, as agreed");
    }

    @Test
    void leavesOutFeaturesThatWereNotOffered() {
        driver.negotiate(FEATURES | 1L << 7);
        assertEquals(FEATURES, driver.get(Register.DRIVER_FEATURES));
        driver.ready();
        driver.set(Register.DRIVER_FEATURES, 0);
        assertEquals(FEATURES, driver.get(Register.DRIVER_FEATURES), "too late");
        assertEquals(2, rig.function.guestErrors());
    }

    @Test
    void knowsNoFeaturesOk() {
        driver.negotiate(FEATURES);
        driver.addStatus(VirtioDriver.FEATURES_OK);
        assertEquals(3, driver.status());
    }

    @Test
    void isDoneWithAResetWhenTheWriteIs() {
        bringUp();
        rings.get(0).add(Buffer.writable(rig.memory.allocate(8, 8), 8));
        rings.get(0).publish();
        DescriptorChain out = rig.queue(0).poll();
        rig.inWait =
                () -> {
                    assertEquals(7, driver.status(), "not yet");
                    out.write(0, new byte[] {1}, 0, 1);
                    rig.function.resetDone();
                };
        rig.calls.clear();
        driver.reset();
        assertEquals(List.of("reset", "await"), rig.calls);
        assertEquals(0, driver.status());
        driver.set(Register.QUEUE_SELECT, 0);
        assertEquals(0, driver.get(Register.QUEUE_ADDRESS));
        bringUp();
    }

    @Test
    void waitsAgainForAResetThatIsUnderWayInsteadOfAskingForAnother() {
        bringUp();
        rig.calls.clear();
        rig.inWait = () -> {};
        driver.reset();
        rig.inWait = () -> rig.function.resetDone();
        driver.reset();
        assertEquals(List.of("reset", "await", "await"), rig.calls);
        assertEquals(0, driver.status());
    }

    @Test
    void keepsItsQueueWhileTheDeviceUsesIt() {
        bringUp();
        driver.set(Register.QUEUE_SELECT, 0);
        driver.set(Register.QUEUE_ADDRESS, 0);
        assertEquals(rings.get(0).descriptors() >>> 12, driver.get(Register.QUEUE_ADDRESS));
        assertEquals(1, rig.function.guestErrors());
        driver.reset();
        driver.negotiate(FEATURES);
        driver.enableQueue(0, rings.get(0));
        driver.set(Register.QUEUE_ADDRESS, 0);
        assertEquals(0, driver.get(Register.QUEUE_ADDRESS), "nothing is in use yet");
    }

    @Test
    void refusesARingOutsideOfMemory() {
        driver.negotiate(FEATURES);
        driver.set(Register.QUEUE_SELECT, 0);
        driver.set(Register.QUEUE_ADDRESS, 0xffff_ffffL);
        assertEquals(0, driver.get(Register.QUEUE_ADDRESS));
        driver.ready();
        assertNull(rig.activated.get(0).poll());
    }

    @Test
    void belongsToTheInterfaceThatTheDriverBeganWith() {
        bringUp();
        rig.driver.set(Common.DEVICE_STATUS, 0x0f);
        rig.driver.set(Common.DRIVER_FEATURE, 0);
        assertEquals(7, driver.status());
        assertEquals(FEATURES, rig.function.negotiatedFeatures());
        rig.driver.requestReset();
        rig.function.resetDone();
        rig.bringUp();
        driver = rig.legacyDriver();
        assertEquals(FunctionRig.ALL, rig.function.negotiatedFeatures());
        driver.set(Register.DRIVER_FEATURES, 0);
        driver.set(Register.QUEUE_ADDRESS, 0);
        driver.ring(0);
        assertEquals(0, rig.doorbells.get(0).drain());
        assertEquals(FunctionRig.ALL, rig.function.negotiatedFeatures());
        driver.reset();
        assertEquals(0, rig.driver.status());
    }

    @Test
    void insistsOnVersion1OfADriverThatUsesTheOtherInterface() {
        assertFalse(rig.driver.negotiate(FunctionRig.ALL & ~VirtioDriver.VERSION_1));
    }

    @Test
    void forgetsWhatALegacyDriverLeftWithoutAStatus() {
        driver.enableQueue(0, rings.get(0));
        rig.driver.requestReset();
        rig.bringUp();
        assertEquals(FunctionRig.ALL, rig.function.negotiatedFeatures());
        assertEquals(0, rig.function.guestErrors());
    }

    @Test
    void goesOnAfterARestore() throws Exception {
        bringUp();
        rings.get(0).add(Buffer.writable(rig.memory.allocate(8, 8), 8));
        rings.get(0).publish();
        assertNotNull(rig.queue(0).poll());
        SavedState state = rig.function.save();
        rig.function.reset();
        rig.function.restore(state);
        assertEquals(state, rig.function.save());
        assertTrue(rig.function.active());
        assertEquals(FEATURES, rig.function.negotiatedFeatures());
        assertEquals(7, driver.status());
        rig.function.presentAgain();
        assertNotNull(rig.queue(0).poll());
    }

    @Test
    void goesOnAfterARestoreWhereNoDriverOkWasSet() throws Exception {
        driver.negotiate(FEATURES);
        driver.enableQueue(0, rings.get(0));
        driver.ring(0);
        SavedState state = rig.function.save();
        rig.function.reset();
        assertFalse(rig.function.active());
        rig.function.restore(state);
        assertTrue(rig.function.active());
        assertEquals(state, rig.function.save());
    }

    @Test
    void refusesTheStateOfALegacyDriverWithoutALegacyInterface() throws Exception {
        bringUp();
        SavedState state = rig.function.save();
        try (FunctionRig modern = new FunctionRig()) {
            assertThrows(DeviceException.class, () -> modern.function.restore(state));
            assertEquals(0, modern.driver.status());
        }
    }

    @Test
    void isNoShapeOfADeviceWithoutALegacyInterface() {
        assertFalse(rig.function.accepts(FunctionRig.SHAPE));
        assertThrows(
                IllegalArgumentException.class,
                () -> new VirtioShape(18, 0, 0, List.of(8), 0, true));
        assertThrows(
                IllegalArgumentException.class,
                () -> new VirtioShape(2, 0, 0, List.of(8), 233, true));
    }
}
