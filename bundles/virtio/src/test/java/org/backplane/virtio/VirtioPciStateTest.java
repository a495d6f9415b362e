package org.backplane.virtio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.backplane.device.DeviceException;
import org.backplane.device.state.SavedState;
import org.backplane.testkit.DamagedState;
import org.backplane.testkit.DriverRing;
import org.backplane.testkit.DriverRing.Buffer;
import org.backplane.testkit.DriverRing.Used;
import org.backplane.testkit.GoldenState;
import org.backplane.testkit.VirtioDriver;
import org.backplane.testkit.VirtioDriver.Common;
import org.junit.jupiter.api.Test;

class VirtioPciStateTest {
    static final String GOLDEN = "virtio-pci-v1.properties";
    static final String PRESENTING = "virtio-pci-v1-presenting.properties";
    static final String RESETTING = "virtio-pci-v1-resetting.properties";
    private static final String BROKEN = "virtio-pci-v1-broken.properties";

    /** A driver in the midst of things: three requests out, one completed, one waiting. */
    static int[] inTheMidst(FunctionRig rig) {
        rig.bringUp();
        DriverRing ring = rig.rings.get(0);
        int[] heads = new int[5];
        for (int i = 0; i < heads.length; i++) {
            heads[i] = ring.add(Buffer.writable(rig.memory.allocate(8, 8), 8));
        }
        ring.publish();
        SplitQueue queue = rig.queue(0);
        DescriptorChain first = queue.poll();
        queue.poll();
        DescriptorChain third = queue.poll();
        queue.poll();
        queue.complete(third, 8);
        assertNotNull(first);
        return heads;
    }

    @Test
    void goesOnInAnotherFunctionWhereTheFirstStopped() throws Exception {
        try (FunctionRig rig = new FunctionRig()) {
            int[] heads = inTheMidst(rig);
            SavedState state = rig.function.save();
            // The function of another process, on the same guest memory.
            rig.function.close();
            rig.calls.clear();
            try (VirtioPciFunction other =
                    new VirtioPciFunction(
                            rig.bridge,
                            "disk0",
                            FunctionRig.DEVICE,
                            FunctionRig.SHAPE,
                            rig.memory.guestMemory().view("slot"),
                            rig)) {
                other.restore(state);
                assertEquals(state, other.save());
                assertTrue(other.active());
                assertEquals(FunctionRig.ALL, other.negotiatedFeatures());
                assertEquals(0x0f, rig.driver.status());
                assertEquals(
                        Map.of(0, rig.driver.doorbell(0), 1, rig.driver.doorbell(1)), rig.bound);
                assertTrue(rig.calls.isEmpty(), "activation is the slot's to begin");

                SplitQueue queue = other.queues().get(0);
                assertEquals(3, other.outstanding());
                other.presentAgain();
                assertEquals(heads[0], queue.poll().head());
                assertEquals(heads[1], queue.poll().head());
                DescriptorChain third = queue.poll();
                assertEquals(heads[4], queue.poll().head());
                assertNull(queue.poll());
                queue.complete(third, 8);
                queue.interrupt();
                assertEquals(1, rig.msi.count(VirtioDriver.MESSAGE_DATA));
                assertEquals(new Used(heads[2], 8), rig.rings.get(0).collect());
                assertEquals(new Used(heads[3], 8), rig.rings.get(0).collect());
            }
        }
    }

    @Test
    void finishesAResetThatWasUnderWay() throws Exception {
        try (FunctionRig rig = new FunctionRig()) {
            inTheMidst(rig);
            rig.driver.requestReset();
            SavedState state = rig.function.save();
            rig.function.reset();
            rig.calls.clear();
            rig.function.restore(state);
            assertEquals(List.of("reset"), rig.calls);
            assertEquals(0x0f, rig.driver.status());
            assertNull(rig.queue(0).poll());
            rig.function.resetDone();
            assertEquals(0, rig.driver.status());
        }
    }

    @Test
    void keepsABrokenQueueBroken() throws Exception {
        try (FunctionRig rig = new FunctionRig()) {
            inTheMidst(rig);
            rig.rings.get(0).pokeAvailableIndex(0x8000);
            assertNull(rig.queue(0).poll());
            SavedState state = rig.function.save();
            rig.function.reset();
            rig.function.restore(state);
            assertEquals(0x0f | VirtioDriver.NEEDS_RESET, rig.driver.status());
            assertNull(rig.queue(0).poll());
            assertEquals(state, rig.function.save());
        }
    }

    @Test
    void asksForAResetWhereTheGuestsRingsNoLongerHold() throws Exception {
        try (FunctionRig rig = new FunctionRig()) {
            int[] heads = inTheMidst(rig);
            SavedState state = rig.function.save();
            rig.function.reset();
            rig.rings.get(0).pokeDescriptor(heads[0], 0, 8, 2, 0);
            rig.function.restore(state);
            assertEquals(0x0f | VirtioDriver.NEEDS_RESET, rig.driver.status());
            assertNull(rig.queue(0).poll());
            assertEquals(0, rig.function.outstanding());
            // And what it is then can be saved and restored in its turn.
            rig.function.restore(rig.function.save());
        }
    }

    @Test
    void restoresTheConfigurationWindow() throws Exception {
        try (FunctionRig rig = new FunctionRig()) {
            assertEquals(2, rig.driver.windowRead(0, 0x12, 2));
            SavedState state = rig.function.save();
            rig.function.reset();
            rig.function.restore(state);
            int window = rig.driver.structure(VirtioDriver.PCI_CFG).capability();
            assertEquals(2, rig.driver.config(window + 16, 2));
        }
    }

    @Test
    void readsWhatVersionOneWrote() throws Exception {
        try (FunctionRig rig = new FunctionRig()) {
            int[] heads = inTheMidst(rig);
            SavedState now = rig.function.save();
            rig.function.reset();
            SavedState golden = GoldenState.read(VirtioPciStateTest.class, GOLDEN);
            rig.function.restore(golden);
            assertEquals(0x0f, rig.driver.status());
            assertEquals(3, rig.function.outstanding());
            assertEquals(2, rig.driver.get(Common.CONFIG_MSIX_VECTOR));
            assertEquals(heads[4], rig.queue(0).poll().head());
            GoldenState.requireSame(VirtioPciStateTest.class, GOLDEN, now);
        }
    }

    /** What the numbers of the saved form stand for is seen only where they are not those above. */
    @Test
    void savesAndReadsRarerSituationsAsVersionOneDid() throws Exception {
        try (FunctionRig rig = new FunctionRig()) {
            inTheMidst(rig);
            rig.function.presentAgain();
            rig.driver.windowRead(0, 0x12, 2);
            requireSame(rig, PRESENTING);
            rig.driver.requestReset();
            requireSame(rig, RESETTING);
        }
        try (FunctionRig rig = new FunctionRig()) {
            inTheMidst(rig);
            rig.rings.get(0).pokeAvailableIndex(0x8000);
            assertNull(rig.queue(0).poll());
            requireSame(rig, BROKEN);
        }
    }

    private static void requireSame(FunctionRig rig, String golden) throws DeviceException {
        GoldenState.requireSame(VirtioPciStateTest.class, golden, rig.function.save());
        rig.function.reset();
        SavedState then = GoldenState.read(VirtioPciStateTest.class, golden);
        rig.function.restore(then);
        assertEquals(then, rig.function.save());
    }

    @Test
    void leavesAFreshFunctionWhenItRefuses() throws Exception {
        try (FunctionRig rig = new FunctionRig()) {
            SavedState golden = GoldenState.read(VirtioPciStateTest.class, GOLDEN);
            for (SavedState wrong :
                    List.of(
                            SavedState.of("virtio-net", 1).build(),
                            SavedState.of("virtio-pci", 2).build(),
                            SavedState.of("virtio-pci", 1).build(),
                            edited(golden, "status", 0x20),
                            edited(golden, "status", 0x07),
                            edited(golden, "offered", golden.number("offered", 0) | 0b10),
                            edited(golden, "driverFeatures", 1L << 33),
                            edited(golden, "configVector", 3),
                            edited(golden, "generation", 256),
                            edited(golden, "queue0", "size", 32),
                            edited(golden, "queue0", "size", 12),
                            edited(golden, "queue0", "vector", -1),
                            edited(golden, "queue0", "enabled", 0),
                            edited(golden, "queue0", "ringState", 4),
                            edited(golden, "queue0", "ringState", 2),
                            edited(golden, "queue0", "nextAvailable", 0x1_0000),
                            edited(golden, "queue0", "presentNext", 15),
                            withLedger(golden, new byte[] {1}),
                            withLedger(golden, new byte[] {1, 0, 1, 0}),
                            withLedger(golden, new byte[] {16, 0}),
                            withLedger(golden, new byte[34]))) {
                assertThrows(
                        DeviceException.class,
                        () -> rig.function.restore(wrong),
                        () -> GoldenState.write(wrong));
                assertEquals(0, rig.function.status());
                assertEquals(0, rig.function.outstanding());
            }
            rig.bringUp();
            assertEquals(0x0f, rig.driver.status());
        }
    }

    @Test
    void ignoresNamesItDoesNotKnowAndDefaultsThoseThatAreMissing() throws Exception {
        try (FunctionRig rig = new FunctionRig()) {
            SavedState state =
                    SavedState.of("virtio-pci", 1)
                            .number("invented", 7)
                            .child("pci", rig.function.function().save())
                            .build();
            rig.function.restore(state);
            assertEquals(0, rig.function.status());
            rig.bringUp();
            assertTrue(rig.function.active());
        }
    }

    private static SavedState edited(SavedState state, String name, long value) {
        return DamagedState.copy(state).number(name, value).build();
    }

    private static SavedState edited(SavedState state, String child, String name, long value) {
        return DamagedState.copy(state)
                .child(child, edited(state.child(child), name, value))
                .build();
    }

    private static SavedState withLedger(SavedState state, byte[] ledger) {
        SavedState queue = DamagedState.copy(state.child("queue0")).bytes("ledger", ledger).build();
        return DamagedState.copy(state).child("queue0", queue).build();
    }
}
