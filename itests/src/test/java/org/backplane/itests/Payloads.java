package org.backplane.itests;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;

/** The bare x86 programs in {@code src/test/payloads}, built by the host's compiler. */
public final class Payloads {
    private static final Path SOURCES = ProjectBundle.root().resolve("itests/src/test/payloads");
    private static final Path BUILT = ProjectBundle.root().resolve("itests/target/payloads");

    private Payloads() {}

    /** Why they cannot be built here. */
    static Optional<String> obstacle() {
        return Stream.of("gcc", "ld", "objcopy")
                .filter(program -> !onPath(program))
                .findFirst()
                .map("there is no %s on the PATH (apt-get install gcc libc6-dev)"::formatted);
    }

    static boolean onPath(String program) {
        return Stream.of(System.getenv("PATH").split(File.pathSeparator))
                .anyMatch(folder -> Files.isExecutable(Path.of(folder, program)));
    }

    /** Builds all of them, in about a second. */
    static void build() throws IOException, InterruptedException {
        Files.createDirectories(BUILT);
        Path output = BUILT.resolve("build.txt");
        Process build =
                new ProcessBuilder(SOURCES.resolve("build").toString(), BUILT.toString())
                        .redirectErrorStream(true)
                        .redirectOutput(output.toFile())
                        .start();
        if (build.waitFor() != 0) {
            throw new AssertionError("cannot build the payloads: " + Files.readString(output));
        }
    }

    /**
     * One that was built.
     *
     * @param file its name with its ending, {@code disk.elf}
     */
    static Path built(String file) {
        return BUILT.resolve(file);
    }
}
