package org.backplane.launcher.option;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The folder of {@code --restore}, as far as it can be judged before anything starts: the manifest
 * and the sizes of the other files (docs/snapshot.md). Digests are the machine's.
 *
 * @param memory of its guest, in bytes
 */
record SnapshotFolder(Path path, long memory, int cpus) {
    private static final String MANIFEST = "manifest";
    private static final String FORMAT = "1";
    private static final String REMEDY = "; give the folder that a vm:snapshot wrote";

    /**
     * @param wrong is given a clause that says what is wrong
     */
    static Optional<SnapshotFolder> read(Path path, Consumer<String> wrong) throws IOException {
        Path manifest = path.resolve(MANIFEST);
        if (!Files.isDirectory(path)) {
            wrong.accept("there is no such folder" + REMEDY);
        } else if (!Files.isExecutable(path)) {
            wrong.accept("it cannot be read by this user; change its mode or owner");
        } else if (!Files.isRegularFile(manifest)) {
            wrong.accept("this is no snapshot, there is no file 'manifest' in it" + REMEDY);
        } else if (!Files.isReadable(manifest)) {
            wrong.accept("its files cannot be read by this user; change their mode or owner");
        } else {
            return judge(path, Files.readString(manifest, StandardCharsets.ISO_8859_1), wrong);
        }
        return Optional.empty();
    }

    private static Optional<SnapshotFolder> judge(
            Path path, String manifest, Consumer<String> wrong) throws IOException {
        Map<String, String> values = new HashMap<>();
        for (String line : manifest.split("\n")) {
            String[] words = line.split(" ", 2);
            values.put(words[0], words.length == 2 ? words[1] : "");
        }
        String format = values.getOrDefault("backplane-snapshot", "");
        long memory = number(values, "memory");
        long cpus = number(values, "cpus");
        if (format.matches("[0-9]+") && !format.equals(FORMAT)) {
            wrong.accept("it is of format " + format + ", and this version reads format " + FORMAT);
        } else if (memory <= 0 || cpus <= 0 || cpus > Integer.MAX_VALUE) {
            wrong.accept("its file 'manifest' is damaged; take another snapshot");
        } else {
            for (String file : new String[] {"state", "memory"}) {
                Path there = path.resolve(file);
                if (!Files.isRegularFile(there)
                        || Files.size(there) != number(values, file + "-bytes")) {
                    wrong.accept(
                            "its file '"
                                    + file
                                    + "' is "
                                    + (Files.exists(there) ? "damaged" : "not there")
                                    + "; take another snapshot");
                    return Optional.empty();
                }
            }
            return Optional.of(new SnapshotFolder(path, memory, (int) cpus));
        }
        return Optional.empty();
    }

    private static long number(Map<String, String> values, String name) {
        String value = values.getOrDefault(name, "");
        return value.matches("[0-9]{1,18}") ? Long.parseLong(value) : -1;
    }
}
