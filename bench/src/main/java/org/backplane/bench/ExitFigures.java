package org.backplane.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.backplane.hypervisor.HypervisorException;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** The command {@code bench/exits}. */
@picocli.CommandLine.Command(
        name = "bench/exits",
        sortOptions = false,
        description =
                "Measures what an exit and a doorbell's answer cost under the engine kvm and under a"
                        + " loop in C, on the same payload, in pairs. What counts is the ratio, and"
                        + " beside it that of C to itself.")
public final class ExitFigures implements Callable<Integer> {
    /** The highest ratio of the medians, Java to C; of JVMs before and from 25 on. */
    private static final double LIMIT = 1.10;

    private static final double LIMIT_25 = 1.05;

    @Option(names = "--programs", required = true, hidden = true)
    private Path programs;

    @Option(names = "--pairs", paramLabel = "N", description = "Pairs of runs (15).")
    private int pairs = 15;

    @Option(names = "--exits", paramLabel = "N", description = "Exits of a run (50000).")
    private int exits = 50_000;

    @Option(names = "--rings", paramLabel = "N", description = "Doorbells of a run (5000).")
    private int rings = 5_000;

    @Option(names = "--help", usageHelp = true, description = "This.")
    private boolean help;

    private final PrintStream out;

    /** One kind of round trip, counted as often by both. */
    private record Kind(String name, String what, int warm, int counted) {}

    ExitFigures(PrintStream out) {
        this.out = out;
    }

    public static void main(String[] arguments) {
        System.exit(new CommandLine(new ExitFigures(System.out)).execute(arguments));
    }

    @Override
    public Integer call() throws IOException, InterruptedException, HypervisorException {
        Conditions.ofThisHost().forEach(out::println);
        Report report = new Report(out);
        try {
            measure(report, new Kind("exits", "a load from a device", exits / 5, exits));
            measure(report, new Kind("rings", "doorbell to worker to MSI", rings / 5, rings));
        } catch (BenchException e) {
            out.println("no figures: " + e.getMessage());
            return 1;
        }
        return report.verdict() ? 0 : 1;
    }

    private void measure(Report report, Kind kind)
            throws IOException, InterruptedException, HypervisorException, BenchException {
        // Handler and loop are compiled before anything counts.
        java(kind);
        List<Double> ratios = new ArrayList<>();
        List<Double> spread = new ArrayList<>();
        List<Long> times = new ArrayList<>();
        for (int i = 0; i < pairs; i++) {
            double c = c(kind);
            double java = java(kind);
            double again = c(kind);
            ratios.add(java / c);
            spread.add(again / c);
            times.add(Math.round(java));
        }
        report.line("%s: %d ns at the median", kind.what, Samples.of(times).percentile(50));
        double ratio = tell(report, "Java to C", ratios);
        tell(report, "C to C", spread);
        double limit = Runtime.version().feature() >= 25 ? LIMIT_25 : LIMIT;
        report.limit(
                ratio <= limit,
                "%s: Java is %.3f of C, the limit is %.2f",
                kind.what,
                ratio,
                limit);
    }

    private static double tell(Report report, String name, List<Double> ratios) {
        Collections.sort(ratios);
        double median = ratios.get(ratios.size() / 2);
        report.line(
                "  %-10s median %.3f, from %.3f to %.3f, of %d pairs",
                name, median, ratios.get(0), ratios.get(ratios.size() - 1), ratios.size());
        return median;
    }

    private double java(Kind kind) throws IOException, HypervisorException, InterruptedException {
        byte[] payload = Files.readAllBytes(programs.resolve(kind.name));
        try (KvmLoop loop = new KvmLoop(payload, kind.warm, kind.counted)) {
            return kind.name.equals("rings") ? loop.rings() : loop.exits();
        }
    }

    private double c(Kind kind) throws IOException, InterruptedException, BenchException {
        Process process =
                new ProcessBuilder(
                                programs.resolve("loop").toString(),
                                kind.name,
                                programs.resolve(kind.name).toString(),
                                Integer.toString(kind.warm),
                                Integer.toString(kind.counted))
                        .redirectErrorStream(true)
                        .start();
        String said = new String(process.getInputStream().readAllBytes()).strip();
        if (process.waitFor() != 0) {
            throw new BenchException("the loop in C failed: " + said);
        }
        return Double.parseDouble(said.toLowerCase(Locale.ROOT));
    }
}
