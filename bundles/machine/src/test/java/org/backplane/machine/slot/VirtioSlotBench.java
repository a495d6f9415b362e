package org.backplane.machine.slot;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.function.BooleanSupplier;
import org.backplane.bus.AddressAllocator;
import org.backplane.bus.AddressRange;
import org.backplane.bus.Bus;
import org.backplane.bus.Space;
import org.backplane.device.DeviceException;
import org.backplane.device.state.SaveSupport;
import org.backplane.device.state.SavedState;
import org.backplane.hypervisor.Vm;
import org.backplane.machine.board.Board;
import org.backplane.machine.board.Images;
import org.backplane.machine.board.InterruptLines;
import org.backplane.machine.board.PlatformDevice;
import org.backplane.machine.board.PlatformSlot;
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
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;

/** A virtio slot from the driver's side: a real function, queue and worker, a driver that plays. */
@Timeout(20)
abstract class VirtioSlotBench {
    static final long FEATURES =
            VirtioDriver.VERSION_1 | VirtioDriver.EVENT_IDX | VirtioDriver.INDIRECT_DESC;

    /** Answers each request with a byte: its version. */
    static class VersionDevice implements VirtioDevice {
        private final int version;
        private final boolean throwing;
        private final CountDownLatch hold;
        private volatile SplitQueue queue;
        volatile boolean quiesced;

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
    static final class Hoarder extends VersionDevice {
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

    final Bus bus = new Bus();
    final RecordingMsi msi = new RecordingMsi();
    final PlayedCode code = new PlayedCode();
    final List<VersionDevice> made = new CopyOnWriteArrayList<>();
    final TestMemory memory = memory();
    final Board board = new TestBoard();
    final DriverRing ring = new DriverRing(memory, 16, true);
    Slot slot;
    VirtioDriver driver;

    static TestMemory memory() {
        try {
            return new TestMemory();
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /** A board whose engine has no doorbells, so that stores reach the function's handler. */
    final class TestBoard implements Board {
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

        @Override
        public List<PlatformSlot> platformSlots(String console) {
            return List.of();
        }

        @Override
        public void load(Images images, List<PlatformDevice> devices) {
            throw new AssertionError("no guest is loaded here");
        }

        @Override
        public void reset() {
            throw new AssertionError("no guest is reset here");
        }

        @Override
        public SavedState save() {
            return bridge.hostFunction().save();
        }

        @Override
        public void restore(SavedState state) throws DeviceException {
            bridge.hostFunction().restore(state);
        }

        @Override
        public void close() {}
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
        // One that was cut off comes back late, and writes its answer all the same.
        awaitTrue(
                () ->
                        MachineThread.all().stream()
                                .noneMatch(thread -> thread.getName().startsWith("disk0/queue")));
        memory.close();
    }

    Offer offer(int version, boolean throwing, CountDownLatch hold) {
        return code.offer(
                "version",
                context -> {
                    var device = new VersionDevice(version, throwing, hold);
                    made.add(device);
                    return device;
                });
    }

    void fill(Offer offer) throws Exception {
        slot.fill(offer);
        driver = new VirtioDriver(bus, board.bridge().ecam(), 1);
    }

    void bringUp() {
        driver.enableMsix();
        assertTrue(driver.negotiate(FEATURES));
        ring.reset();
        assertTrue(driver.enableQueue(0, ring, 0));
        assertTrue(driver.ready());
    }

    /** Puts a request and returns where its answer will be. */
    long request() {
        long answer = memory.allocate(1, 1);
        ring.add(new DriverRing.Buffer(answer, 1, true));
        ring.publish();
        driver.ring(0);
        return answer;
    }

    /** A request that the device has taken, and holds. */
    long heldRequest() {
        long address = request();
        awaitTrue(() -> slot.inspect().facts().get("outstanding requests").equals("1"));
        return address;
    }

    void awaitUsed(int index) {
        awaitTrue(() -> !(ring.usedIndex() != index));
    }

    /** Spins; the time-out of a test that waits for ever interrupts it. */
    static void awaitTrue(BooleanSupplier condition) {
        while (!condition.getAsBoolean()) {
            if (Thread.interrupted()) {
                throw new AssertionError("waited in vain");
            }
            Thread.onSpinWait();
        }
    }

    int answer() {
        int used = ring.usedIndex();
        long address = request();
        awaitUsed(used + 1 & 0xffff);
        ring.collect();
        return memory.getByte(address);
    }
}
