package org.backplane.kvm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/** The host's C compiler. */
final class Compiler {
    private Compiler() {}

    /** Its path; skips the test where there is none. */
    static String require() {
        Optional<String> compiler =
                Stream.of(System.getenv("PATH").split(File.pathSeparator))
                        .map(path -> Path.of(path, "gcc"))
                        .filter(Files::isExecutable)
                        .map(Path::toString)
                        .findFirst();
        if (compiler.isEmpty()) {
            System.out.println("Compiler: skipped, there is no gcc on the PATH");
        }
        Assumptions.assumeTrue(compiler.isPresent(), "needs gcc on the PATH");
        return compiler.get();
    }

    /** Runs a command in a folder and gives what it printed. */
    static String run(Path folder, String... command) throws IOException, InterruptedException {
        Path output = folder.resolve("output.txt");
        Process process =
                new ProcessBuilder(command)
                        .directory(folder.toFile())
                        .redirectErrorStream(true)
                        .redirectOutput(output.toFile())
                        .start();
        int status = process.waitFor();
        String text = Files.readString(output);
        assertEquals(0, status, text);
        return text;
    }
}
