package org.backplane.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.backplane.itests.Backplane.Answer;
import org.junit.Before;
import org.junit.Test;

/** A guest of QEMU uses devices that were written for Backplane. */
public final class ServeIT {
    private static final int DISK_SIZE = 16 << 20;
    private static final int WRITTEN = 6 << 20;
    private static final String DISK = "disk0";

    private Path work;
    private Path image;
    private Path socket;

    @Before
    public void aDisk() throws Exception {
        ClientGuest.assumeQemu();
        // The path of a socket must be short.
        work = Files.createTempDirectory("serve");
        image = Files.write(work.resolve("disk.img"), new byte[DISK_SIZE]);
        socket = work.resolve("disk.sock");
    }

    private Backplane disk() throws Exception {
        return Backplane.serve(work, socket, "virtio-blk,path=" + image);
    }

    private GuestProcess guest(String name, String append) throws Exception {
        return ClientGuest.boot(work, name, append, socket);
    }

    /** What the guest has written is in the image, and what is in the image the guest reads. */
    private void writeAndReadByDigest(GuestProcess guest) throws Exception {
        guest.run("head -c %d /dev/urandom > /tmp/data".formatted(WRITTEN));
        guest.run("dd if=/tmp/data of=/dev/vda bs=64k conv=fsync 2> /dev/null");
        String written = guest.run("sha256sum < /tmp/data").substring(0, 64);
        byte[] disk = Files.readAllBytes(image);
        assertEquals(written, WritingGuest.sha256(Arrays.copyOf(disk, WRITTEN)));
        guest.run("echo 3 > /proc/sys/vm/drop_caches");
        String read = guest.run("sha256sum < /dev/vda").substring(0, 64);
        assertEquals(WritingGuest.sha256(disk), read);
    }

    private static String shell(Backplane server, String command) throws Exception {
        Answer answer = server.shell(command);
        assertEquals(answer.text(), 0, answer.status());
        return answer.text();
    }

    @Test
    public void aClientIsKilledAndTheNextFindsADeviceThatWasReset() throws Exception {
        try (Backplane server = disk()) {
            GuestProcess first = guest("one", "");
            try {
                writeAndReadByDigest(first);
                // In the midst of it.
                first.run("dd if=/dev/zero of=/dev/vda bs=64k > /dev/null 2>&1 &");
            } finally {
                first.kill();
            }
            // By the pin this time, and not by messages.
            try (GuestProcess second = guest("two", "pci=nomsi")) {
                writeAndReadByDigest(second);
                String interrupts = second.run("grep virtio /proc/interrupts");
                assertTrue(interrupts, interrupts.contains("IO-APIC"));
            }
            assertTrue(shell(server, "vm:slots").contains("running"));
        }
    }

    @Test
    public void theDiskIsSwappedWhileTheGuestWrites() throws Exception {
        NewBuild.make("device-virtio-blk", "1.0.7");
        try (Backplane server = disk();
                GuestProcess guest = guest("one", "")) {
            guest.run("backplane-writer /dev/vda 16 > /dev/null 2>&1 &");
            awaitChunks(guest, 2);
            for (int swap = 0; swap < 3; swap++) {
                shell(server, "vm:swap %s %s".formatted(DISK, swapped(swap)));
                awaitChunks(guest, 2);
            }
            guest.run("touch /tmp/stop; while pidof backplane-writer; do usleep 50000; done");
            guest.run("[ ! -e /tmp/failed ]");
            guest.run("echo 3 > /proc/sys/vm/drop_caches");
            guest.run(
                    "for slot in /tmp/sums/*; do dd if=/dev/vda bs=256k skip=$(basename $slot)"
                            + " count=1 2> /dev/null | sha256sum | cut -c 1-64 | cmp - $slot"
                            + " || exit 1; done");
            String history = shell(server, "vm:history " + DISK);
            assertEquals(history, 3, history.split("swapped", -1).length - 1);
        }
    }

    /** There and back again. */
    private static Path swapped(int swap) {
        return swap % 2 == 0
                ? NewBuild.path("device-virtio-blk", "1.0.7")
                : ProjectBundle.named("device-virtio-blk").jar();
    }

    private static void awaitChunks(GuestProcess guest, int more) throws Exception {
        guest.run(
                ("was=$(cat /tmp/written 2> /dev/null || echo 0);"
                                + " until [ \"$(cat /tmp/written 2> /dev/null || echo 0)\" -ge"
                                + " $((was + %d)) ] 2> /dev/null; do usleep 50000; done")
                        .formatted(more));
    }

    @Test
    public void anotherDeviceIsServedBesideIt() throws Exception {
        Path other = Files.createTempDirectory("serve");
        Path entropy = other.resolve("rng.sock");
        try (Backplane server = disk();
                Backplane second = Backplane.serve(other, entropy, "virtio-rng");
                GuestProcess guest = ClientGuest.boot(work, "one", "", socket, entropy)) {
            // Its driver is loaded in the background.
            guest.run(
                    NetworkedGuest.until(
                            "grep -q virtio_rng /sys/class/misc/hw_random/rng_current"));
            guest.run("[ $(head -c 4096 /dev/hwrng | wc -c) = 4096 ]");
            writeAndReadByDigest(guest);
            String refused = server.shell("vm:plug disk1 virtio-rng").text();
            assertTrue(refused, refused.contains("it has that one slot for its life"));
            String snapshot = server.shell("vm:snapshot " + work.resolve("kept")).text();
            assertTrue(snapshot, snapshot.contains("its guest is another process's"));
            assertTrue(shell(second, "vm:slots").contains("virtio-rng"));
        }
    }
}
