package org.backplane.machine;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.backplane.machine.board.Images;
import org.backplane.machine.board.WindowSizes;
import org.backplane.machine.slot.Bounds;
import org.backplane.machine.slot.SlotSpec;

/**
 * What the launcher wants: a map of plain values, because launcher and bundles share no classes.
 *
 * @param engine name of the engine, or {@code auto}
 * @param kernel absent for a machine without a guest, whose processors never run
 * @param format of the kernel; empty to tell it from its content
 * @param board its name; empty for the one that goes with the engine
 * @param memory in bytes
 * @param windows of PCI, in the map {@code mmio32} and {@code mmio64}, in bytes
 * @param runFolder holds what lives as long as the process
 * @param restore folder of a snapshot, which memory, processors, kernel and slots come from
 * @param serve socket at which the device of the one slot is served; then there is no kernel
 * @param paused whether processors wait for {@code vm:resume}
 * @param bounds on what devices do; in the map each in milliseconds
 */
record Plan(
        String name,
        String engine,
        Optional<Path> kernel,
        Optional<Path> initrd,
        String append,
        String format,
        String board,
        long memory,
        WindowSizes windows,
        int cpus,
        String console,
        Path runFolder,
        Optional<Path> bundles,
        Optional<Path> config,
        Optional<Path> restore,
        Optional<Path> serve,
        boolean paused,
        Bounds bounds,
        List<SlotSpec> slots) {
    static Plan of(Map<String, ?> map) {
        var slots = new ArrayList<SlotSpec>();
        if (map.get("slots") instanceof List<?> list) {
            for (Object entry : list) {
                slots.add(slot((Map<?, ?>) entry));
            }
        }
        return new Plan(
                text(map, "name").orElse("vm"),
                text(map, "engine").orElse(Engines.AUTO),
                text(map, "kernel").map(Path::of),
                text(map, "initrd").map(Path::of),
                text(map, "append").orElse(""),
                text(map, "format").orElse(""),
                text(map, "board").orElse(""),
                map.get("memory") instanceof Long memory ? memory : 512L << 20,
                new WindowSizes(size(map, "mmio32"), size(map, "mmio64")),
                map.get("cpus") instanceof Integer cpus ? cpus : 1,
                text(map, "console").orElse("none"),
                Path.of(text(map, "runFolder").orElseThrow()),
                text(map, "bundles").map(Path::of),
                text(map, "config").map(Path::of),
                text(map, "restore").map(Path::of),
                text(map, "serve").map(Path::of),
                Boolean.TRUE.equals(map.get("paused")),
                new Bounds(
                        bound(map, "call", Bounds.DEFAULT.call()),
                        bound(map, "vacancy", Bounds.DEFAULT.vacancy()),
                        bound(map, "probation", Bounds.DEFAULT.probation()),
                        bound(map, "handler", Bounds.DEFAULT.handler())),
                List.copyOf(slots));
    }

    /** The same machine with what a snapshot decides. */
    Plan with(
            Path itsKernel,
            Optional<Path> itsInitrd,
            String itsAppend,
            String itsFormat,
            String itsBoard,
            long itsMemory,
            WindowSizes itsWindows,
            int itsCpus) {
        return new Plan(
                name,
                engine,
                Optional.of(itsKernel),
                itsInitrd,
                itsAppend,
                itsFormat,
                itsBoard,
                itsMemory,
                itsWindows,
                itsCpus,
                console,
                runFolder,
                bundles,
                config,
                restore,
                serve,
                paused,
                bounds,
                slots);
    }

    /** What the guest boots from; the plan has a kernel. */
    Images images() {
        return new Images(kernel.orElseThrow(), initrd, append, format);
    }

    private static Optional<String> text(Map<String, ?> map, String key) {
        return Optional.ofNullable((String) map.get(key));
    }

    /** 0 where there is none. */
    private static long size(Map<String, ?> map, String key) {
        return map.get(key) instanceof Long size ? size : 0;
    }

    private static Duration bound(Map<String, ?> map, String key, Duration otherwise) {
        return map.get("bound." + key) instanceof Long millis
                ? Duration.ofMillis(millis)
                : otherwise;
    }

    private static SlotSpec slot(Map<?, ?> entry) {
        var settings = new HashMap<String, String>();
        entry.forEach((key, value) -> settings.put((String) key, (String) value));
        String name = settings.remove("name");
        String kind = settings.remove("kind");
        String source = settings.remove("source");
        return new SlotSpec(name, kind, settings, source == null ? "the plan" : source);
    }
}
