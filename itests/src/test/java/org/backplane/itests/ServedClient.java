package org.backplane.itests;

import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.backplane.bus.AddressRange;
import org.backplane.bus.Bus;
import org.backplane.bus.ClaimException;
import org.backplane.bus.IoHandler;
import org.backplane.bus.Placement;
import org.backplane.bus.Space;
import org.backplane.linux.EventFd;
import org.backplane.linux.Fd;
import org.backplane.linux.OpenFlag;
import org.backplane.memory.GuestMemory;
import org.backplane.testkit.DriverRing;
import org.backplane.testkit.TestMemory;
import org.backplane.testkit.VirtioDriver;
import org.backplane.vfio.VfioDevice;
import org.backplane.vfio.VfioException;
import org.backplane.vfio.user.VfioUserDevice;

/**
 * Another process's driver of a virtio card that is served, as far as the server can tell: it has a
 * connection of its own, and memory in a file that it may cut off.
 */
final class ServedClient implements AutoCloseable {
    private static final long MEMORY = 0x10_0000L;
    private static final long MEMORY_SIZE = 1 << 20;
    private static final long BARS = 1L << 40;
    private static final long BAR_SPACE = 1L << 32;
    private static final long FEATURES =
            VirtioDriver.VERSION_1 | VirtioDriver.EVENT_IDX | VirtioDriver.INDIRECT_DESC;

    private final Fd file;
    private final GuestMemory guestMemory = GuestMemory.ofElsewhere();
    private final VfioDevice device;
    private final VirtioDriver driver;
    private final DriverRing ring;
    private final long answer;
    private final TestMemory memory;
    private final EventFd event = EventFd.open();

    /** The file's size is not sealed, as a memfd's would be. */
    ServedClient(Path socket, Path memoryFile) throws IOException, ClaimException {
        file = Fd.open(memoryFile, OpenFlag.READ, OpenFlag.WRITE);
        file.truncate(MEMORY_SIZE);
        guestMemory.mapRam(MEMORY, file, 0, MEMORY_SIZE, true);
        device = VfioUserDevice.connect(socket, guestMemory);
        for (int bar = 0; bar < 4; bar += 2) {
            device.write(VfioDevice.CONFIG, 0x10 + 4L * bar, 4, 0);
            device.write(VfioDevice.CONFIG, 0x14 + 4L * bar, 4, (BARS >>> 32) + bar);
        }
        var bus = new Bus();
        bus.claim(
                bus.addWindow("BARs", Space.MMIO, new AddressRange(BARS, 4 * BAR_SPACE)),
                "the device",
                4 * BAR_SPACE,
                new Placement.Exact(BARS),
                new Regions(offset -> (int) (offset >>> 32)));
        driver = new VirtioDriver(bus, new Regions(offset -> VfioDevice.CONFIG), 0);
        device.trigger(VfioDevice.MSIX, 0, List.of(Optional.of(event)));
        memory = TestMemory.inside(guestMemory, MEMORY, MEMORY_SIZE);
        ring = new DriverRing(memory, 16, true);
        answer = memory.allocate(1, 1);
    }

    /** Which region an offset is in; the rest of it is the offset there. */
    private interface Region {
        int of(long offset);
    }

    private final class Regions implements IoHandler {
        private final Region region;

        Regions(Region region) {
            this.region = region;
        }

        @Override
        public long read(long offset, int width) {
            try {
                return device.read(region.of(offset), offset & BAR_SPACE - 1, width);
            } catch (VfioException e) {
                throw new AssertionError(e);
            }
        }

        @Override
        public void write(long offset, int width, long value) {
            try {
                device.write(region.of(offset), offset & BAR_SPACE - 1, width, value);
            } catch (VfioException e) {
                throw new AssertionError(e);
            }
        }
    }

    void bringUp() {
        assertTrue(driver.negotiate(FEATURES));
        ring.reset();
        assertTrue(driver.enableQueue(0, ring, 0));
        assertTrue(driver.ready());
    }

    /** Asks for the version of the card's code, and returns at once. */
    void request() {
        ring.add(DriverRing.Buffer.writable(answer, 1));
        ring.publish();
        driver.ring(0);
    }

    /** What came of the request, or -1 as long as there is nothing. */
    int answered() {
        return ring.collect() == null ? -1 : memory.getByte(answer);
    }

    /** Whether the vector was signalled since this was asked last. */
    boolean interrupted() {
        return event.drain() > 0;
    }

    /** A register of the card: through its gate. */
    long register() {
        return driver.read(VirtioDriver.DEVICE, 0, 4);
    }

    int status() {
        return driver.status();
    }

    /** Takes the memory away under the device; whatever is read here from now on is a fault. */
    void cutMemoryOff() throws IOException {
        file.truncate(0);
    }

    /** Has the device look at its queue. */
    void ring() {
        driver.ring(0);
    }

    @Override
    public void close() {
        device.close();
        guestMemory.close();
        file.close();
        event.close();
    }
}
