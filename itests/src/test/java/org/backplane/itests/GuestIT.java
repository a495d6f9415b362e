package org.backplane.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.inject.Inject;
import org.apache.felix.cm.impl.ConfigurationManager;
import org.backplane.machine.SlotReport;
import org.backplane.machine.SlotState;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.CoreOptions;
import org.ops4j.pax.exam.Option;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;

/** Debian's Linux on the embedded processor, with the project's devices under its drivers. */
@RunWith(WithGuest.class)
public final class GuestIT {
    private static final long DISK_SIZE = 16L << 20;

    @Inject private BundleContext context;
    private MachineFixture fixture;
    private Path folder;
    private Path image;

    @Configuration
    public Option[] framework() {
        NewBuild.make("device-virtio-blk", "1.0.1");
        NewBuild.make("device-virtio-blk", "1.0.2");
        return CoreOptions.options(
                Framework.base(),
                Framework.onClassPath(ConfigurationManager.class),
                Framework.project(
                        Stream.concat(
                                        Framework.BOARD.stream(),
                                        Stream.of(
                                                "hart", "machine", "chipset", "device-virtio-blk"))
                                .toList()));
    }

    @Before
    public void boot() throws Exception {
        // The path of a socket must be short; the image need not be.
        folder = Files.createTempDirectory("guest");
        image = ProjectBundle.root().resolve("itests/target/guest.img");
        Files.write(image, new byte[(int) DISK_SIZE]);
        fixture =
                MachineFixture.of(
                        context,
                        Map.of(
                                "kernel",
                                WithGuest.kernel().toString(),
                                "initrd",
                                WithGuest.initrd().toString(),
                                "append",
                                "console=ttyS0 quiet cryptomgr.notests=1 backplane.agent",
                                "memory",
                                512L << 20,
                                "cpus",
                                2,
                                "console",
                                "unix=" + folder.resolve("console"),
                                "slots",
                                List.of(
                                        Map.of(
                                                "name",
                                                "disk0",
                                                "kind",
                                                "virtio-blk",
                                                "path",
                                                image.toString()))));
    }

    private GuestConsole console() throws IOException {
        return new GuestConsole(folder.resolve("console"));
    }

    private boolean everySlotRuns() {
        return fixture.machine().slots().stream()
                .map(SlotReport::state)
                .allMatch(SlotState.RUNNING::equals);
    }

    private SlotReport disk() {
        return fixture.machine().slots().stream()
                .filter(slot -> slot.name().equals("disk0"))
                .findFirst()
                .orElseThrow();
    }

    @Test
    public void bootsUsesTheChipsetRebootsAndPowersOff() throws Exception {
        try (GuestConsole guest = console()) {
            guest.awaitReady();
            assertEquals("riscv64", guest.run("uname -m"));
            assertEquals("2", guest.run("nproc"));
            // By interrupt, not polled.
            assertTrue(Integer.parseInt(guest.run(interruptsOf("ttyS0"))) > 0);
            assertTrue(guest.run("cat /sys/class/rtc/rtc0/name").contains("goldfish_rtc"));
            long guestTime = Long.parseLong(guest.run("cat /sys/class/rtc/rtc0/since_epoch"));
            assertTrue(Math.abs(guestTime - Instant.now().getEpochSecond()) < 3600);

            Bundle chipset = fixture.bundle("org.backplane.chipset");
            try (InputStream jar = Files.newInputStream(ProjectBundle.named("chipset").jar())) {
                chipset.update(jar);
            }
            assertEquals("still here", guest.run("echo still here"));
            assertTrue(everySlotRuns());

            guest.send("reboot -f");
            guest.awaitReady();
            assertEquals(2, fixture.machine().report().boots());
            guest.send("poweroff -f");
            assertEquals(0, (int) MachineFixture.await(fixture.end()));
        }
    }

    private static String interruptsOf(String device) {
        return "awk '/%s/ { for (i = 2; i <= 3; i++) n += $i } END { print n + 0 }' /proc/interrupts"
                .formatted(device);
    }

    @Test
    public void diskIsSwappedUnderAWritingGuest() throws Exception {
        try (GuestConsole guest = console()) {
            guest.awaitReady();
            guest.run("head -c 1048576 /dev/urandom > /tmp/data");
            guest.run(
                    "(n=0; until [ -e /tmp/stop ]; do"
                            + " dd if=/tmp/data of=/dev/vda bs=64k seek=$((n % 8 * 16))"
                            + " conv=fsync 2> /dev/null || echo $n > /tmp/failed;"
                            + " n=$((n + 1)); echo $n > /tmp/written; done; touch /tmp/stopped) &");
            awaitMoreWritten(guest);
            fixture.machine()
                    .swap("disk0", NewBuild.path("device-virtio-blk", "1.0.1").toString(), false);
            fixture.machine().accept("disk0");
            awaitMoreWritten(guest);
            assertEquals("1.0.1", disk().version());
            Bundle bundle = context.getBundle(disk().bundleId());
            try (InputStream jar =
                    Files.newInputStream(NewBuild.path("device-virtio-blk", "1.0.2"))) {
                bundle.update(jar);
            }
            awaitMoreWritten(guest);
            assertEquals("1.0.2", disk().version());
            guest.run("touch /tmp/stop; until [ -e /tmp/stopped ]; do usleep 10000; done");
            guest.run("[ ! -e /tmp/failed ]");
            guest.run("echo 3 > /proc/sys/vm/drop_caches");
            guest.run("head -c 1048576 /dev/vda | cmp - /tmp/data");
            guest.run("dd if=/tmp/data of=/dev/vda bs=64k conv=fsync 2> /dev/null; sync");
            String sum = guest.run("sha256sum < /tmp/data | cut -c 1-64");
            assertEquals(sum, sha256(Arrays.copyOf(Files.readAllBytes(image), 1 << 20)));
            while (!fixture.machine().stillLoaded().isEmpty()) {
                System.gc();
            }
            guest.send("poweroff -f");
            assertEquals(0, (int) MachineFixture.await(fixture.end()));
        }
    }

    /** Waits in the guest until it has written a chunk that it began after this call. */
    private static void awaitMoreWritten(GuestConsole guest) throws IOException {
        guest.run(
                "was=$(cat /tmp/written 2> /dev/null || echo 0);"
                        + " until [ \"$(cat /tmp/written 2> /dev/null || echo 0)\" -ge $((was + 2)) ]"
                        + " 2> /dev/null; do usleep 50000; done");
    }

    private static String sha256(byte[] bytes) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }
}
