package org.backplane.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The slot whose code changes, seen through the shell, and the roads by which that happens. */
final class DiskSlot {
    static final String NAME = "disk0";

    private static final Pattern FILLED =
            Pattern.compile(
                    "(?m)^" + NAME + "\\s+virtio-blk\\s+(\\S+)\\s+\\S+\\s+\\S+ (\\S+) \\[(\\d+)]");

    private final BenchMachine machine;

    DiskSlot(BenchMachine machine) {
        this.machine = machine;
    }

    /** Whether it runs a version. */
    boolean runs(String version) throws BenchException, IOException {
        Matcher filled = filled();
        return filled.group(1).equals("running") && filled.group(2).equals(version);
    }

    private Matcher filled() throws BenchException, IOException {
        String slots = machine.shell("vm:slots");
        Matcher matcher = FILLED.matcher(slots);
        if (!matcher.find()) {
            throw new BenchException("%s is empty: %s".formatted(NAME, slots.strip()));
        }
        return matcher;
    }

    SlotHistory history() throws BenchException, IOException {
        return SlotHistory.parsed(machine.shell("vm:history " + NAME));
    }

    /** {@code vm:swap}. */
    Road beside() {
        return build -> machine.shell("vm:swap %s %s".formatted(NAME, build));
    }

    /** {@code felix:update} of the bundle that fills the slot. */
    Road inPlace() {
        return build ->
                machine.shell("felix:update %s %s".formatted(filled().group(3), build.toUri()));
    }

    /**
     * The watched folder of {@code --bundles}, or the one of a project that {@code dev} watches.
     */
    static Road savedIn(Path folder) {
        Path jar = folder.resolve("device-virtio-blk.jar");
        return build -> {
            Files.createDirectories(folder);
            Files.move(
                    build,
                    jar,
                    StandardCopyOption.ATOMIC_MOVE,
                    StandardCopyOption.REPLACE_EXISTING);
        };
    }
}
