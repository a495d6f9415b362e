package org.backplane.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.backplane.testkit.vfio.DescribedDevice;
import org.backplane.testkit.vfio.DescribedDevices;
import org.backplane.vfio.user.VfioUserServer;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;

/**
 * A Realtek r8168 beside a network and a disk with legacy interfaces, on kvmtool's old map and
 * under a kernel that moves no BAR: where a BAR that holds the MSI-X table once got room for no
 * more than the table. Linux drives the disk and the network by the legacy interface.
 */
public final class OldMapIT {
    private static final int CARD = 1;
    private static final int TABLE_BAR = 4;
    private static final int REGISTERS_BAR = 2;
    private static final int PAGE = 4096;
    private static final Pattern BAR =
            Pattern.compile("(0000:00:\\S+): BAR (\\d) \\[(io |mem) 0x([0-9a-f]+)-0x([0-9a-f]+)");

    private Path work;
    private DescribedDevice device;
    private VfioUserServer server;

    @Before
    public void serveTheCard() throws Exception {
        NetworkedGuest.assumeGuest();
        if (!JoinedGuestsIT.isOnPath("lspci")) {
            NetworkedGuest.skip("lspci is missing; install it: apt-get install pciutils");
        }
        work = Files.createTempDirectory("map");
        device = DescribedDevice.open(DescribedDevices.r8168());
        server = VfioUserServer.open(work.resolve("card"), device);
        Files.write(work.resolve("disk"), new byte[1 << 20]);
    }

    @After
    public void end() throws Exception {
        if (server != null) {
            server.close();
            device.close();
        }
    }

    private GuestProcess start(Path kernel, Path initrd) throws Exception {
        GuestProcess guest =
                GuestProcess.backplane(
                        work,
                        "old",
                        List.of(),
                        List.of(
                                "--board",
                                "riscv-cam",
                                "--kernel",
                                kernel.toString(),
                                "--initrd",
                                initrd.toString(),
                                "--append",
                                "console=ttyS0 quiet cryptomgr.notests=1 backplane.agent"
                                        + " virtio_pci.force_legacy=1",
                                "--memory",
                                "256M",
                                "--device",
                                "vfio,name=nic0,socket=" + work.resolve("card"),
                                "--device",
                                "virtio-net,name=net0,backend=user,transitional=on",
                                "--device",
                                "virtio-blk,name=disk0,transitional=on,path="
                                        + work.resolve("disk")));
        guest.awaitReady();
        return guest;
    }

    /** A range of a BAR as Linux saw it at first. */
    private record Range(String bar, String space, long first, long last) {
        long size() {
            return last - first + 1;
        }
    }

    private static List<Range> ranges(String log) {
        var found = new ArrayList<Range>();
        Matcher line = BAR.matcher(log);
        while (line.find()) {
            found.add(
                    new Range(
                            line.group(1) + " BAR " + line.group(2),
                            line.group(3).strip(),
                            Long.parseLong(line.group(4), 16),
                            Long.parseLong(line.group(5), 16)));
        }
        return found;
    }

    @Test
    public void everyBarHasItsWholeRegionAndTheGuestUsesAllThreeDevices() throws Exception {
        try (GuestProcess guest = start(WithGuest.kernel(), NetworkCardModules.initrd(work))) {
            String log = guest.run("dmesg | grep -E '(pci|_bus|generic) [0-9a-f]+[.:]'");
            assertFalse(log, log.contains("can't claim"));
            List<Range> ranges = ranges(log);
            assertEquals(log, 9, ranges.size());
            var sizes = new TreeMap<String, Long>();
            for (Range range : ranges) {
                assertEquals(range.toString(), 0, range.first() % range.size());
                sizes.put(range.bar(), range.size());
                for (Range other : ranges) {
                    boolean apart =
                            range == other
                                    || !range.space().equals(other.space())
                                    || range.last() < other.first()
                                    || other.last() < range.first();
                    assertTrue(range + " " + other, apart);
                }
            }
            for (var bar : DescribedDevices.r8168().bars()) {
                assertEquals(
                        Long.valueOf(bar.size()), sizes.get("0000:00:01.0 BAR " + bar.index()));
            }
            compareGolden("pci-log.txt", withoutTimes(log));
            guest.run(
                    "head -c 300000 /dev/urandom > /tmp/x && dd if=/tmp/x of=/dev/vda conv=fsync");
            assertEquals(
                    guest.run("sha256sum < /tmp/x"),
                    guest.run("head -c 300000 /dev/vda | sha256sum"));
            guest.run("ping -q -c 3 -i 0.1 10.0.2.2");
            // The driver leaves by a reset for which it does not wait, and takes the disk anew.
            guest.run(
                    "cd /sys/bus/pci/drivers/virtio-pci && echo 0000:00:03.0 > unbind"
                            + " && [ ! -e /sys/block/vda ] && echo 0000:00:03.0 > bind");
            assertEquals(
                    guest.run("sha256sum < /tmp/x"),
                    guest.run("head -c 300000 /dev/vda | sha256sum"));
            for (String virtio : List.of("0000:00:02.0", "0000:00:03.0")) {
                // Bit 32: not negotiated by a legacy driver.
                assertEquals(
                        "0",
                        guest.run(
                                "cut -c 33 /sys/bus/pci/devices/" + virtio + "/virtio*/features"));
            }
            compareGolden("lspci.txt", lspci(guest));
            guest.run(NetworkCardModules.LOAD);
            guest.run("[ -d /sys/bus/pci/drivers/r8169/0000:00:01.0/net ]");
            String card = guest.run("dmesg | grep r8169");
            assertTrue(card, card.contains("RTL8168c") && card.contains("52:54:00:81:68:01"));
        }
    }

    /** The table of 64 bytes and the pending bits, a page each, as the rule was. */
    @Test
    public void aBarWithRoomForItsTableOnlyIsRefusedByTheGuest() throws Exception {
        int base = 0x5000_0000;
        int tableAndPending = 2 * PAGE;
        Path kernel = work.resolve("vmlinux");
        new WrongFirmware(WithGuest.kernel())
                .store(CARD, register(TABLE_BAR), base)
                .store(CARD, register(TABLE_BAR) + 4, 0)
                .store(CARD, register(REGISTERS_BAR), base + tableAndPending)
                .store(CARD, register(REGISTERS_BAR) + 4, 0)
                .write(kernel);
        try (GuestProcess guest = start(kernel, WithGuest.initrd())) {
            String log = guest.run("dmesg | grep \"can't claim\"");
            assertTrue(
                    log,
                    log.contains(
                            "pci 0000:00:01.0: BAR 4 [mem 0x50000000-0x50003fff 64bit pref]: can't"
                                    + " claim; address conflict with 0000:00:01.0 [mem"
                                    + " 0x50002000-0x50002fff 64bit]"));
            assertEquals(log, 1, log.lines().count());
        }
    }

    /**
     * What lspci of the host says of the guest's configuration space, in numbers: names come and go
     * with its list.
     */
    private String lspci(GuestProcess guest) throws Exception {
        var dump = new StringBuilder();
        for (int function = 0; function <= 3; function++) {
            dump.append("00:%02x.0 function\n".formatted(function));
            String bytes =
                    guest.run(
                            "hexdump -v -e '16/1 \"%02x \" \"\\n\"' /sys/bus/pci/devices/0000:00:0"
                                    + function
                                    + ".0/config");
            int at = 0;
            for (String line : bytes.lines().toList()) {
                dump.append("%02x: %s\n".formatted(at, line.strip()));
                at += 16;
            }
            dump.append('\n');
        }
        Path file = Files.writeString(work.resolve("dump"), dump);
        Process lspci =
                new ProcessBuilder("lspci", "-n", "-vv", "-F", file.toString())
                        // It may miss the host's list of modules, which is not asked for.
                        .redirectError(ProcessBuilder.Redirect.DISCARD)
                        .start();
        String said = new String(lspci.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(said, 0, lspci.waitFor());
        return said.replaceAll("routed to IRQ [1-9]\\d*", "routed to IRQ n");
    }

    private static int register(int bar) {
        return 0x10 + 4 * bar;
    }

    private static String withoutTimes(String log) {
        return log.replaceAll("(?m)^\\[[^]]*\\] ", "") + "\n";
    }

    private static void compareGolden(String name, String text) throws IOException {
        try (var golden = OldMapIT.class.getResourceAsStream(name)) {
            Files.writeString(ProjectBundle.root().resolve("itests/target/" + name), text);
            assertTrue("no golden text " + name, golden != null);
            assertEquals(new String(golden.readAllBytes(), StandardCharsets.UTF_8), text);
        }
    }
}
