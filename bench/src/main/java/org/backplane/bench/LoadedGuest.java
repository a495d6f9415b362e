package org.backplane.bench;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.backplane.bench.BenchMachine.Places;
import org.backplane.bench.Load.Outcome;
import org.backplane.launcher.guest.Digest;
import org.backplane.launcher.guest.Guest;
import org.backplane.launcher.tour.ConsoleDialog;
import org.backplane.launcher.tour.TourException;

/** The demo's guest with the load in it, on a machine with one processor and a disk in memory. */
final class LoadedGuest implements AutoCloseable {
    private static final Duration BOUND = Duration.ofMinutes(5);
    private static final String DEVICE = "/dev/vda";

    /** Bytes of a sector in the block layer's counts (Linux, Documentation/block/stat.rst). */
    private static final int SECTOR = 512;

    private final BenchMachine machine;
    private final ConsoleDialog console;
    private final Path image;
    private final Path watched;
    private final long blocks;

    private LoadedGuest(
            BenchMachine machine, ConsoleDialog console, Path image, Path watched, long blocks) {
        this.machine = machine;
        this.console = console;
        this.image = image;
        this.watched = watched;
        this.blocks = blocks;
    }

    /**
     * Boots it.
     *
     * @param program the load, for riscv64
     * @param blocks of the disk, 4 KiB each
     */
    static LoadedGuest boot(Places places, Guest guest, Path program, long blocks)
            throws BenchException, IOException, InterruptedException {
        Path folder = places.folder();
        Path image = folder.resolve("disk.img");
        try (RandomAccessFile disk = new RandomAccessFile(image.toFile(), "rw")) {
            disk.setLength(blocks * Load.BLOCK);
        }
        Path initrd = folder.resolve("initrd.cpio");
        ExtendedInitrd.write(guest.initrd(), program, Load.PROGRAM, initrd);
        Path socket = folder.resolve("console.sock");
        Path watched = Files.createDirectories(folder.resolve("bundles"));
        BenchMachine machine =
                BenchMachine.start(
                        places,
                        List.of(
                                "--kernel",
                                guest.kernel().toString(),
                                "--initrd",
                                initrd.toString(),
                                "--append",
                                "console=ttyS0 quiet cryptomgr.notests=1 backplane.agent",
                                "--memory",
                                "512M",
                                "--cpus",
                                "1",
                                "--disk",
                                image + ",name=" + DiskSlot.NAME,
                                "--bundles",
                                watched.toString(),
                                "--console",
                                "unix=" + socket));
        try {
            machine.awaitListening(socket);
            ConsoleDialog console =
                    ConsoleDialog.connect(socket, places.records().resolve("console.log"));
            console.awaitReady(BOUND);
            machine.awaitShell();
            return new LoadedGuest(machine, console, image, watched, blocks);
        } catch (TourException e) {
            machine.close();
            throw new BenchException(e.getMessage());
        } catch (BenchException | IOException | InterruptedException | RuntimeException e) {
            machine.close();
            throw e;
        }
    }

    DiskSlot disk() {
        return new DiskSlot(machine);
    }

    /** The folder of {@code --bundles}. */
    Path watched() {
        return watched;
    }

    /** Runs a command of the guest's shell, which must succeed. */
    String run(String command) throws BenchException, IOException, InterruptedException {
        try {
            ConsoleDialog.Reply reply = console.run(command, BOUND);
            if (reply.status() != 0) {
                throw new BenchException(
                        "'%s' ended with %d: %s"
                                .formatted(command, reply.status(), reply.output()));
            }
            return reply.output();
        } catch (TourException e) {
            throw new BenchException(e.getMessage());
        }
    }

    Load load(Duration window, int depth) throws IOException {
        return Load.start(console, DEVICE, blocks, window, depth);
    }

    /** Bytes that the guest's block layer has had written to the disk. */
    long bytesWritten() throws BenchException, IOException, InterruptedException {
        String count = run("awk '{ print $7 }' /sys/block/vda/stat");
        return Long.parseLong(count) * SECTOR;
    }

    /**
     * What is wrong after a load has ended, or nothing.
     *
     * @param writtenBefore {@link #bytesWritten} before it began
     */
    List<String> faults(Outcome outcome, long writtenBefore)
            throws BenchException, IOException, InterruptedException {
        List<String> faults = new ArrayList<>();
        if (!outcome.isGood()) {
            faults.add("the load reports " + outcome);
        }
        if (outcome.lost() > 0) {
            // The load still holds the console.
            return faults;
        }
        long written = bytesWritten() - writtenBefore;
        if (written != outcome.writes() * Load.BLOCK) {
            faults.add(
                    "the guest's block layer wrote %d bytes, the load %d writes of %d"
                            .formatted(written, outcome.writes(), Load.BLOCK));
        }
        String complaints = run("dmesg | grep -E 'I/O error|is not a head|blocked for' || true");
        if (!complaints.isEmpty()) {
            faults.add("the guest's kernel says: " + complaints);
        }
        run("sync; echo 3 > /proc/sys/vm/drop_caches");
        String digest = run("sha256sum < " + DEVICE).split(" ")[0];
        if (!digest.equals(Digest.of(image))) {
            faults.add("the disk's digest is another one on the host than in the guest");
        }
        return faults;
    }

    @Override
    public void close() throws IOException {
        machine.close();
        console.close();
    }
}
