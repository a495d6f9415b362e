package org.backplane.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.backplane.bench.BenchMachine.Places;
import org.backplane.bench.NetworkRig.Monitor;
import org.backplane.bench.NetworkRig.Parts;
import org.backplane.bench.NetworkRig.Wire;
import org.backplane.launcher.folder.Locations;
import org.backplane.launcher.guest.Guest;
import org.backplane.launcher.guest.GuestCache;
import org.backplane.launcher.guest.GuestKind;
import org.backplane.launcher.guest.Progress;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** The command {@code bench/network}. */
@picocli.CommandLine.Command(
        name = "bench/network",
        sortOptions = false,
        description =
                "Measures a guest's network under Backplane and under QEMU: the same guest, the same"
                        + " kinds of network. What counts is the ratio.")
public final class NetworkFigures implements Callable<Integer> {
    private static final String ROW = "%-36s %12s %12s %8s%n";
    private static final long TRIAL_BYTES = 4L << 20;
    private static final int TRIALS = 2;
    private static final int WARM_UP_REQUESTS = 500;

    @Option(names = "--distribution", required = true, hidden = true)
    private Path distribution;

    @Option(names = "--host-end", required = true, hidden = true)
    private Path hostEnd;

    @Option(names = "--guest-end", required = true, hidden = true)
    private Path guestEnd;

    @Option(names = "--records", required = true, hidden = true)
    private Path records;

    @Option(
            names = "--wires",
            split = ",",
            paramLabel = "WIRE",
            description = "Of user, tap and socket (all).")
    private List<String> wires = List.of("user", "tap", "socket");

    @Option(names = "--runs", paramLabel = "N", description = "Transfers of each kind (5).")
    private int runs = 5;

    @Option(names = "--seconds", paramLabel = "S", description = "Length of a transfer (3).")
    private int seconds = 3;

    @Option(names = "--requests", paramLabel = "N", description = "Requests, one by one (3000).")
    private int requests = 3000;

    @Option(names = "--help", usageHelp = true, description = "This.")
    private boolean help;

    private final PrintStream out;

    /** What was found: bytes a second both ways, nanoseconds of a request. */
    private record Found(double toGuest, double fromGuest, long median, long late) {}

    NetworkFigures(PrintStream out) {
        this.out = out;
    }

    public static void main(String[] arguments) {
        System.exit(new CommandLine(new NetworkFigures(System.out)).execute(arguments));
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        Files.createDirectories(records);
        Path work = Files.createTempDirectory("backplane-net-");
        try {
            Conditions.ofThisHost().forEach(out::println);
            out.println(
                    "guest: 1 processor, 512 MiB; transfers of about "
                            + seconds
                            + " s over one TCP connection, the median of "
                            + runs
                            + "; requests of one byte, "
                            + requests
                            + " one by one");
            out.printf(ROW, "", "Backplane", "QEMU (TCG)", "ratio");
            Guest guest =
                    new GuestCache(
                                    GuestKind.RISCV64,
                                    Locations.ofThisUser()
                                            .cache()
                                            .resolve(GuestKind.RISCV64.folder()),
                                    new Progress(System.err, false))
                            .guest(Optional.empty(), false);
            Path initrd = work.resolve("initrd.cpio");
            ExtendedInitrd.write(guest.initrd(), guestEnd, "bin/net", initrd);
            Parts parts = new Parts(new Guest(guest.kernel(), initrd), hostEnd);
            for (String name : wires) {
                Wire wire = Wire.valueOf(name.toUpperCase(Locale.ROOT));
                Map<Monitor, Found> found = new EnumMap<>(Monitor.class);
                for (Monitor monitor : Monitor.values()) {
                    Path folder = Files.createDirectory(work.resolve(name + monitor.ordinal()));
                    Places places =
                            new Places(
                                    distribution.toAbsolutePath(),
                                    folder,
                                    records.toAbsolutePath());
                    try (NetworkRig rig = NetworkRig.start(places, parts, monitor, wire)) {
                        found.put(monitor, measure(rig));
                    }
                }
                tell(name, found.get(Monitor.BACKPLANE), found.get(Monitor.QEMU));
            }
            return 0;
        } catch (BenchException e) {
            out.println("no figures: " + e.getMessage());
            out.println("what the machines said is in " + records);
            return 1;
        } finally {
            Figures.remove(work);
        }
    }

    private Found measure(NetworkRig rig) throws BenchException, IOException, InterruptedException {
        double toGuest = rate(rig, true);
        double fromGuest = rate(rig, false);
        rig.requests(WARM_UP_REQUESTS);
        List<Long> times = rig.requests(requests);
        return new Found(toGuest, fromGuest, times.get(0), times.get(1));
    }

    /** Bytes a second; the first transfers tell how much to take, and warm everything up. */
    private double rate(NetworkRig rig, boolean toGuest)
            throws BenchException, IOException, InterruptedException {
        double trial = 0;
        for (int i = 0; i < TRIALS; i++) {
            trial = TRIAL_BYTES * 1e9 / rig.transfer(toGuest, TRIAL_BYTES);
        }
        long bytes = Math.max(TRIAL_BYTES, (long) (trial * seconds));
        List<Long> times = new ArrayList<>();
        for (int i = 0; i < runs; i++) {
            times.add(rig.transfer(toGuest, bytes));
        }
        return bytes * 1e9 / Samples.of(times).percentile(50);
    }

    private void tell(String wire, Found ours, Found theirs) {
        rate(wire + ": to the guest", ours.toGuest, theirs.toGuest);
        rate(wire + ": from the guest", ours.fromGuest, theirs.fromGuest);
        time(wire + ": request and answer, p50", ours.median, theirs.median);
        time(wire + ": request and answer, p99", ours.late, theirs.late);
    }

    private void rate(String what, double ours, double theirs) {
        row(what, megabytes(ours), megabytes(theirs), ours / theirs);
    }

    private static String megabytes(double bytes) {
        return String.format(Locale.ROOT, "%.1f MB/s", bytes / 1e6);
    }

    private void time(String what, long ours, long theirs) {
        row(what, Report.time(ours), Report.time(theirs), (double) ours / theirs);
    }

    private void row(String what, String ours, String theirs, double ratio) {
        out.printf(ROW, what, ours, theirs, String.format(Locale.ROOT, "%.2f", ratio));
    }
}
