package org.backplane.launcher.option;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.backplane.launcher.kernel.KernelFormat;

/**
 * A machine that was asked for, checked as far as can be without starting it. All paths are
 * absolute.
 *
 * @param engine what runs the guest
 * @param kernel absent if the machine comes from a snapshot, as are format, append and slots, and
 *     if it serves a device
 * @param append kernel command line
 * @param memory in bytes
 * @param windows of PCI; from a snapshot it brings its own
 * @param console as on the command line, its path absolute
 * @param bundles watched folder of bundles
 * @param config watched folder of configurations
 * @param restore folder of a snapshot
 * @param serve socket at which the one slot's device is served to guests elsewhere; then there is
 *     no kernel, and no memory of the machine's own
 * @param trust folder of what admits bundles
 * @param web where the web page is served; absent: nowhere
 * @param ssh where logins are offered; absent: nowhere
 * @param bounds how long an empty slot holds the guest, and how long a swap can be undone
 */
public record Plan(
        String name,
        EngineChoice engine,
        Optional<Path> kernel,
        Optional<KernelFormat> format,
        Optional<Path> initrd,
        String append,
        long memory,
        WindowPlan windows,
        int cpus,
        String console,
        Optional<Path> bundles,
        Optional<Path> config,
        Optional<Path> restore,
        Optional<Path> serve,
        Optional<Path> trust,
        Optional<ListenAddress> web,
        Optional<SshPlan> ssh,
        Bounds bounds,
        List<SlotPlan> slots) {
    /** What a served device may take, in milliseconds: clients wait 5 s for an answer. */
    private static final long CLIENT_BOUND = 3000;

    /**
     * @param vacancy in seconds
     * @param probation in seconds
     */
    public record Bounds(int vacancy, int probation) {}

    public Plan {
        slots = List.copyOf(slots);
    }

    /**
     * The plan in the classes of the JDK that bundles share with the launcher: docs/launcher.md.
     */
    public Map<String, Object> toMap(Path runFolder) {
        Map<String, Object> map = new TreeMap<>();
        map.put("name", name);
        kernel.ifPresent(path -> map.put("kernel", path.toString()));
        map.put("engine", engine.name());
        format.ifPresent(
                known -> {
                    map.put("format", known.word());
                    map.put("architecture", known.architecture().word());
                });
        initrd.ifPresent(path -> map.put("initrd", path.toString()));
        map.put("append", append);
        map.put("memory", memory);
        windows.addTo(map);
        map.put("cpus", cpus);
        map.put("console", console);
        map.put("runFolder", runFolder.toString());
        bundles.ifPresent(path -> map.put("bundles", path.toString()));
        config.ifPresent(path -> map.put("config", path.toString()));
        restore.ifPresent(path -> map.put("restore", path.toString()));
        serve.ifPresent(
                path -> {
                    map.put("serve", path.toString());
                    map.put("bound.call", CLIENT_BOUND);
                    map.put("bound.handler", CLIENT_BOUND);
                });
        map.put("bound.vacancy", 1000L * bounds.vacancy);
        map.put("bound.probation", 1000L * bounds.probation);
        map.put("slots", slots.stream().map(SlotPlan::toMap).toList());
        return Map.copyOf(map);
    }
}
