package org.backplane.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.Before;
import org.junit.Test;

/**
 * A disk that one machine serves and another's guest uses with its stock driver: registers, DMA and
 * interrupts of a device that is passed through, on whatever engine this host has for the guest.
 */
public final class ServedDiskIT {
    private static final int DISK_SIZE = 16 << 20;
    private static final int WRITTEN = 4 << 20;
    private static final String SLOT = "disk9";

    private Path work;
    private Path serving;
    private Path image;
    private Path socket;

    @Before
    public void aDisk() throws Exception {
        NetworkedGuest.assumeGuest();
        // The path of a socket must be short.
        work = Files.createTempDirectory("used");
        serving = Files.createTempDirectory("served");
        image = Files.write(serving.resolve("disk.img"), new byte[DISK_SIZE]);
        socket = serving.resolve("disk.sock");
    }

    private Backplane disk() throws Exception {
        return Backplane.serve(serving, socket, "virtio-blk,path=" + image);
    }

    private void plug(GuestProcess guest) throws Exception {
        guest.shell("vm:plug %s vfio socket=%s".formatted(SLOT, socket));
        guest.run("echo 1 > /sys/bus/pci/rescan; until [ -b /dev/vda ]; do usleep 20000; done");
    }

    @Test
    public void theGuestWritesAndReadsWhileItsMonitorsCodeIsSwapped() throws Exception {
        NewBuild.make("device-vfio", "1.0.8");
        Path next = NewBuild.path("device-vfio", "1.0.8");
        try (Backplane server = disk();
                GuestProcess guest = NetworkedGuest.start(work, "vm")) {
            plug(guest);
            guest.run("head -c %d /dev/urandom > /tmp/data".formatted(WRITTEN));
            guest.run(
                    "(until [ -e /tmp/stop ]; do dd if=/tmp/data of=/dev/vda bs=64k conv=fsync"
                            + " 2> /dev/null || touch /tmp/failed; echo >> /tmp/rounds; done;"
                            + " touch /tmp/stopped) > /dev/null 2>&1 &");
            awaitRounds(guest, 1);
            for (int swap = 0; swap < 4; swap++) {
                guest.shell(
                        "vm:swap %s %s"
                                .formatted(
                                        SLOT,
                                        swap % 2 == 0
                                                ? next
                                                : ProjectBundle.named("device-vfio").jar()));
                awaitRounds(guest, 1);
            }
            guest.run("touch /tmp/stop; until [ -e /tmp/stopped ]; do usleep 20000; done");
            guest.run("[ ! -e /tmp/failed ]");
            String written = guest.run("sha256sum < /tmp/data").substring(0, 64);
            byte[] stored = Files.readAllBytes(image);
            assertEquals(written, WritingGuest.sha256(Arrays.copyOf(stored, WRITTEN)));
            guest.run("echo 3 > /proc/sys/vm/drop_caches");
            assertEquals(
                    WritingGuest.sha256(stored),
                    guest.run("sha256sum < /dev/vda").substring(0, 64));
            String interrupts = guest.run("grep 'virtio.*-req' /proc/interrupts");
            assertTrue(interrupts, interrupts.contains("MSI"));
            assertTrue(guest.shell("vm:history " + SLOT).split("swapped", -1).length >= 5);
        }
    }

    @Test
    public void aDiskThatIsUnpluggedIsThereForTheNext() throws Exception {
        try (Backplane server = disk();
                GuestProcess guest = NetworkedGuest.start(work, "vm")) {
            for (int time = 0; time < 2; time++) {
                plug(guest);
                guest.run("echo round %d | dd of=/dev/vda conv=fsync 2> /dev/null".formatted(time));
                guest.run(
                        "echo 1 > $(readlink -f /sys/block/vda/device/..)/remove;"
                                + " until [ ! -b /dev/vda ]; do usleep 20000; done");
                String unplugged = guest.shell("vm:unplug " + SLOT);
                assertTrue(unplugged, unplugged.contains("if the guest still lists it"));
                assertEquals(
                        "round " + time, new String(Arrays.copyOf(Files.readAllBytes(image), 7)));
            }
        }
    }

    private static void awaitRounds(GuestProcess guest, int more) throws Exception {
        guest.run(
                ("was=$(cat /tmp/rounds 2> /dev/null | wc -l); until"
                                + " [ $(cat /tmp/rounds 2> /dev/null | wc -l) -gt $((was + %d)) ];"
                                + " do usleep 50000; done")
                        .formatted(more));
    }
}
