package org.backplane.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalTime;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.backplane.bench.Load.Window;
import org.backplane.launcher.tour.NewBuild;

/**
 * Changes a slot's code again and again under a load, each time to a build that the machine has not
 * seen, and takes the times. Windows of the load with a change take turns with windows without.
 */
final class Changes {
    /** Changes between two looks at the history, which is finite. */
    private static final int BATCH = 20;

    /** Windows that a change may take before it counts as one that will not come. */
    private static final int MOST_WINDOWS = 120;

    private final Load load;
    private final DiskSlot slot;
    private final Path bundle;
    private final Path builds;
    private int built;

    /**
     * @param bundle to make builds of
     * @param builds folder for them
     */
    Changes(Load load, DiskSlot slot, Path bundle, Path builds) {
        this.load = load;
        this.slot = slot;
        this.bundle = bundle;
        this.builds = builds;
    }

    /**
     * What a number of changes by one road gave, in nanoseconds.
     *
     * @param pauses from gate closed to open
     * @param steps of the history but the opening, by name
     * @param used from the jar saved, or the command given, to the new code at work
     * @param gaps the longest time without a completion in each window with a change
     * @param calm the same in each window without
     * @param writes completed in each window without a change
     * @param overran changes that took longer than their window
     */
    record Measured(
            Samples pauses,
            Map<String, Samples> steps,
            Samples used,
            Samples gaps,
            Samples calm,
            Samples writes,
            int overran) {}

    /** A road under which the machine says itself how long the gate was closed. */
    Measured byCommand(Road road, int count)
            throws BenchException, IOException, InterruptedException {
        Collected all = new Collected();
        for (int done = 0; done < count; ) {
            int batch = Math.min(BATCH, count - done);
            LocalTime since = clock();
            for (int i = 0; i < batch; i++) {
                Path build = next();
                LocalTime asked = clock();
                change(all, road, build, version(), false);
                all.asked.add(asked);
                all.calm(load.next());
            }
            SlotHistory history = slot.history().since(since);
            if (history.entries().stream().filter(SlotHistory.Entry::opens).count() != batch) {
                throw new BenchException(
                        "the history of %s does not show %d changes: %s"
                                .formatted(DiskSlot.NAME, batch, history.entries()));
            }
            all.take(history);
            // The look itself was in this window, which counts for nothing.
            load.next();
            done += batch;
        }
        return all.measured();
    }

    /** A road that begins with a jar saved, and of which nobody tells the end. */
    Measured bySaving(Road road, int count)
            throws BenchException, IOException, InterruptedException {
        Collected all = new Collected();
        for (int i = 0; i < count; i++) {
            Path build = next();
            LocalTime since = clock();
            change(all, road, build, version(), true);
            all.asked.add(since);
            all.take(slot.history().since(since));
            load.next();
            all.calm(load.next());
        }
        return all.measured();
    }

    /** Begins at the start of a window, and returns at the start of another. */
    private void change(Collected all, Road road, Path build, String version, boolean settles)
            throws BenchException, IOException, InterruptedException {
        CompletableFuture<Void> change =
                CompletableFuture.runAsync(
                        () -> {
                            try {
                                road.change(build);
                            } catch (BenchException | IOException | InterruptedException e) {
                                throw new CompletionException(e);
                            }
                        });
        long gap = 0;
        int windows = 0;
        do {
            Window window = load.next();
            gap = Math.max(gap, window.gap());
            if (++windows > MOST_WINDOWS) {
                throw new BenchException(
                        "no slot runs %s after %d windows".formatted(version, windows));
            }
        } while (!change.isDone() || settles && !slot.runs(version));
        try {
            change.get();
        } catch (ExecutionException e) {
            throw new BenchException(e.getCause().getMessage());
        }
        all.gaps.add(gap);
        all.overran += windows > 1 ? 1 : 0;
        Files.deleteIfExists(build);
    }

    private Path next() throws IOException {
        built++;
        Path build = builds.resolve("device-virtio-blk-%s.jar".formatted(version()));
        NewBuild.write(bundle, version(), build);
        return build;
    }

    private String version() {
        return "1.0." + built;
    }

    /** To the history's precision, which cuts. */
    private static LocalTime clock() {
        return LocalTime.now().truncatedTo(ChronoUnit.MILLIS);
    }

    /** What was measured so far. */
    private static final class Collected {
        private final List<Long> pauses = new ArrayList<>();
        private final Map<String, List<Long>> steps = new LinkedHashMap<>();
        private final List<LocalTime> asked = new ArrayList<>();
        private final List<Long> used = new ArrayList<>();
        private final List<Long> gaps = new ArrayList<>();
        private final List<Long> calm = new ArrayList<>();
        private final List<Long> writes = new ArrayList<>();
        private int overran;

        void calm(Window window) {
            calm.add(window.gap());
            writes.add(window.writes());
        }

        /** The history of the changes whose times were asked since the last call. */
        void take(SlotHistory history) {
            history.pauses().forEach(pause -> pauses.add(pause.toNanos()));
            for (SlotHistory.Entry entry : history.entries()) {
                if (!entry.opens() && !entry.took().isZero()) {
                    steps.computeIfAbsent(entry.step(), step -> new ArrayList<>())
                            .add(entry.took().toNanos());
                }
            }
            List<LocalTime> opened =
                    history.entries().stream()
                            .filter(SlotHistory.Entry::opens)
                            .map(SlotHistory.Entry::at)
                            .toList();
            for (LocalTime end : opened) {
                used.add(Duration.between(asked.remove(0), end).toNanos());
            }
        }

        Measured measured() {
            Map<String, Samples> all = new LinkedHashMap<>();
            steps.forEach((name, values) -> all.put(name, Samples.of(values)));
            return new Measured(
                    Samples.of(pauses),
                    all,
                    Samples.of(used),
                    Samples.of(gaps),
                    Samples.of(calm),
                    Samples.of(writes),
                    overran);
        }
    }
}
