package org.backplane.itests.hotswap;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.backplane.bus.AddressRange;
import org.backplane.bus.Bus;
import org.backplane.bus.ClaimException;
import org.backplane.bus.IoHandler;
import org.backplane.bus.Placement;
import org.backplane.bus.Space;
import org.backplane.testkit.DriverRing;
import org.backplane.testkit.TestMemory;
import org.backplane.testkit.VirtioDriver;

/** The driver of a virtio card: it counts what comes back. */
final class VirtioCardDriver {
    private static final long ECAM = 0x3000_0000L;
    private static final long SPACE = 1L << 48;
    private static final long BUFFERS = 0x8100_0000L;
    private static final long BUFFERS_SIZE = 1 << 20;
    private static final long FEATURES =
            VirtioDriver.VERSION_1 | VirtioDriver.EVENT_IDX | VirtioDriver.INDIRECT_DESC;

    private final HotSwapRig rig;
    private final TestMemory memory;
    private final VirtioDriver driver;
    private final DriverRing ring;

    /** Where the answers of requests that are out will be, by the head of their chains. */
    private final long[] answers = new long[16];

    private final Set<Integer> out = new HashSet<>();

    /** The answers that came, in their order. */
    private final List<Integer> answered = new ArrayList<>();

    VirtioCardDriver(HotSwapRig rig, String address) throws ClaimException {
        this.rig = rig;
        DrivenGuest guest = rig.guest();
        memory = TestMemory.inside(guest.memory(), BUFFERS, BUFFERS_SIZE);
        var processor =
                new IoHandler() {
                    @Override
                    public long read(long offset, int width) {
                        return guest.load(offset, width);
                    }

                    @Override
                    public void write(long offset, int width, long value) {
                        guest.store(offset, width, value);
                    }
                };
        var bus = new Bus();
        bus.claim(
                bus.addWindow("all", Space.MMIO, new AddressRange(0, SPACE)),
                "the machine",
                SPACE,
                new Placement.Exact(0),
                processor);
        var ecam =
                new IoHandler() {
                    @Override
                    public long read(long offset, int width) {
                        return guest.load(ECAM + offset, width);
                    }

                    @Override
                    public void write(long offset, int width, long value) {
                        guest.store(ECAM + offset, width, value);
                    }
                };
        driver = new VirtioDriver(bus, ecam, Integer.parseInt(address.substring(3, 5), 16));
        ring = new DriverRing(memory, 16, true);
        bringUp();
    }

    private void bringUp() {
        driver.enableMsix();
        assertTrue(driver.negotiate(FEATURES));
        ring.reset();
        assertTrue(driver.enableQueue(0, ring, 0));
        assertTrue(driver.ready());
    }

    /** Puts requests and rings. */
    void request(int count) {
        for (int i = 0; i < count; i++) {
            long answer = memory.allocate(1, 1);
            int head = ring.add(new DriverRing.Buffer(answer, 1, true));
            answers[head] = answer;
            assertTrue("the ring gave a head that is out", out.add(head));
        }
        ring.publish();
        driver.ring(0);
    }

    /** The answers that came so far; each to a request that was out, or the test fails. */
    List<Integer> answered() {
        for (DriverRing.Used used = ring.collect(); used != null; used = ring.collect()) {
            assertTrue("answered twice: head " + used.head(), out.remove(used.head()));
            assertEquals(1, used.length());
            answered.add(memory.getByte(answers[used.head()]));
        }
        return answered;
    }

    /** Waits until every request is answered, once, and returns the answers. */
    List<Integer> awaitAnswers() {
        rig.waitUntil(
                () -> {
                    answered();
                    return out.isEmpty();
                });
        return answered;
    }

    int waiting() {
        return out.size();
    }

    long configuration() {
        return driver.read(VirtioDriver.DEVICE, 0, 4);
    }

    boolean needsReset() {
        return (driver.status() & VirtioDriver.NEEDS_RESET) != 0;
    }
}
