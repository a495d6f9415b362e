package org.backplane.launcher.option;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Memory that a guest can be given: what the kernel calls available, free swap, and no more than
 * the control group's limit.
 *
 * @param root of the file system that {@code proc} and {@code sys} are read from
 */
public record HostMemory(Path root) {
    private static final Pattern MEMINFO =
            Pattern.compile("^(MemTotal|MemAvailable|SwapFree):\\s+(\\d+) kB$", Pattern.MULTILINE);

    public static HostMemory ofThisHost() {
        return new HostMemory(Path.of("/"));
    }

    /** Bytes; Long.MAX_VALUE if the host does not say. */
    public long available() throws IOException {
        long bytes = field("MemAvailable");
        if (bytes < 0) {
            return Long.MAX_VALUE;
        }
        return Math.min(bytes + Math.max(0, field("SwapFree")), groupLimit());
    }

    /** Bytes of all memory; -1 if the host does not say. */
    public long total() throws IOException {
        return field("MemTotal");
    }

    private long field(String name) throws IOException {
        Matcher matcher = MEMINFO.matcher(text(root.resolve("proc/meminfo")));
        while (matcher.find()) {
            if (matcher.group(1).equals(name)) {
                return Long.parseLong(matcher.group(2)) * 1024;
            }
        }
        return -1;
    }

    /** The least of the limits of this process's control group and its parents (cgroup v2). */
    private long groupLimit() throws IOException {
        long limit = Long.MAX_VALUE;
        for (String line : text(root.resolve("proc/self/cgroup")).split("\n")) {
            if (!line.startsWith("0::/")) {
                continue;
            }
            Path top = root.resolve("sys/fs/cgroup");
            Path group = top.resolve(line.substring("0::/".length())).normalize();
            while (group.startsWith(top)) {
                limit = Math.min(limit, groupRoom(group));
                group = group.getParent();
            }
        }
        return limit;
    }

    private static long groupRoom(Path group) throws IOException {
        String most = text(group.resolve("memory.max")).strip();
        String used = text(group.resolve("memory.current")).strip();
        if (most.isEmpty() || most.equals("max")) {
            return Long.MAX_VALUE;
        }
        return Math.max(0, Long.parseLong(most) - (used.isEmpty() ? 0 : Long.parseLong(used)));
    }

    private static String text(Path file) throws IOException {
        return Files.isReadable(file) ? Files.readString(file, StandardCharsets.US_ASCII) : "";
    }
}
