package org.backplane.itests.web;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;
import static org.junit.Assume.assumeTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.backplane.itests.GuestConsole;
import org.backplane.itests.NewBuild;
import org.backplane.itests.WithGuest;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;

/**
 * The page in a browser, of a machine of the distribution in which Debian's Linux runs. With the
 * system property {@code web.screenshot} a picture of it is left in that file.
 */
public final class WebPageIT {
    private static final String SWAPPED = "1.0.8";

    /** Of rng0, and free: the window of 64-bit BARs begins at 0x100_0000_0000. */
    private static final String ELSEWHERE = "0x10000c00000";

    private Path folder;
    private WebMachine machine;
    private GuestConsole guest;
    private Browser browser;

    @Before
    public void start() throws Exception {
        Optional<String> missing =
                Files.exists(WithGuest.initrd())
                        ? Browser.missing()
                        : Optional.of(
                                "there is no guest at %s: ./backplane demo fetches one"
                                        .formatted(WithGuest.initrd().getParent()));
        missing.ifPresent(reason -> System.out.println("WebPageIT skipped: " + reason));
        assumeTrue(missing.orElse(""), missing.isEmpty());
        NewBuild.make("device-virtio-blk", SWAPPED);
        folder = WebMachine.folder();
        Path console = folder.resolve("console");
        machine =
                WebMachine.run(
                        folder,
                        "0",
                        "--kernel",
                        WithGuest.kernel().toString(),
                        "--initrd",
                        WithGuest.initrd().toString(),
                        "--append",
                        "console=ttyS0 quiet cryptomgr.notests=1 backplane.agent",
                        "--memory",
                        "512M",
                        "--cpus",
                        "2",
                        "--disk",
                        image("disk0") + ",name=disk0",
                        "--device",
                        "virtio-rng,name=rng0",
                        "--net",
                        "none,name=net0",
                        "--console",
                        "unix=" + console);
        guest = new GuestConsole(console);
        guest.awaitReady();
        browser = Browser.open(folder.resolve("profile"));
    }

    private Path image(String name) throws IOException {
        Path image = folder.resolve(name + ".img");
        try (var file = new RandomAccessFile(image.toFile(), "rw")) {
            file.setLength(16 << 20);
        }
        return image;
    }

    @After
    public void stop() throws Exception {
        if (browser != null) {
            browser.close();
        }
        if (guest != null) {
            guest.close();
        }
        if (machine != null) {
            machine.close();
        }
    }

    private static String row(String slot) {
        return "#slots tr[data-key='%s']".formatted(slot);
    }

    private static String region(String owner) {
        return "#map .region[data-owner='%s']:not(.kept)".formatted(owner);
    }

    private void until(String what, String css, String text) {
        browser.until(what, () -> browser.text(css).contains(text));
    }

    private long requests(String slot) {
        String total = browser.attribute(row(slot) + " .requests", "data-total");
        return total == null ? 0 : Long.parseLong(total);
    }

    @Test
    public void operatorLogsInSeesTheMachineAndChangesIt() throws Exception {
        logsInWithTheTokenOnly();
        seesTheMapAndTheSlots();
        seesCountersMove();
        pictureFollowsABarThatTheGuestMoves();
        plugsADisk();
        swapsItsCodeByAnUpload();
        screenshot();
        isToldWhyNotAndUnplugs();
    }

    private void logsInWithTheTokenOnly() {
        browser.go(machine.base() + "/system/console/backplane");
        assertEquals(machine.base() + "/login", browser.address());
        browser.type("#token", "admin");
        browser.click("button");
        until("the refusal", ".wrong", "not the token of this machine");
        browser.type("#token", machine.token());
        browser.click("button");
        browser.until("the page", () -> browser.title().equals("one: Backplane"));
        assertEquals(machine.base() + "/system/console/backplane", browser.address());
    }

    private void seesTheMapAndTheSlots() {
        browser.until("the disk's BAR", () -> browser.has(region("disk0 bar0")));
        until("the disk's state", row("disk0") + " .state", "running");
        until("the disk's code", row("disk0") + " .bundle", "virtio.blk 1.0.0");
        assertEquals("00:01.0", browser.text(row("disk0") + " .pci"));
        assertTrue(browser.text("#functions").contains("1af4:1042"));
        assertTrue(browser.text("#vcpus").contains("vcpu1"));
        for (String owner : new String[] {"uart0", "ecam", "guest memory"}) {
            assertTrue(owner, browser.has(region(owner)));
        }
    }

    private void seesCountersMove() throws IOException {
        browser.until("counters", () -> requests("disk0") > 0);
        long before = requests("disk0");
        guest.run("dd if=/dev/vda of=/dev/null bs=4096 count=512 iflag=direct 2> /dev/null");
        browser.until("512 requests more", () -> requests("disk0") >= before + 512);
    }

    /** Its driver lets go of it first; the register is the low half of BAR 0 at 0x10. */
    private void pictureFollowsABarThatTheGuestMoves() throws IOException {
        String before = browser.attribute(region("rng0 bar0"), "data-base");
        assertTrue(before, before.startsWith("0x100000") && !before.equals(ELSEWHERE));
        String function = "0000:" + browser.text(row("rng0") + " .pci");
        guest.run("echo %s > /sys/bus/pci/drivers/virtio-pci/unbind".formatted(function));
        guest.run(
                "printf '\\000\\000\\300\\000' | dd of=/sys/bus/pci/devices/%s/config bs=4 seek=4 conv=notrunc 2> /dev/null"
                        .formatted(function));
        browser.until(
                "the BAR elsewhere",
                () -> ELSEWHERE.equals(browser.attribute(region("rng0 bar0"), "data-base")));
        until("the function's BAR", "#functions", ELSEWHERE);
    }

    private void plugsADisk() throws IOException {
        browser.click("#plug");
        browser.type("#plug-dialog [name=name]", "disk1");
        browser.click("#plug-dialog option[value=virtio-blk]");
        browser.type("#plug-dialog [name=settings]", "path=" + folder.resolve("missing.img"));
        browser.click("#plug-dialog .main");
        until("why not", "#plug-dialog .sentence", "missing.img");
        browser.type("#plug-dialog [name=settings]", "path=" + image("disk1"));
        browser.click("#plug-dialog .main");
        until("the new slot", row("disk1") + " .state", "running");
        browser.until("its BAR", () -> browser.has(region("disk1 bar0")));
        guest.run("echo 1 > /sys/bus/pci/rescan");
        guest.run("dd if=/dev/vdb of=/dev/null bs=4096 count=64 iflag=direct 2> /dev/null");
        browser.until("its requests", () -> requests("disk1") >= 64);
    }

    private void swapsItsCodeByAnUpload() throws IOException {
        browser.click(row("disk1") + " .actions button:nth-child(1)");
        browser.choose("#swap-dialog [name=jar]", NewBuild.path("device-virtio-blk", SWAPPED));
        browser.click("#swap-dialog .main");
        until("the new code", row("disk1") + " .bundle", SWAPPED);
        assertTrue(browser.text(row("disk0") + " .bundle").contains("1.0.0"));
        guest.run("dd if=/dev/vdb of=/dev/null bs=4096 count=64 iflag=direct 2> /dev/null");
        until("probation", row("disk1") + " .said", "on probation");
        browser.click(row("disk1") + " .accept");
        browser.until("acceptance", () -> !browser.has(row("disk1") + " .said"));
    }

    private void isToldWhyNotAndUnplugs() throws IOException {
        browser.click(row("disk1") + " .actions button:last-child");
        browser.click("#unplug-dialog .main");
        until("why not", "#unplug-dialog .sentence", "The guest uses 'disk1'");
        guest.run("echo 1 > /sys/block/vdb/device/../remove");
        browser.click("#unplug-dialog .main");
        browser.until("no slot", () -> !browser.has(row("disk1")));
        browser.until("no BAR", () -> !browser.has(region("disk1 bar0")));
    }

    /** With something to see in its counters. */
    private void screenshot() throws IOException {
        String file = System.getProperty("web.screenshot", "");
        if (file.isEmpty()) {
            return;
        }
        for (int i = 1; i <= 40; i++) {
            long before = requests("disk0");
            guest.run(
                    "dd if=/dev/vda of=/dev/null bs=16384 count=%d iflag=direct 2> /dev/null"
                            .formatted(60 + i * 37 % 200));
            browser.until("requests", () -> requests("disk0") > before);
        }
        browser.screenshot(Path.of(file), 1440, 1330);
    }
}
