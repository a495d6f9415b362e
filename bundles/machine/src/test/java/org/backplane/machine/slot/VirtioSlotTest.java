package org.backplane.machine.slot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.function.BooleanSupplier;
import org.backplane.bus.AddressAllocator;
import org.backplane.bus.AddressRange;
import org.backplane.bus.Bus;
import org.backplane.bus.Space;
import org.backplane.device.Device;
import org.backplane.device.LinkDevice;
import org.backplane.device.state.SaveSupport;
import org.backplane.device.state.SavedState;
import org.backplane.hypervisor.Vm;
import org.backplane.machine.MachineException;
import org.backplane.machine.SlotCounters;
import org.backplane.machine.SlotState;
import org.backplane.machine.board.Board;
import org.backplane.machine.board.InterruptLines;
import org.backplane.machine.processor.MachineThread;
import org.backplane.machine.slot.Factories.Offer;
import org.backplane.memory.GuestMemory;
import org.backplane.memory.OffHeap;
import org.backplane.pci.HostBridge;
import org.backplane.testkit.DriverRing;
import org.backplane.testkit.RecordingMsi;
import org.backplane.testkit.TestMemory;
import org.backplane.testkit.VirtioDriver;
import org.backplane.virtio.DescriptorChain;
import org.backplane.virtio.SplitQueue;
import org.backplane.virtio.VirtioDevice;
import org.backplane.virtio.VirtioShape;
import org.backplane.virtio.VirtioWires;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A virtio slot from the driver's side: a real function, queue and worker, a driver that plays. */
@Timeout(20)
class VirtioSlotTest {
    private static final long FEATURES =
            VirtioDriver.VERSION_1 | VirtioDriver.EVENT_IDX | VirtioDriver.INDIRECT_DESC;

    /** Answers each request with a byte: its version. */
    private static class VersionDevice implements VirtioDevice {
        private final int version;
        private final boolean throwing;
        private final CountDownLatch hold;
        private volatile SplitQueue queue;
        private volatile boolean quiesced;

        SplitQueue kept() {
            return queue;
        }

        VersionDevice(int version, boolean throwing, CountDownLatch hold) {
            this.version = version;
            this.throwing = throwing;
            this.hold = hold;
        }

        @Override
        public VirtioShape shape() {
            return new VirtioShape(2, 0x018000, 0, List.of(16), 4);
        }

        @Override
        public long readConfig(int offset, int width) {
            return version;
        }

        @Override
        public void writeConfig(int offset, int width, long value) {}

        @Override
        public void activate(long features, List<SplitQueue> queues) {
            queue = queues.get(0);
        }

        @Override
        public void work(int index) {
            if (throwing) {
                throw new IllegalStateException("broken work");
            }
            while (!quiesced) {
                DescriptorChain chain = queue.poll();
                if (chain == null) {
                    return;
                }
                if (hold != null) {
                    awaitUninterrupted(hold);
                }
                OffHeap.putByte(chain.address(chain.readableSegments()), (byte) version);
                queue.complete(chain, 1);
                queue.interrupt();
            }
        }

        private static void awaitUninterrupted(CountDownLatch latch) {
            try {
                latch.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        @Override
        public void start() {}

        @Override
        public void quiesce() {
            quiesced = true;
        }

        @Override
        public boolean idle() {
            return true;
        }

        @Override
        public void resume() {
            quiesced = false;
        }

        @Override
        public void reset() {
            quiesced = false;
            queue = null;
        }

        @Override
        public SaveSupport saveSupport() {
            return new SaveSupport.Saveable(
                    () -> SavedState.of("version", 1).build(),
                    state -> state.require("version", 1));
        }

        @Override
        public void close() {}
    }

    /** Takes requests and finishes none; it has nothing to save. */
    private static final class Hoarder extends VersionDevice {
        private volatile SplitQueue queue;
        private volatile boolean taken;

        Hoarder() {
            super(1, false, null);
        }

        @Override
        public void activate(long features, List<SplitQueue> queues) {
            queue = queues.get(0);
        }

        @Override
        public void work(int index) {
            while (queue.poll() != null) {
                taken = true;
            }
        }

        @Override
        public boolean idle() {
            return !taken;
        }

        @Override
        public SaveSupport saveSupport() {
            return new SaveSupport.Stateless();
        }
    }

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

    private final Bus bus = new Bus();
    private final RecordingMsi msi = new RecordingMsi();
    private final PlayedCode code = new PlayedCode();
    private final List<VersionDevice> made = new CopyOnWriteArrayList<>();
    private final TestMemory memory = memory();
    private final Board board = new TestBoard();
    private final DriverRing ring = new DriverRing(memory, 16, true);
    private Slot slot;
    private VirtioDriver driver;

    private static TestMemory memory() {
        try {
            return new TestMemory();
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /** A board whose engine has no doorbells, so that stores reach the function's handler. */
    private final class TestBoard implements Board {
        private final AddressAllocator platform =
                bus.addWindow("platform", Space.MMIO, new AddressRange(0x1000, 0x1000_0000));
        private final Vm vm =
                (Vm)
                        Proxy.newProxyInstance(
                                getClass().getClassLoader(),
                                new Class<?>[] {Vm.class},
                                (proxy, method, arguments) ->
                                        switch (method.getName()) {
                                            case "doorbell" -> (Vm.Lease) () -> {};
                                            case "guestTime" -> 0L;
                                            default -> null;
                                        });
        private final HostBridge bridge =
                new HostBridge(
                        bus,
                        new HostBridge.Windows(
                                bus.addWindow("io", Space.IO, new AddressRange(0x1000, 0xf000)),
                                bus.addWindow(
                                        "mmio32",
                                        Space.MMIO,
                                        new AddressRange(0x4000_0000, 0x1000_0000)),
                                bus.addWindow(
                                        "mmio64",
                                        Space.MMIO,
                                        new AddressRange(0x40_0000_0000L, 0x1000_0000))),
                        msi::signal,
                        (device, pin, high) -> {});

        @Override
        public Bus bus() {
            return bus;
        }

        @Override
        public AddressAllocator platformWindow(Space space) {
            return platform;
        }

        @Override
        public HostBridge bridge() {
            return bridge;
        }

        @Override
        public GuestMemory memory() {
            return memory.guestMemory();
        }

        @Override
        public Vm vm() {
            return vm;
        }

        @Override
        public InterruptLines lines() {
            throw new AssertionError("a virtio slot has no line");
        }
    }

    @BeforeEach
    void plug() throws Exception {
        slot =
                new Slot(
                        new SlotSpec("disk0", "version", Map.of(), "the test"),
                        board,
                        code.services());
    }

    @AfterEach
    void close() throws Exception {
        slot.close();
        assertTrue(board.bridge().functions().isEmpty());
        code.close();
        memory.close();
    }

    private Offer offer(int version, boolean throwing, CountDownLatch hold) {
        return code.offer(
                "version",
                context -> {
                    var device = new VersionDevice(version, throwing, hold);
                    made.add(device);
                    return device;
                });
    }

    private void fill(Offer offer) throws Exception {
        slot.fill(offer);
        driver = new VirtioDriver(bus, board.bridge().ecam(), 1);
    }

    private void bringUp() {
        driver.enableMsix();
        assertTrue(driver.negotiate(FEATURES));
        ring.reset();
        assertTrue(driver.enableQueue(0, ring, 0));
        assertTrue(driver.ready());
    }

    /** Puts a request and returns where its answer will be. */
    private long request() {
        long answer = memory.allocate(1, 1);
        ring.add(new DriverRing.Buffer(answer, 1, true));
        ring.publish();
        driver.ring(0);
        return answer;
    }

    /** A request that the device has taken, and holds. */
    private long heldRequest() {
        long address = request();
        awaitTrue(() -> slot.inspect().facts().get("outstanding requests").equals("1"));
        return address;
    }

    private void awaitUsed(int index) {
        awaitTrue(() -> !(ring.usedIndex() != index));
    }

    /** Spins; the time-out of a test that waits for ever interrupts it. */
    private static void awaitTrue(BooleanSupplier condition) {
        while (!condition.getAsBoolean()) {
            if (Thread.interrupted()) {
                throw new AssertionError("waited in vain");
            }
            Thread.onSpinWait();
        }
    }

    private int answer() {
        int used = ring.usedIndex();
        long address = request();
        awaitUsed(used + 1 & 0xffff);
        ring.collect();
        return memory.getByte(address);
    }

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
    void slotWithoutALinkRefusesToChangeIt() throws Exception {
        fill(offer(1, false, null));
        MachineException refusal = assertThrows(MachineException.class, () -> slot.link(false));
        assertEquals("The slot 'disk0' has no link: its kind is version.", refusal.getMessage());
        assertFalse(slot.inspect().facts().containsKey("link"));
    }
}
