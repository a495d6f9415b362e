package org.backplane.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.backplane.bench.BenchMachine.Places;
import org.backplane.launcher.guest.SmallestGuest;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** The command {@code bench/start}. */
@picocli.CommandLine.Command(
        name = "bench/start",
        sortOptions = false,
        description =
                "Measures how long a machine takes from the start of its process to the first"
                        + " instruction of its guest, and where the time goes.")
public final class StartFigures implements Callable<Integer> {
    private static final String NAME = "bench-start";
    private static final long LIMIT = 800_000_000L;
    private static final long STRETCH = 500_000_000L;

    @Option(names = "--distribution", required = true, hidden = true)
    private Path distribution;

    @Option(names = "--records", required = true, hidden = true)
    private Path records;

    @Option(names = "--runs", paramLabel = "N", description = "Starts that count (10).")
    private int runs = 10;

    @Option(names = "--engine", paramLabel = "ENGINE", description = "hart (default) or kvm.")
    private SmallestGuest engine = SmallestGuest.HART;

    @Option(names = "--help", usageHelp = true, description = "This.")
    private boolean help;

    private final PrintStream out;

    StartFigures(PrintStream out) {
        this.out = out;
    }

    public static void main(String[] arguments) {
        CommandLine command = new CommandLine(new StartFigures(System.out));
        command.setCaseInsensitiveEnumValuesAllowed(true);
        System.exit(command.execute(arguments));
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        Files.createDirectories(records);
        Path work = Files.createTempDirectory("backplane-start-");
        try {
            Conditions.ofThisHost().forEach(out::println);
            Places places =
                    new Places(distribution.toAbsolutePath(), work, records.toAbsolutePath());
            List<String> words = new ArrayList<>(List.of("run", "--name", NAME, "--memory", "64M"));
            words.addAll(engine.words(work));
            out.printf("command: backplane %s%n", String.join(" ", words));
            // Makes the class archive if there is none, and fills the page cache.
            start(places, words);
            Map<StartTimes.Stage, List<Long>> stages = new EnumMap<>(StartTimes.Stage.class);
            for (int i = 0; i < runs; i++) {
                start(places, words)
                        .stages()
                        .forEach(
                                (stage, nanoseconds) ->
                                        stages.computeIfAbsent(stage, any -> new ArrayList<>())
                                                .add(nanoseconds));
            }
            return report(stages) ? 0 : 1;
        } catch (BenchException e) {
            out.println("no figures: " + e.getMessage());
            return 1;
        } finally {
            Figures.remove(work);
        }
    }

    private boolean report(Map<StartTimes.Stage, List<Long>> stages) {
        Report report = new Report(out);
        report.heading();
        stages.forEach((stage, values) -> report.times(stage.text(), Samples.of(values)));
        Samples whole = Samples.of(stages.get(StartTimes.Stage.WHOLE));
        report.line(
                "500 ms, which nobody has promised: %s",
                whole.percentile(50) <= STRETCH ? "reached" : "not reached");
        report.limit(StartTimes.Stage.WHOLE.text(), whole, 50, LIMIT);
        return report.verdict();
    }

    /** Starts a machine, waits for the byte that its guest says, and for its end. */
    private StartTimes start(Places places, List<String> words)
            throws IOException, InterruptedException, BenchException {
        Path log = places.records().resolve("backplane").resolve(NAME + ".log");
        Files.deleteIfExists(log);
        Path errors = places.folder().resolve("errors");
        ProcessBuilder command = places.command(words).redirectError(errors.toFile());
        long epoch = System.currentTimeMillis();
        long begin = System.nanoTime();
        Process process = command.start();
        int said = process.getInputStream().read();
        long end = System.nanoTime();
        if (!process.waitFor(1, TimeUnit.MINUTES)) {
            process.destroyForcibly();
            throw new BenchException("the machine did not end");
        }
        if (said != SmallestGuest.BYTE) {
            throw new BenchException(
                    "its guest did not speak: " + Files.readString(errors).strip());
        }
        return StartTimes.of(epoch, end - begin, Files.readAllLines(log));
    }
}
