package org.backplane.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import javax.inject.Inject;
import org.apache.felix.cm.impl.ConfigurationManager;
import org.backplane.machine.MachineException;
import org.backplane.testkit.vfio.BarDescription;
import org.backplane.testkit.vfio.DescribedDevice;
import org.backplane.testkit.vfio.DescribedDevices;
import org.backplane.testkit.vfio.DeviceDescription;
import org.backplane.vfio.user.ServedDevice;
import org.backplane.vfio.user.VfioUserServer;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.CoreOptions;
import org.ops4j.pax.exam.Option;
import org.osgi.framework.BundleContext;

/** Debian's Linux on the embedded processor with devices of another process. */
@RunWith(WithGuest.class)
public final class VfioUserIT {
    private static final String SLOT = "nic1";
    private static final int DISK = 0x1042;
    private static final String COUNT =
            "awk '/virtio.*-req/ { for (i = 2; i <= 3; i++) n += $i } END { print n + 0 }' /proc/interrupts";
    private static final long KERNEL = 0x8020_0000L;

    @Inject private BundleContext context;
    private MachineFixture fixture;
    private Path console;
    private Path socket;
    private DescribedDevice device;
    private VfioUserServer server;

    @Configuration
    public Option[] framework() {
        NewBuild.make("device-vfio", "1.0.1");
        return CoreOptions.options(
                Framework.base(),
                Framework.onClassPath(ConfigurationManager.class),
                Framework.project(
                        Stream.concat(
                                        BootedGuest.BUNDLES.stream(),
                                        Stream.of("device-vfio", "testkit"))
                                .toList()));
    }

    @Before
    public void nameTheSockets() throws Exception {
        // The path of a socket must be short.
        Path folder = Files.createTempDirectory("vfio");
        console = folder.resolve("console");
        socket = folder.resolve("device");
    }

    @After
    public void end() throws Exception {
        if (fixture != null) {
            fixture.stop();
        }
        if (server != null) {
            server.close();
        }
        if (device != null) {
            device.close();
        }
    }

    private GuestConsole boot() throws Exception {
        fixture = BootedGuest.start(context, console);
        return new GuestConsole(console);
    }

    private void serve(DeviceDescription description) throws Exception {
        device = DescribedDevice.open(description);
        server = VfioUserServer.open(socket, device);
    }

    private GuestFunction plug(GuestConsole guest, DeviceDescription description) throws Exception {
        serve(description);
        fixture.machine().plug(SLOT, "vfio", Map.of("socket", socket.toString()), "the test");
        return GuestFunction.find(guest, description.vendor(), description.device());
    }

    /** What comes about on another thread; the bound only ends a test that fails. */
    private static void await(String what, BooleanSupplier condition) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (!condition.getAsBoolean()) {
            assertTrue(what, System.nanoTime() < end);
            Thread.onSpinWait();
        }
    }

    private List<String> history() {
        try {
            return fixture.machine().history(SLOT).stream().map(Object::toString).toList();
        } catch (MachineException e) {
            throw new AssertionError(e);
        }
    }

    private boolean told(String what) {
        return history().stream().anyMatch(line -> line.contains(what));
    }

    @Test
    public void theGuestReachesMappedAndTrappedRegistersOfOneBar() throws Exception {
        try (GuestConsole guest = boot()) {
            GuestFunction function = plug(guest, DescribedDevices.sparse());
            assertEquals(65536, function.size(0));
            assertEquals(0, function.base(0) % 65536);
            function.on();
            // Mapped, both areas; the device sees the bytes without a message.
            function.write(0, 0x2010, 4, 0x1122_3344L);
            function.write(0, 0xfff8, 8, 0x0102_0304_0506_0708L);
            assertEquals(0x1122_3344L, device.peek(0, 0x2010, 4));
            assertEquals(0x0102_0304_0506_0708L, device.peek(0, 0xfff8, 8));
            device.poke(0, 0x2020, 4, 0xcafe);
            assertEquals(0xcafe, function.read(0, 0x2020, 4));
            // Trapped, in every width.
            function.write(0, 0x100, 8, 0x8877_6655_4433_2211L);
            assertEquals(0x11, function.read(0, 0x100, 1));
            assertEquals(0x4433, function.read(0, 0x102, 2));
            assertEquals(0x8877_6655L, function.read(0, 0x104, 4));
            assertEquals(0x8877_6655_4433_2211L, device.peek(0, 0x100, 8));
            // The table is the slot's: the device's bytes there stay zeros.
            function.vector(3, 8, 0x1234);
            assertEquals(0x1234, function.vector(3, 8));
            assertEquals(0, device.peek(0, 0x5000 + 3 * 16 + 8, 4));
        }
    }

    @Test
    public void theDeviceInterruptsAndDoesDma() throws Exception {
        try (GuestConsole guest = boot()) {
            GuestFunction function = plug(guest, DescribedDevices.sparse());
            function.on();
            // It gets the message of the disk's vector: the disk's driver counts for it.
            GuestFunction disk = GuestFunction.find(guest, 0x1af4, DISK);
            int vector = 1;
            for (int register = 0; register < 12; register += 4) {
                function.vector(5, register, disk.vector(vector, register));
            }
            function.config(function.msix() + 2, 2, 0x8000);
            guest.run("sync");
            long before = diskInterrupts(guest);
            function.vector(5, 12, 0);
            function.write(0, DescribedDevices.DOORBELL, 4, 5);
            awaitDiskInterrupts(guest, before + 1);
            function.vector(5, 12, 1);
            function.write(0, DescribedDevices.DOORBELL, 4, 5);
            awaitPending(guest, function.base(0) + 0x4800, 1 << 5);
            assertEquals(before + 1, diskInterrupts(guest));
            function.vector(5, 12, 0);
            awaitDiskInterrupts(guest, before + 2);
            assertEquals(0, function.read(0, 0x4800, 4));

            int leases = fixture.machine().inspect(SLOT).leases().size();
            for (int time = 0; time < 3; time++) {
                function.config(function.msix() + 2, 2, 0);
                function.config(function.msix() + 2, 2, 0x8000);
            }
            assertEquals(leases, fixture.machine().inspect(SLOT).leases().size());

            function.write(0, DescribedDevices.COPY_SOURCE, 8, KERNEL);
            function.write(0, DescribedDevices.COPY_DESTINATION, 8, KERNEL);
            function.write(0, DescribedDevices.COPY_LENGTH, 8, 64);
            function.write(0, DescribedDevices.COPY_START, 4, 1);
            assertEquals(1, function.read(0, DescribedDevices.COPY_STATUS, 4));
            // There is no memory below the guest's.
            function.write(0, DescribedDevices.COPY_SOURCE, 8, 0x1000);
            function.write(0, DescribedDevices.COPY_START, 4, 1);
            assertEquals(2, function.read(0, DescribedDevices.COPY_STATUS, 4));
        }
    }

    /** An interrupt comes over a thread: the guest looks until it is there, or gives up. */
    private static void awaitDiskInterrupts(GuestConsole guest, long count) throws Exception {
        guest.run(
                "for n in $(seq 200); do [ $(%s) -ge %d ] && break; usleep 20000; done"
                        .formatted(COUNT, count));
        assertEquals(count, diskInterrupts(guest));
    }

    private static void awaitPending(GuestConsole guest, long address, long bits) throws Exception {
        guest.run(
                "for n in $(seq 200); do [ $(busybox devmem 0x%x) = 0x%08X ] && exit_now=1 && break; usleep 20000; done; [ -n \"$exit_now\" ]"
                        .formatted(address, bits));
    }

    private static long diskInterrupts(GuestConsole guest) throws Exception {
        return Long.parseLong(guest.run(COUNT));
    }

    @Test
    public void codeIsSwappedUnderIt() throws Exception {
        try (GuestConsole guest = boot()) {
            GuestFunction function = plug(guest, DescribedDevices.sparse());
            function.on();
            function.write(0, 0x100, 4, 0x5a5a);
            function.write(0, 0x2000, 4, 0xa5a5);
            int resets = device.resets();
            fixture.machine().swap(SLOT, NewBuild.path("device-vfio", "1.0.1").toString(), false);
            assertEquals(0x5a5a, function.read(0, 0x100, 4));
            assertEquals(0xa5a5, function.read(0, 0x2000, 4));
            assertEquals(resets, device.resets());
            fixture.machine().accept(SLOT);
            assertEquals(0x5a5a, function.read(0, 0x100, 4));
        }
    }

    @Test
    public void aServerThatEndsAndComesBackIsPickedUp() throws Exception {
        try (GuestConsole guest = boot()) {
            GuestFunction function = plug(guest, DescribedDevices.sparse());
            function.on();
            function.write(0, 0x2000, 4, 7);
            server.close();
            await("gone: " + history(), () -> told("registers read as all ones"));
            assertEquals(0xffff_ffffL, function.read(0, 0x100, 4));
            assertEquals(0xffff_ffffL, function.read(0, 0x2000, 4));
            assertEquals("still here", guest.run("echo still here"));
            server = VfioUserServer.open(socket, device);
            await("back: " + history(), () -> told("are made again"));
            function.write(0, 0x100, 4, 8);
            assertEquals(8, device.peek(0, 0x100, 4));
            assertEquals(7, function.read(0, 0x2000, 4));
        }
    }

    @Test
    public void aServerThatComesBackWithAnotherBarIsToldAndLeftAlone() throws Exception {
        try (GuestConsole guest = boot()) {
            GuestFunction function = plug(guest, DescribedDevices.sparse());
            function.on();
            function.write(0, 0x2000, 4, 7);
            server.close();
            await("gone: " + history(), () -> told("registers read as all ones"));
            DeviceDescription larger =
                    DescribedDevices.sparse()
                            .with(BarDescription.trapped(2, BarDescription.Kind.MEMORY_32, 4096));
            try (DescribedDevice other = DescribedDevice.open(larger)) {
                server = VfioUserServer.open(socket, other);
                await("not the same: " + history(), () -> told("its BAR 2 was absent"));
                assertEquals(0xffff_ffffL, function.read(0, 0x2000, 4));
                String detail = fixture.machine().inspect(SLOT).slot().detail();
                assertTrue(detail, detail.startsWith("not the same: "));
                server.close();
            }
            server = VfioUserServer.open(socket, device);
            await("back: " + history(), () -> told("are made again"));
            assertEquals(7, function.read(0, 0x2000, 4));
        }
    }

    @Test
    public void aServerThatDoesNotAnswerIsGoneAndItsSlotIsNot() throws Exception {
        var silent = new AtomicReference<CountDownLatch>();
        device = DescribedDevice.open(DescribedDevices.sparse());
        server = VfioUserServer.open(socket, silenced(silent));
        try (GuestConsole guest = boot()) {
            fixture.machine().plug(SLOT, "vfio", Map.of("socket", socket.toString()), "the test");
            GuestFunction function = GuestFunction.find(guest, 0x1b36, 0x0006);
            function.on();
            function.write(0, 0x100, 4, 9);
            var answer = new CountDownLatch(1);
            silent.set(answer);
            try {
                assertEquals(0xffff_ffffL, function.read(0, 0x100, 4));
                assertTrue(history().toString(), told("registers read as all ones"));
            } finally {
                silent.set(null);
                answer.countDown();
            }
            await("back: " + history(), () -> told("are made again"));
            assertEquals(9, function.read(0, 0x100, 4));
        }
    }

    /** The device, which does not come back from a read while there is a latch. */
    private ServedDevice silenced(AtomicReference<CountDownLatch> silent) {
        return (ServedDevice)
                Proxy.newProxyInstance(
                        VfioUserIT.class.getClassLoader(),
                        new Class<?>[] {ServedDevice.class},
                        (proxy, method, arguments) -> {
                            CountDownLatch answer = silent.get();
                            if (answer != null && method.getName().equals("read")) {
                                answer.await();
                            }
                            try {
                                return method.invoke(device, arguments);
                            } catch (InvocationTargetException e) {
                                throw e.getCause();
                            }
                        });
    }

    @Test
    public void unpluggingLeavesNothing() throws Exception {
        try (GuestConsole guest = boot()) {
            GuestFunction function = plug(guest, DescribedDevices.sparse());
            function.on();
            MachineException refused =
                    assertThrows(
                            MachineException.class,
                            () -> fixture.machine().snapshot(socket.resolveSibling("kept")));
            assertTrue(
                    refused.getMessage(),
                    refused.getMessage().contains("is outside of the machine"));
            guest.run("echo 1 > /sys/bus/pci/devices/%s/remove".formatted(function.address()));
            fixture.machine().unplug(SLOT, true);
            await("the server keeps memory", () -> device.memoryRuns() == 0);
            assertThrows(
                    NoSuchElementException.class, () -> GuestFunction.find(guest, 0x1b36, 0x0006));
            fixture.machine().plug(SLOT, "vfio", Map.of("socket", socket.toString()), "the test");
            assertEquals(65536, GuestFunction.find(guest, 0x1b36, 0x0006).size(0));
        }
    }

    @Test
    public void aResetOfTheMachineResetsTheDeviceWhichTheGuestFindsAgain() throws Exception {
        try (GuestConsole guest = boot()) {
            GuestFunction function = plug(guest, DescribedDevices.sparse());
            function.on();
            int resets = device.resets();
            fixture.machine().reset();
            guest.awaitReady();
            assertEquals(resets + 1, device.resets());
            function = GuestFunction.find(guest, 0x1b36, 0x0006);
            function.on();
            function.write(0, 0x2000, 4, 0x77);
            assertEquals(0x77, device.peek(0, 0x2000, 4));
        }
    }

    @Test
    public void aSocketThatNobodyServesIsOneSentence() throws Exception {
        try (GuestConsole guest = boot()) {
            MachineException refused =
                    assertThrows(
                            MachineException.class,
                            () ->
                                    fixture.machine()
                                            .plug(
                                                    SLOT,
                                                    "vfio",
                                                    Map.of("socket", socket.toString()),
                                                    "the test"));
            assertTrue(refused.getMessage(), refused.getMessage().contains(socket.toString()));
            assertEquals("still here", guest.run("echo still here"));
        }
    }
}
