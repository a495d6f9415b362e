package org.backplane.launcher.option;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostMemoryTest {
    @TempDir Path root;

    @BeforeEach
    void aHostOfFourGigabytes() throws IOException {
        Files.createDirectories(root.resolve("proc/self"));
        Files.writeString(
                root.resolve("proc/meminfo"),
                "MemTotal:        4194304 kB\nMemFree:          100 kB\n"
                        + "MemAvailable:    2097152 kB\nSwapFree:        1048576 kB\n");
    }

    @Test
    void addsFreeSwapToWhatIsAvailable() throws IOException {
        assertEquals(3L << 30, new HostMemory(root).available());
        assertEquals(4L << 30, new HostMemory(root).total());
    }

    @Test
    void isLimitedByTheTightestControlGroup() throws IOException {
        Files.writeString(root.resolve("proc/self/cgroup"), "0::/outer/inner\n");
        group("outer", Long.toString(1 << 30), 1 << 29);
        group("outer/inner", "max", 1 << 20);
        assertEquals(1 << 29, new HostMemory(root).available());
    }

    @Test
    void isUnlimitedWhereTheHostDoesNotSay() throws IOException {
        assertEquals(
                Long.MAX_VALUE,
                new HostMemory(Files.createDirectory(root.resolve("x"))).available());
    }

    private void group(String name, String most, long used) throws IOException {
        Path folder = Files.createDirectories(root.resolve("sys/fs/cgroup").resolve(name));
        Files.writeString(folder.resolve("memory.max"), most + "\n");
        Files.writeString(folder.resolve("memory.current"), used + "\n");
    }
}
