package org.backplane.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Where figures were taken: without this they mean nothing. */
final class Conditions {
    private Conditions() {}

    /** Lines to print before the figures. */
    static List<String> ofThisHost() throws IOException {
        return List.of(
                "host: %d processors, %s, Linux %s"
                        .formatted(
                                Runtime.getRuntime().availableProcessors(),
                                field(Path.of("/proc/cpuinfo"), "model name"),
                                System.getProperty("os.version")),
                "java: %s %s"
                        .formatted(
                                System.getProperty("java.vm.name"),
                                System.getProperty("java.vm.version")),
                "load average before: "
                        + Files.readString(Path.of("/proc/loadavg")).split(" ")[0]
                        + " (figures of a busy host say little)");
    }

    private static String field(Path file, String name) throws IOException {
        return Files.readAllLines(file).stream()
                .filter(line -> line.startsWith(name))
                .map(line -> line.substring(line.indexOf(':') + 1).strip())
                .findFirst()
                .orElse("unknown processor");
    }
}
