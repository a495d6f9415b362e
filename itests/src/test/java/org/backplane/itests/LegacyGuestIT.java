package org.backplane.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.inject.Inject;
import org.apache.felix.cm.impl.ConfigurationManager;
import org.backplane.machine.SlotReport;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.CoreOptions;
import org.ops4j.pax.exam.Option;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;

/**
 * Debian's Linux drives a transitional disk by its legacy interface, over swaps and a snapshot:
 * with MSI-X, which adds two registers to that interface, and with the pin, whose ISR byte is in
 * it.
 */
@RunWith(WithGuest.class)
public final class LegacyGuestIT {
    private static final String MSIX = "";
    private static final String PIN = "pci=nomsi";
    private static final String VERSION_1 = "33";

    @Inject private BundleContext context;
    private Path folder;
    private Path console;

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
    public void makeFolder() throws Exception {
        // The path of a socket must be short.
        folder = Files.createTempDirectory("legacy");
        console = folder.resolve("console");
    }

    private static void startWriting(GuestConsole guest) throws Exception {
        guest.awaitReady();
        guest.run("head -c 1048576 /dev/urandom > /tmp/data");
        guest.run(WritingGuest.START);
        WritingGuest.awaitMore(guest);
    }

    private static SlotReport disk(MachineFixture machine) {
        return machine.machine().slots().stream()
                .filter(slot -> slot.name().equals("disk0"))
                .findFirst()
                .orElseThrow();
    }

    private void swapBesideAndInPlace(MachineFixture machine, GuestConsole guest) throws Exception {
        machine.machine()
                .swap("disk0", NewBuild.path("device-virtio-blk", "1.0.1").toString(), false);
        machine.machine().accept("disk0");
        WritingGuest.awaitMore(guest);
        assertEquals("1.0.1", disk(machine).version());
        Bundle bundle = context.getBundle(disk(machine).bundleId());
        try (InputStream jar = Files.newInputStream(NewBuild.path("device-virtio-blk", "1.0.2"))) {
            bundle.update(jar);
        }
        WritingGuest.awaitMore(guest);
        assertEquals("1.0.2", disk(machine).version());
    }

    /** Nothing was lost, and it was the legacy interface all the time. */
    private static void endWriting(MachineFixture machine, GuestConsole guest) throws Exception {
        WritingGuest.stopAndCompare(guest);
        String sum = WritingGuest.assertImageHasIt(guest);
        assertLegacy(guest);
        // The driver leaves by a reset for which it does not wait, and takes the disk anew.
        guest.run(
                "device=$(basename $(readlink -f /sys/block/vda/device/..));"
                        + " cd /sys/bus/pci/drivers/virtio-pci && echo $device > unbind"
                        + " && [ ! -e /sys/block/vda ] && echo $device > bind");
        assertLegacy(guest);
        assertEquals(sum, guest.run("head -c 1048576 /dev/vda | sha256sum | cut -c 1-64"));
        assertEquals("0", machine.machine().inspect("disk0").facts().get("guest mistakes"));
        guest.send("poweroff -f");
        assertEquals(0, (int) MachineFixture.await(machine.end()));
    }

    private static void assertLegacy(GuestConsole guest) throws Exception {
        assertEquals("0", guest.run("cut -c " + VERSION_1 + " /sys/block/vda/device/features"));
    }

    private static String interrupts(GuestConsole guest) throws Exception {
        return guest.run("grep virtio /proc/interrupts");
    }

    @Test
    public void diskIsSwappedUnderAWritingGuestThatInterruptsByMessages() throws Exception {
        MachineFixture machine = BootedGuest.bootLegacy(context, console, MSIX);
        try (GuestConsole guest = new GuestConsole(console)) {
            startWriting(guest);
            assertTrue(interrupts(guest), interrupts(guest).contains("PCI-MSIX"));
            swapBesideAndInPlace(machine, guest);
            endWriting(machine, guest);
        } finally {
            machine.stop();
        }
    }

    @Test
    public void guestGoesOnFromASnapshotAndIsSwappedThereWithThePinsInterrupt() throws Exception {
        Path snapshot = folder.resolve("later");
        MachineFixture first = BootedGuest.bootLegacy(context, console, PIN);
        try (GuestConsole guest = new GuestConsole(console)) {
            startWriting(guest);
            assertTrue(interrupts(guest), !interrupts(guest).contains("PCI-MSI"));
            first.machine().pause();
            first.machine().snapshot(snapshot);
        } finally {
            first.stop();
        }
        MachineFixture again = BootedGuest.restore(context, console, snapshot);
        try (GuestConsole guest = new GuestConsole(console)) {
            WritingGuest.awaitMore(guest);
            swapBesideAndInPlace(again, guest);
            endWriting(again, guest);
        } finally {
            again.stop();
        }
    }
}
