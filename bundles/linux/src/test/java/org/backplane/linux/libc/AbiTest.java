package org.backplane.linux.libc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AbiTest {
    /** Names that are no C identifier of their own; every other is compared under its own name. */
    private static final Map<String, String> EXPRESSIONS =
            Map.ofEntries(
                    Map.entry("STATX_BYTES", "sizeof(struct statx)"),
                    Map.entry("STX_MASK", "offsetof(struct statx, stx_mask)"),
                    Map.entry("STX_BLKSIZE", "offsetof(struct statx, stx_blksize)"),
                    Map.entry("STX_MODE", "offsetof(struct statx, stx_mode)"),
                    Map.entry("STX_SIZE", "offsetof(struct statx, stx_size)"),
                    Map.entry("FLOCK_BYTES", "sizeof(struct flock)"),
                    Map.entry("L_TYPE", "offsetof(struct flock, l_type)"),
                    Map.entry("L_WHENCE", "offsetof(struct flock, l_whence)"),
                    Map.entry("L_START", "offsetof(struct flock, l_start)"),
                    Map.entry("L_LEN", "offsetof(struct flock, l_len)"),
                    Map.entry("L_PID", "offsetof(struct flock, l_pid)"),
                    Map.entry("EPOLL_EVENT_BYTES", "sizeof(struct epoll_event)"),
                    Map.entry("EPOLL_EVENT_EVENTS", "offsetof(struct epoll_event, events)"),
                    Map.entry("EPOLL_EVENT_DATA", "offsetof(struct epoll_event, data)"),
                    Map.entry("IOVEC_BYTES", "sizeof(struct iovec)"),
                    Map.entry("IOV_BASE", "offsetof(struct iovec, iov_base)"),
                    Map.entry("IOV_LEN", "offsetof(struct iovec, iov_len)"));

    private static final String HEADERS =
            """
            #define _GNU_SOURCE
            #define _FILE_OFFSET_BITS 64
            #include <errno.h>
            #include <fcntl.h>
            #include <limits.h>
            #include <linux/falloc.h>
            #include <stddef.h>
            #include <stdio.h>
            #include <sys/epoll.h>
            #include <sys/eventfd.h>
            #include <sys/mman.h>
            #include <sys/stat.h>
            #include <sys/uio.h>
            #include <unistd.h>
            """;

    @TempDir Path folder;

    @Test
    void everyNumberIsWhatTheHostsHeadersSay() throws Exception {
        Optional<String> compiler = compiler();
        if (compiler.isEmpty()) {
            System.out.println("AbiTest: skipped, there is no cc or gcc on the PATH");
        }
        Assumptions.assumeTrue(compiler.isPresent(), "needs cc or gcc on the PATH");
        Map<String, Long> ours = new TreeMap<>();
        for (Field field : Abi.class.getFields()) {
            if (Modifier.isStatic(field.getModifiers())) {
                ours.put(field.getName(), ((Number) field.get(null)).longValue());
            }
        }
        assertTrue(ours.size() > 50, "found only " + ours.keySet());
        assertEquals(new TreeMap<>(headers(compiler.get(), ours)), ours);
    }

    private Map<String, Long> headers(String compiler, Map<String, Long> names)
            throws IOException, InterruptedException {
        StringBuilder source = new StringBuilder(HEADERS).append("int main(void) {\n");
        for (String name : names.keySet()) {
            String expression = EXPRESSIONS.getOrDefault(name, name);
            // Masks with the top bit set are ints in Java, unsigned in the headers.
            String type = name.startsWith("EPOLL") ? "(int)" : "";
            source.append(
                    "printf(\"%s %%lld\\n\", (long long)%s(%s));\n"
                            .formatted(name, type, expression));
        }
        Files.writeString(folder.resolve("table.c"), source.append("return 0; }\n"));
        run("compile", compiler, "-o", "table", "table.c");
        Map<String, Long> values = new HashMap<>();
        run("run", "./table")
                .lines()
                .map(line -> line.split(" "))
                .forEach(words -> values.put(words[0], Long.parseLong(words[1])));
        return values;
    }

    private String run(String purpose, String... command) throws IOException, InterruptedException {
        Path output = folder.resolve(purpose + ".txt");
        Process process =
                new ProcessBuilder(command)
                        .directory(folder.toFile())
                        .redirectErrorStream(true)
                        .redirectOutput(output.toFile())
                        .start();
        int status = process.waitFor();
        assertEquals(0, status, () -> purpose + ": " + read(output));
        return read(output);
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static Optional<String> compiler() {
        return Stream.of("cc", "gcc")
                .flatMap(
                        name ->
                                Stream.of(System.getenv("PATH").split(File.pathSeparator))
                                        .map(path -> Path.of(path, name)))
                .filter(Files::isExecutable)
                .map(Path::toString)
                .findFirst();
    }
}
