package org.backplane.launcher.tour;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.backplane.launcher.MachineRun;
import org.backplane.launcher.ShellClient;
import org.backplane.launcher.guest.Digest;

/**
 * Drives a machine through everything the demo shows, without a person: the guest by its console,
 * the machine by its shell. Bounds are there to end a tour that hangs, far above what a step takes.
 */
public final class Tour {
    private static final Duration BOOT_BOUND = Duration.ofMinutes(5);
    private static final Duration BOUND = Duration.ofMinutes(3);

    private static final String DISK = "disk0";
    private static final int CHUNK = 256 << 10;
    private static final int CHUNKS = 16;

    /** Chunks that the guest has to write after a swap before it counts as survived. */
    private static final int CHUNKS_AFTER = 4;

    private static final int MAX_COLLECTIONS = 20;
    private static final Pattern DIGEST = Pattern.compile("\\b[0-9a-f]{64}\\b");
    private static final Pattern SLOT =
            Pattern.compile(
                    "^" + DISK + "\\s+virtio-blk\\s+running\\s+\\S+\\s+\\S+ (\\S+) \\[(\\d+)]",
                    Pattern.MULTILINE);
    private static final Pattern BOOTS = Pattern.compile("^boots\\s+(\\d+)", Pattern.MULTILINE);

    private final MachineRun run;
    private final Path scratch;
    private final Path diskBundle;
    private final PrintStream out;
    private final ConsoleDialog console;

    private Tour(
            MachineRun run, Path scratch, Path diskBundle, PrintStream out, ConsoleDialog console) {
        this.run = run;
        this.scratch = scratch;
        this.diskBundle = diskBundle;
        this.out = out;
        this.console = console;
    }

    /**
     * Takes the tour of a machine that was just started with the agent in its guest.
     *
     * @param socket of the machine's console
     * @param scratch image of the slot disk0, all of it free to be written
     * @param diskBundle jar of the bundle that fills disk0
     * @return whether every step held
     */
    public static boolean take(
            MachineRun run, Path socket, Path scratch, Path diskBundle, PrintStream out)
            throws IOException, InterruptedException {
        Path transcript = run.log().path().resolveSibling("tour-console.log");
        Steps steps = new Steps(out);
        steps.step("starts the machine", () -> awaitShell(run));
        try (ConsoleDialog console = ConsoleDialog.connect(socket, transcript)) {
            run.end().whenComplete((status, failure) -> console.ended("the machine ended"));
            new Tour(run, scratch, diskBundle, out, console).take(steps);
        }
        boolean good = steps.summary();
        if (!good) {
            out.println("the guest's console: " + transcript);
            out.println("the log: " + run.log().path());
        }
        return good;
    }

    private static String awaitShell(MachineRun run) throws TourException, InterruptedException {
        try {
            run.shellStarted()
                    .acceptEither(run.end().thenAccept(status -> {}), nothing -> {})
                    .get(BOOT_BOUND.toSeconds(), TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw new TourException(e.getCause().getMessage());
        } catch (TimeoutException e) {
            throw new TourException("no processor ran within " + BOOT_BOUND.toSeconds() + " s");
        }
        if (run.end().isDone()) {
            throw new TourException("the machine ended at once; see the log");
        }
        return "";
    }

    private void take(Steps steps) throws InterruptedException {
        steps.step("boots Debian's Linux to user land", this::boot);
        steps.step("writes the disk, syncs, reads the same back", this::writeAndReadBack);
        steps.step("makes, mounts, fills and checks an ext4 file system", this::ext4);
        steps.step("lists the slots", () -> listed("vm:slots", SLOT));
        steps.step("lists the address map", () -> listed("vm:map", Pattern.compile(DISK)));
        steps.step("the guest starts to write with checksums", this::startWriting);
        steps.step("swaps device-virtio-blk beside, while it writes", this::swapBeside);
        steps.step("swaps device-virtio-blk in place, while it writes", this::swapInPlace);
        steps.step("refuses a build that cannot take the state", this::refuseBroken);
        steps.step("takes a build back that fails once it serves", this::takeBroken);
        steps.step("every checksum is right, in the guest and on the host", this::checkWritten);
        steps.step("the class loaders of the old code are collected", this::loadersCollected);
        steps.step("reboots the guest in the same process", this::reboot);
        steps.step("powers off", this::powerOff);
    }

    private String boot() throws TourException, IOException, InterruptedException {
        console.awaitReady(BOOT_BOUND);
        return guest("uname -sr");
    }

    private String writeAndReadBack() throws TourException, IOException, InterruptedException {
        long size = Long.parseLong(guest("wc -c < /bin/busybox"));
        String wanted = digest(guest("sha256sum /bin/busybox"));
        guest("dd if=/bin/busybox of=/dev/vda bs=64k conv=notrunc,fsync 2>&1");
        guest("sync; echo 3 > /proc/sys/vm/drop_caches");
        String read = digest(guest("head -c " + size + " /dev/vda | sha256sum"));
        same("what the guest reads back", wanted, read);
        same("the image on the host", wanted, Digest.of(scratch, size));
        return size + " bytes, SHA-256 " + wanted.substring(0, 8) + "..";
    }

    private String ext4() throws TourException, IOException, InterruptedException {
        guest("mkfs.ext4 -q -F /dev/vda 2>&1");
        guest("mount -t ext4 /dev/vda /mnt && cp /bin/busybox /mnt/copy && umount /mnt");
        guest("echo 3 > /proc/sys/vm/drop_caches; mount -t ext4 /dev/vda /mnt");
        guest("cmp /bin/busybox /mnt/copy && umount /mnt");
        guest("e2fsck -fn /dev/vda 2>&1");
        return "";
    }

    private String listed(String command, Pattern expected) throws TourException, IOException {
        String listing = shell(command);
        out.println(listing.stripTrailing().indent(7).stripTrailing());
        if (!expected.matcher(listing).find()) {
            throw new TourException(command + " does not show a running " + DISK);
        }
        return "";
    }

    private String startWriting() throws TourException, IOException, InterruptedException {
        guest("backplane-writer /dev/vda " + CHUNKS + " > /dev/null 2>&1 < /dev/null &");
        return awaitWritten(1) + " chunks";
    }

    private String swapBeside() throws TourException, IOException, InterruptedException {
        Path jar = build("1.0.1");
        int before = written();
        shell("vm:swap " + DISK + " " + jar);
        return survived(before, "1.0.1");
    }

    private String swapInPlace() throws TourException, IOException, InterruptedException {
        Path jar = build("1.0.2");
        int before = written();
        shell("felix:update " + filling().group(2) + " " + jar.toUri());
        return survived(before, "1.0.2");
    }

    /** A build without the class of its state: the guest is not let in to it. */
    private String refuseBroken() throws TourException, IOException, InterruptedException {
        Path jar = build("1.0.3", NewBuild.without("BlkState"));
        int before = written();
        Answer answer = ask("vm:swap " + DISK + " " + jar);
        if (answer.status == 0 || !answer.text.contains("rolled back")) {
            throw new TourException("the swap was not rolled back: " + answer.text.strip());
        }
        return survived(before, "1.0.2");
    }

    /** A build whose disk calls a method that its queue has not: seen at the first request. */
    private String takeBroken() throws TourException, IOException, InterruptedException {
        Path jar = build("1.0.4", NewBuild.renaming("BlkQueue", "serve", "sErve"));
        int before = written();
        shell("vm:swap " + DISK + " " + jar);
        String told = survived(before, "1.0.2");
        if (!shell("vm:history " + DISK).contains("fell back")) {
            throw new TourException("the history of " + DISK + " does not tell that it fell back");
        }
        return told;
    }

    private Path build(String version) throws IOException {
        return build(version, (entry, content) -> content);
    }

    private Path build(String version, NewBuild.Edit edit) throws IOException {
        Path jar = run.folder().make("tour").resolve("device-virtio-blk-" + version + ".jar");
        NewBuild.write(diskBundle, version, jar, edit);
        return jar;
    }

    private String survived(int before, String version)
            throws TourException, IOException, InterruptedException {
        int after = awaitWritten(before + CHUNKS_AFTER);
        String now = filling().group(1);
        if (!now.equals(version)) {
            throw new TourException(DISK + " is filled by version " + now + ", not " + version);
        }
        return "version " + version + ", " + (after - before) + " chunks during and after";
    }

    private Matcher filling() throws TourException, IOException {
        String slots = shell("vm:slots");
        Matcher matcher = SLOT.matcher(slots);
        if (!matcher.find()) {
            throw new TourException(DISK + " is not running: " + slots.strip());
        }
        return matcher;
    }

    private int written() throws TourException, IOException, InterruptedException {
        return Integer.parseInt(guest("cat /tmp/written"));
    }

    /** Waits in the guest until it has written so many chunks. */
    private int awaitWritten(int chunks) throws TourException, IOException, InterruptedException {
        guest(
                "until [ -s /tmp/failed ] || [ \"$(cat /tmp/written 2> /dev/null)\" -ge "
                        + chunks
                        + " ] 2> /dev/null; do usleep 100000; done");
        String failed = guest("cat /tmp/failed 2> /dev/null || true");
        if (!failed.isEmpty()) {
            throw new TourException("a write of the guest failed: " + failed);
        }
        return written();
    }

    private String checkWritten() throws TourException, IOException, InterruptedException {
        guest(
                "touch /tmp/stop; wait; while pidof backplane-writer > /dev/null; do usleep 50000; done");
        int chunks = Math.min(CHUNKS, written());
        guest("sync; echo 3 > /proc/sys/vm/drop_caches");
        guest(
                "for i in $(seq 0 "
                        + (chunks - 1)
                        + "); do s=$(dd if=/dev/vda bs=256k skip=$i count=1 2> /dev/null | sha256sum"
                        + " | cut -c 1-64); [ \"$s\" = \"$(cat /tmp/sums/$i)\" ] || { echo chunk $i;"
                        + " exit 1; }; done");
        sameOnHost(chunks);
        return written() + " chunks written";
    }

    private void sameOnHost(int chunks) throws TourException, IOException, InterruptedException {
        long bytes = (long) chunks * CHUNK;
        String guest = digest(guest("head -c " + bytes + " /dev/vda | sha256sum"));
        same("the image on the host", guest, Digest.of(scratch, bytes));
    }

    /** Garbage collection is this process's own; the machine knows which loaders it let go. */
    private String loadersCollected() throws TourException, IOException {
        if (shell("vm:slots").contains("on probation")) {
            shell("vm:accept " + DISK);
        }
        String left = "";
        for (int i = 0; i < MAX_COLLECTIONS; i++) {
            System.gc();
            left = shell("vm:stale").strip();
            if (left.isEmpty()) {
                return "";
            }
        }
        throw new TourException("still loaded: " + left);
    }

    private String reboot() throws TourException, IOException, InterruptedException {
        String before = digest(guest("sync; head -c " + CHUNK + " /dev/vda | sha256sum"));
        console.send("reboot -f");
        console.awaitReady(BOOT_BOUND);
        Matcher boots = BOOTS.matcher(shell("vm:status"));
        if (!boots.find() || !boots.group(1).equals("2")) {
            throw new TourException("the machine does not report its second boot");
        }
        same(
                "the disk after the reboot",
                before,
                digest(guest("head -c " + CHUNK + " /dev/vda | sha256sum")));
        return "boot 2, process " + ProcessHandle.current().pid();
    }

    private String powerOff() throws TourException, IOException, InterruptedException {
        console.send("poweroff -f");
        try {
            Object status = run.end().get(BOUND.toSeconds(), TimeUnit.SECONDS);
            if (!Integer.valueOf(0).equals(status)) {
                throw new TourException("the machine ended with status " + status);
            }
        } catch (ExecutionException e) {
            throw new TourException(e.getCause().getMessage());
        } catch (TimeoutException e) {
            throw new TourException("the machine did not end within " + BOUND.toSeconds() + " s");
        }
        return "";
    }

    private String guest(String command) throws TourException, IOException, InterruptedException {
        ConsoleDialog.Reply reply = console.run(command, BOUND);
        if (reply.status() != 0) {
            throw new TourException(
                    "'" + command + "' ended with " + reply.status() + ": " + reply.output());
        }
        return reply.output();
    }

    private String shell(String command) throws TourException, IOException {
        Answer answer = ask(command);
        if (answer.status != 0) {
            throw new TourException(
                    "'" + command + "' ended with " + answer.status + ": " + answer.text.strip());
        }
        return answer.text;
    }

    private record Answer(int status, String text) {}

    private Answer ask(String command) throws IOException {
        ByteArrayOutputStream output = new ByteArrayOutputStream();
        int status;
        try (ShellClient client =
                ShellClient.connect(run.folder().path().resolve(ShellClient.SOCKET))) {
            status = client.execute(command, new PrintStream(output, true, StandardCharsets.UTF_8));
        }
        return new Answer(status, output.toString(StandardCharsets.UTF_8));
    }

    private static String digest(String output) throws TourException {
        Matcher matcher = DIGEST.matcher(output);
        if (!matcher.find()) {
            throw new TourException("the guest gave no digest but: " + output);
        }
        return matcher.group();
    }

    private static void same(String what, String wanted, String found) throws TourException {
        if (!wanted.equals(found)) {
            throw new TourException(what + " has digest " + found + " and not " + wanted);
        }
    }
}
