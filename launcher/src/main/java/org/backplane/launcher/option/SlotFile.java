package org.backplane.launcher.option;

import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.stream.StreamSupport;

/** A file of {@code --config}, read as the machine will read it: docs/devices.md. */
final class SlotFile {
    private SlotFile() {}

    /** The files of a folder that ask for a slot. */
    static List<Path> in(Path folder) throws IOException {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "*.cfg")) {
            return StreamSupport.stream(files.spliterator(), false)
                    .filter(Files::isRegularFile)
                    .sorted()
                    .toList();
        }
    }

    /**
     * The lines of a file.
     *
     * @throws IOException with a clause for the user
     */
    static Map<String, String> read(Path file) throws IOException {
        if (!Files.isReadable(file)) {
            throw new IOException("it cannot be read by this user; change its mode or owner");
        }
        Properties lines = new Properties();
        try (Reader reader =
                new InputStreamReader(Files.newInputStream(file), StandardCharsets.UTF_8)) {
            lines.load(reader);
        } catch (IllegalArgumentException e) {
            throw new IOException("it holds no lines of 'name=value': " + e.getMessage(), e);
        }
        Map<String, String> settings = new TreeMap<>();
        lines.forEach((name, value) -> settings.put(name.toString(), value.toString().strip()));
        return settings;
    }
}
