package org.backplane.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
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
    @Inject private BundleContext context;
    private MachineFixture fixture;
    private Path socket;

    @Configuration
    public Option[] framework() {
        NewBuild.make("device-virtio-blk", "1.0.1");
        NewBuild.make("device-virtio-blk", "1.0.2");
        return CoreOptions.options(
                Framework.base(),
                Framework.onClassPath(ConfigurationManager.class),
                Framework.project(BootedGuest.BUNDLES));
    }

    @Before
    public void nameTheConsole() throws IOException {
        // The path of a socket must be short.
        socket = Files.createTempDirectory("guest").resolve("console");
    }

    private GuestConsole console() throws IOException {
        return new GuestConsole(socket);
    }

    /** Each slot comes back by itself; what the guest says tells of the console's only. */
    private void awaitEverySlot() {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (!everySlotRuns()) {
            assertTrue("slots: " + fixture.machine().slots(), System.nanoTime() < end);
            Thread.onSpinWait();
        }
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
    public void bootsUsesTheChipsetAndPowersOff() throws Exception {
        fixture = BootedGuest.boot(context, socket);
        try (GuestConsole guest = console()) {
            guest.awaitReady();
            BootedGuest.keep(fixture);
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
            awaitEverySlot();

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
        fixture = BootedGuest.start(context, socket);
        try (GuestConsole guest = console()) {
            guest.run("head -c 1048576 /dev/urandom > /tmp/data");
            guest.run(WritingGuest.START);
            WritingGuest.awaitMore(guest);
            fixture.machine()
                    .swap("disk0", NewBuild.path("device-virtio-blk", "1.0.1").toString(), false);
            fixture.machine().accept("disk0");
            WritingGuest.awaitMore(guest);
            assertEquals("1.0.1", disk().version());
            Bundle bundle = context.getBundle(disk().bundleId());
            try (InputStream jar =
                    Files.newInputStream(NewBuild.path("device-virtio-blk", "1.0.2"))) {
                bundle.update(jar);
            }
            WritingGuest.awaitMore(guest);
            assertEquals("1.0.2", disk().version());
            WritingGuest.stopAndCompare(guest);
            WritingGuest.assertImageHasIt(guest);
            while (!fixture.machine().stillLoaded().isEmpty()) {
                System.gc();
            }
            guest.send("poweroff -f");
            assertEquals(0, (int) MachineFixture.await(fixture.end()));
        }
    }
}
