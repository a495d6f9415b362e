package org.backplane.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.backplane.bench.BenchMachine.Places;
import org.backplane.launcher.folder.Locations;
import org.backplane.launcher.framework.Distribution;
import org.backplane.launcher.framework.Distribution.Group;
import org.backplane.launcher.guest.Guest;
import org.backplane.launcher.guest.GuestCache;
import org.backplane.launcher.guest.GuestKind;
import org.backplane.launcher.guest.Progress;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** The command {@code bench/figures}. */
@picocli.CommandLine.Command(
        name = "bench/figures",
        sortOptions = false,
        description =
                "Measures changes of a disk's code under a writing guest. Exit status 0 only if every"
                        + " limit held.")
public final class Figures implements Callable<Integer> {
    /** Told if the load, the guest's kernel and the host agree on every block. */
    static final String NOTHING_LOST =
            "the guest's block layer counted the same, its kernel complained of nothing, and the disk's"
                    + " SHA-256 is the same in the guest and on the host";

    private static final long MILLISECOND = 1_000_000;

    @Option(names = "--distribution", required = true, hidden = true)
    private Path distribution;

    @Option(names = "--load", required = true, hidden = true)
    private Path program;

    @Option(names = "--records", required = true, hidden = true)
    private Path records;

    @Option(names = "--beside", paramLabel = "N", description = "vm:swap so often (200).")
    private int beside = 200;

    @Option(names = "--in-place", paramLabel = "N", description = "felix:update so often (200).")
    private int inPlace = 200;

    @Option(
            names = "--folder",
            paramLabel = "N",
            description = "Save a jar to the watched folder so often (20).")
    private int folder = 20;

    @Option(
            names = "--dev",
            paramLabel = "N",
            description = "Save a jar to a folder that backplane dev watches so often (20).")
    private int dev = 20;

    @Option(
            names = "--restore",
            paramLabel = "N",
            description = "Restore a snapshot so often (15).")
    private int restore = 15;

    @Option(names = "--window", paramLabel = "MS", description = "Length of a window (500).")
    private int window = 500;

    @Option(names = "--depth", paramLabel = "N", description = "Writes in flight (32).")
    private int depth = 32;

    @Option(names = "--disk", paramLabel = "MIB", description = "Size of the disk (16).")
    private int megabytes = 16;

    @Option(
            names = "--memory-folder",
            paramLabel = "DIR",
            description = "Folder in a tmpfs, for the disk and the jars (/dev/shm).")
    private Path memory = Path.of("/dev/shm");

    @Option(names = "--help", usageHelp = true, description = "This.")
    private boolean help;

    private final PrintStream out;

    Figures(PrintStream out) {
        this.out = out;
    }

    public static void main(String[] arguments) {
        System.exit(new CommandLine(new Figures(System.out)).execute(arguments));
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        Report report = new Report(out);
        String kind = Files.getFileStore(memory).type();
        Path work = Files.createTempDirectory(memory, "backplane-bench-");
        try {
            Files.createDirectories(records);
            for (String line : Conditions.ofThisHost()) {
                report.line("%s", line);
            }
            report.line(
                    "guest: 1 hart of the engine hart, 512 MiB; disk of %d MiB in %s (%s)",
                    megabytes, memory, kind);
            Places places =
                    new Places(distribution.toAbsolutePath(), work, records.toAbsolutePath());
            Path cache = Locations.ofThisUser().cache().resolve(GuestKind.RISCV64.folder());
            Guest guest =
                    new GuestCache(GuestKind.RISCV64, cache, new Progress(System.err, false))
                            .guest(Optional.empty(), false);
            boolean loaded = beside + inPlace + folder + dev > 0;
            if (loaded) {
                report.line(
                        "load: %d writes of 4 KiB in flight at random blocks, O_DIRECT; windows of %d ms",
                        depth, window);
            }
            report.heading();
            if (loaded) {
                report.limit(kind.equals("tmpfs"), "%s is %s and not tmpfs", memory, kind);
                underLoad(report, places, guest);
            }
            if (restore > 0) {
                Samples restored = new Restores(places, guest).take(restore);
                report.times("restore: process start to first prompt byte", restored);
                report.limit("restore", restored, 50, 2000 * MILLISECOND);
            }
            return report.verdict() ? 0 : 1;
        } catch (BenchException | IOException e) {
            report.line("no figures: %s", e.getMessage());
            report.line("what the machine said is in %s", records);
            return 1;
        } finally {
            remove(work);
        }
    }

    private void underLoad(Report report, Places places, Guest guest)
            throws BenchException, IOException, InterruptedException {
        Path bundle = new Distribution(distribution).bundle(Group.DEVICE, "device-virtio-blk");
        try (LoadedGuest loaded =
                LoadedGuest.boot(places, guest, program, ((long) megabytes << 20) / Load.BLOCK)) {
            long before = loaded.bytesWritten();
            Load load = loaded.load(Duration.ofMillis(window), depth);
            Path builds = Files.createDirectories(places.folder().resolve("builds"));
            Changes changes = new Changes(load, loaded.disk(), bundle, builds);
            // The first window has the load's own start in it.
            load.next();
            DiskSlot disk = loaded.disk();
            if (beside > 0) {
                var measured = changes.byCommand(disk.beside(), beside);
                tell(report, "beside (vm:swap)", measured);
                report.limit("beside: pause", measured.pauses(), 50, 5 * MILLISECOND);
                report.limit("beside: pause", measured.pauses(), 99, 15 * MILLISECOND);
            }
            if (inPlace > 0) {
                var measured = changes.byCommand(disk.inPlace(), inPlace);
                tell(report, "in place (felix:update)", measured);
            }
            if (folder > 0) {
                var measured = changes.bySaving(DiskSlot.savedIn(loaded.watched()), folder);
                report.times("watched folder: jar saved to guest using it", measured.used());
            }
            if (dev > 0) {
                Path project = Files.createDirectories(places.folder().resolve("project"));
                try (DevProcess watching = DevProcess.start(places, project)) {
                    var measured = changes.bySaving(DiskSlot.savedIn(project), dev);
                    report.times("dev: jar saved to guest using it", measured.used());
                }
            }
            Load.Outcome outcome = load.stop();
            List<String> faults = loaded.faults(outcome, before);
            report.line(
                    "%d writes: %d errors, %d duplicate completions, %d lost, %d of %d blocks wrong",
                    outcome.writes(),
                    outcome.errors(),
                    outcome.duplicates(),
                    outcome.lost(),
                    outcome.wrong(),
                    outcome.blocks());
            if (faults.isEmpty()) {
                report.line("%s", NOTHING_LOST);
            }
            report.limit(faults.isEmpty(), "%s", String.join("; ", faults));
        }
    }

    private static void tell(Report report, String road, Changes.Measured measured) {
        report.times(road + ": pause, gate closed to open", measured.pauses());
        report.times(road + ": longest I/O gap, windows with", measured.gaps());
        report.times(road + ": longest I/O gap, windows without", measured.calm());
        if (!measured.calm().isEmpty()) {
            report.line(
                    "  longest gap of all windows with a change : without = %.2f; %d writes in a"
                            + " window without, at the median; %d changes outlasted their window",
                    (double) measured.gaps().worst() / measured.calm().worst(),
                    measured.writes().percentile(50),
                    measured.overran());
        }
        report.times(road + ": asked to guest using it", measured.used());
        for (Map.Entry<String, Samples> step : measured.steps().entrySet()) {
            report.times("  step " + step.getKey(), step.getValue());
        }
    }

    /** With all that is in it; nothing if it is not there. */
    static void remove(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
