package org.backplane.kvm;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Programs in assembly, built flat by the host's compiler, each once. */
final class Payload {
    private static final Map<String, byte[]> BUILT = new ConcurrentHashMap<>();

    private Payload() {}

    /** Skips the test where there is no compiler. */
    static byte[] build(String name, long at) {
        String compiler = Compiler.require();
        return BUILT.computeIfAbsent(name + "@" + at, key -> built(compiler, name, at));
    }

    private static byte[] built(String compiler, String name, long at) {
        try {
            Path folder = Files.createTempDirectory("payload");
            try {
                copy("payload.inc", folder);
                copy(name + ".S", folder);
                Compiler.run(
                        folder,
                        compiler,
                        "-nostdlib",
                        "-static",
                        "-no-pie",
                        "-Wl,--build-id=none",
                        "-Wl,--oformat=binary",
                        "-Wl,-Ttext=0x" + Long.toHexString(at),
                        "-Wl,-e,0",
                        "-o",
                        "payload.bin",
                        name + ".S");
                return Files.readAllBytes(folder.resolve("payload.bin"));
            } finally {
                try (var files = Files.walk(folder)) {
                    for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                        Files.delete(file);
                    }
                }
            }
        } catch (IOException | InterruptedException e) {
            throw new AssertionError("cannot build " + name, e);
        }
    }

    private static void copy(String resource, Path folder) throws IOException {
        try (InputStream in = Payload.class.getResourceAsStream(resource)) {
            Files.copy(in, folder.resolve(resource));
        }
    }
}
