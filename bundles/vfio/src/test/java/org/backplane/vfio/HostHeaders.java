package org.backplane.vfio;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/** The host's C headers: a number that is wrong is a static assertion that fails to compile. */
public final class HostHeaders {
    private final Path folder;
    private final String compiler;
    private final StringBuilder includes = new StringBuilder("#include <stddef.h>\n");

    private HostHeaders(Path folder, String compiler) {
        this.folder = folder;
        this.compiler = compiler;
    }

    /** Skips the test where there is no compiler, or one of the headers is missing. */
    public static HostHeaders require(Path folder, String... headers)
            throws IOException, InterruptedException {
        String found =
                Stream.of(System.getenv("PATH").split(File.pathSeparator))
                        .map(path -> Path.of(path, "gcc"))
                        .filter(Files::isExecutable)
                        .map(Path::toString)
                        .findFirst()
                        .orElse(null);
        if (found == null) {
            System.out.println("skipped: there is no gcc on the PATH");
        }
        Assumptions.assumeTrue(found != null, "needs gcc on the PATH");
        HostHeaders host = new HostHeaders(folder, found);
        for (String header : headers) {
            String include = "#include <" + header + ">\n";
            boolean there = host.compile(include).isEmpty();
            if (!there) {
                System.out.println("skipped: there is no " + header);
            }
            Assumptions.assumeTrue(there, "needs " + header + " of linux-libc-dev");
            host.includes.append(include);
        }
        return host;
    }

    /** Compares C expressions with numbers. */
    public void assertWorth(Map<String, Long> expressions)
            throws IOException, InterruptedException {
        StringBuilder source = new StringBuilder(includes);
        expressions.forEach(
                (expression, number) ->
                        source.append(
                                "_Static_assert((%s) == %d, \"%s is not %d\");\n"
                                        .formatted(expression, number, expression, number)));
        assertEquals("", compile(source.toString()));
    }

    /** What the compiler says against a source; nothing if it takes it. */
    private String compile(String source) throws IOException, InterruptedException {
        Files.writeString(folder.resolve("table.c"), source);
        Path output = folder.resolve("output.txt");
        int status =
                new ProcessBuilder(compiler, "-fsyntax-only", "table.c")
                        .directory(folder.toFile())
                        .redirectErrorStream(true)
                        .redirectOutput(output.toFile())
                        .start()
                        .waitFor();
        return status == 0 ? "" : Files.readString(output);
    }
}
