package org.backplane.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import javax.inject.Inject;
import org.apache.felix.cm.impl.ConfigurationManager;
import org.backplane.machine.MachineException;
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

/** Whole machines that are written to a folder and go on from there. */
@RunWith(WithGuest.class)
public final class SnapshotIT {
    private static final long HOUR = 3_600_000;

    @Inject private BundleContext context;
    private Path folder;
    private Path console;

    @Configuration
    public Option[] framework() {
        return CoreOptions.options(
                Framework.base(),
                Framework.onClassPath(ConfigurationManager.class),
                Framework.project(BootedGuest.BUNDLES));
    }

    @Before
    public void makeFolder() throws IOException {
        folder = Files.createTempDirectory("snapshot");
        console = folder.resolve("console");
    }

    @Test
    public void writingGuestGoesOnTwiceFromOneSnapshot() throws Exception {
        Path snapshot = folder.resolve("later");
        Path kept = folder.resolve("disk.img");
        MachineFixture first = BootedGuest.start(context, console);
        try (GuestConsole guest = new GuestConsole(console)) {
            guest.run("head -c 1048576 /dev/urandom > /tmp/data");
            guest.run(WritingGuest.START);
            WritingGuest.awaitMore(guest);
            first.machine().snapshot(folder.resolve("unused"));
            // The guest goes on as if nothing had been.
            WritingGuest.awaitMore(guest);
            first.machine().pause();
            first.machine().snapshot(snapshot);
            Files.copy(BootedGuest.image(), kept);
        } finally {
            first.stop();
        }
        String[] sums = new String[2];
        for (int round = 0; round < sums.length; round++) {
            Files.copy(kept, BootedGuest.image(), StandardCopyOption.REPLACE_EXISTING);
            MachineFixture again = BootedGuest.restore(context, console, snapshot);
            try (GuestConsole guest = new GuestConsole(console)) {
                WritingGuest.awaitMore(guest);
                WritingGuest.stopAndCompare(guest);
                sums[round] = WritingGuest.assertImageHasIt(guest);
                assertTrue(
                        again.machine().slots().stream()
                                .map(SlotReport::state)
                                .allMatch(SlotState.RUNNING::equals));
                guest.send("poweroff -f");
                assertEquals(0, (int) MachineFixture.await(again.end()));
            } finally {
                again.stop();
            }
        }
        assertEquals(sums[0], sums[1]);
    }

    @Test
    public void everythingTheGuestSeesIsAsItWas() throws Exception {
        MachineFixture machine = BootedGuest.start(context, console);
        try (GuestConsole guest = new GuestConsole(console)) {
            List<String> looks =
                    List.of(
                            "for d in /sys/bus/pci/devices/*; do"
                                    + " hexdump -C $d/config; cat $d/resource; done",
                            "cat /proc/iomem /sys/block/vda/size /sys/block/vda/cache_type",
                            "cat /proc/sys/kernel/random/boot_id; nproc",
                            "awk '{ print $1, $NF }' /proc/interrupts");
            StringBuilder before = new StringBuilder();
            for (String look : looks) {
                before.append(guest.run(look));
            }
            Path snapshot = folder.resolve("later");
            machine.machine().pause();
            machine.machine().snapshot(snapshot);
            long time = machine.machine().report().guestTime().toNanos();
            machine.stop();
            machine = BootedGuest.restore(context, console, snapshot);
            try (GuestConsole later = new GuestConsole(console)) {
                StringBuilder after = new StringBuilder();
                for (String look : looks) {
                    after.append(later.run(look));
                }
                assertEquals(before.toString(), after.toString());
                assertTrue(machine.machine().report().guestTime().toNanos() > time);
                later.run("dd if=/dev/vda of=/dev/null bs=64k count=4 iflag=direct 2> /dev/null");
            }
        } finally {
            machine.stop();
        }
    }

    @Test
    public void accessThatWaitsAtAVacantSlotIsMadeAgain() throws Exception {
        Path snapshot = folder.resolve("later");
        MachineFixture machine = BootedGuest.start(context, console, Map.of("bound.vacancy", HOUR));
        Bundle chipset = machine.bundle("org.backplane.chipset");
        try (GuestConsole guest = new GuestConsole(console)) {
            guest.run(
                    "(while :; do cat /sys/class/rtc/rtc0/since_epoch >> /tmp/seconds; done)"
                            + " 2> /tmp/failed &");
            chipset.stop();
            while (!aProcessorWaitsAtAGate()) {
                Thread.onSpinWait();
            }
            machine.machine().snapshot(snapshot);
        } finally {
            machine.stop();
        }
        // The machine that ended gave up the bundle that none of its slots used.
        context.installBundle(ProjectBundle.named("chipset").jar().toUri().toString()).start();
        machine = BootedGuest.restore(context, console, snapshot);
        try (GuestConsole guest = new GuestConsole(console)) {
            guest.run(
                    "was=$(wc -l < /tmp/seconds);"
                            + " until [ $(wc -l < /tmp/seconds) -ge $((was + 2)) ]; do"
                            + " usleep 50000; done");
            guest.run("[ ! -s /tmp/failed ]");
            // Nobody read all ones meanwhile.
            guest.run("[ $(cut -c 1-2 /tmp/seconds | sort -u | wc -l) = 1 ]");
        } finally {
            machine.stop();
        }
    }

    private static boolean aProcessorWaitsAtAGate() {
        return Thread.getAllStackTraces().entrySet().stream()
                .filter(thread -> thread.getKey().getName().contains("/vcpu"))
                .flatMap(thread -> Arrays.stream(thread.getValue()))
                .anyMatch(
                        frame ->
                                frame.getMethodName().equals("park")
                                        && frame.getClassName().endsWith(".Gate"));
    }

    @Test
    public void damagedSnapshotIsRefused() throws Exception {
        Path good = BootedGuest.snapshot(context, console);
        Path damaged = Files.createDirectory(folder.resolve("damaged"));
        for (String file : List.of("manifest", "state", "memory")) {
            Files.copy(good.resolve(file), damaged.resolve(file));
        }
        byte[] memory = Files.readAllBytes(damaged.resolve("memory"));
        memory[memory.length / 2] ^= 1;
        Files.write(damaged.resolve("memory"), memory);
        String refusal = MachineFixture.refusal(context, BootedGuest.restoring(console, damaged));
        assertEquals(
                "The snapshot '%s' cannot be restored: its file 'memory' is damaged: its digest is not the one it was written with; take another."
                        .formatted(damaged),
                refusal);
    }

    @Test
    public void failedSnapshotLeavesNothingAndTheGuestGoesOn() throws Exception {
        MachineFixture machine = BootedGuest.start(context, console);
        try (GuestConsole guest = new GuestConsole(console)) {
            assertEquals("there", guest.run("echo there"));
            Path target = Files.createDirectory(folder.resolve("taken"));
            MachineException refusal =
                    assertThrows(MachineException.class, () -> machine.machine().snapshot(target));
            assertTrue(refusal.getMessage(), refusal.getMessage().contains("already"));
            assertEquals("here", guest.run("echo here"));
            try (var left = Files.list(folder)) {
                assertFalse(left.anyMatch(path -> path.toString().contains("partial")));
            }
        } finally {
            machine.stop();
        }
    }

    @Test
    public void guestWhoseKernelIsGoneIsToldWhenItReboots() throws Exception {
        MachineFixture machine = BootedGuest.start(context, console);
        try (GuestConsole guest = new GuestConsole(console)) {
            Files.delete(BootedGuest.kernel());
            MachineException refusal =
                    assertThrows(MachineException.class, () -> machine.machine().reset());
            assertEquals(
                    "The guest cannot boot again: '%s' is not there any more; put it back."
                            .formatted(BootedGuest.kernel()),
                    refusal.getMessage());
            assertEquals("still here", guest.run("echo still here"));
            guest.send("reboot -f");
            assertEquals(refusal.getMessage(), MachineFixture.failure(machine.end()).getMessage());
        } finally {
            BootedGuest.link(BootedGuest.kernel(), WithGuest.kernel());
            machine.stop();
        }
    }

    @Test
    public void restoredGuestReboots() throws Exception {
        MachineFixture machine = BootedGuest.start(context, console);
        try (GuestConsole guest = new GuestConsole(console)) {
            String boot = guest.run("cat /proc/sys/kernel/random/boot_id");
            guest.send("reboot -f");
            guest.awaitReady();
            assertFalse(boot.equals(guest.run("cat /proc/sys/kernel/random/boot_id")));
            assertEquals(2, machine.machine().report().boots());
        } finally {
            machine.stop();
        }
    }
}
