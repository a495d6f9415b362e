package org.backplane.launcher.folder;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Properties;

/**
 * What a run folder says of its machine.
 *
 * @param pid of its process
 * @param memory in bytes
 */
public record RunningMachine(String name, long pid, Instant since, long memory, int cpus) {
    private static final String FILE = "machine.properties";

    /** Writes the description of this process's machine and its pid file. */
    public void write(RunFolder folder) throws IOException {
        // Nothing in them needs the escapes of such a file, and its date takes the JVM's whole
        // knowledge of time zones.
        List<String> lines =
                List.of(
                        "pid=" + pid,
                        "since=" + since.truncatedTo(ChronoUnit.SECONDS),
                        "memory=" + memory,
                        "cpus=" + cpus);
        Path temporary = folder.path().resolve(FILE + ".new");
        Files.write(temporary, lines);
        Files.move(temporary, folder.path().resolve(FILE));
        Files.writeString(folder.path().resolve("pid"), pid + "\n");
    }

    /** Reads a description; a machine that is starting has zeros. */
    static RunningMachine read(Path folder) throws IOException {
        Properties properties = new Properties();
        try (Reader reader = Files.newBufferedReader(folder.resolve(FILE))) {
            properties.load(reader);
        } catch (NoSuchFileException e) {
            return new RunningMachine(folder.getFileName().toString(), 0, Instant.now(), 0, 0);
        }
        return new RunningMachine(
                folder.getFileName().toString(),
                Long.parseLong(properties.getProperty("pid")),
                Instant.parse(properties.getProperty("since")),
                Long.parseLong(properties.getProperty("memory")),
                Integer.parseInt(properties.getProperty("cpus")));
    }
}
