package org.backplane.launcher.command;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.backplane.launcher.Main;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;

/** Processes of {@code test-device} whose end is not its own doing. */
@Timeout(120)
class UntimelyEndTest {
    @TempDir Path folder;

    private final List<Process> processes = new ArrayList<>();

    /** How a process ended and what it said. */
    private record Outcome(int status, String text) {}

    /** A bundle that ends the process as if all was well. */
    public static final class Exits implements BundleActivator {
        @Override
        public void start(BundleContext context) {
            System.exit(0);
        }

        @Override
        public void stop(BundleContext context) {
            // Never started.
        }
    }

    /** A bundle whose start does not end. */
    public static final class Waits implements BundleActivator {
        @Override
        public void start(BundleContext context) throws InterruptedException {
            Thread.currentThread().join();
        }

        @Override
        public void stop(BundleContext context) {
            // Never started.
        }
    }

    /** A process that is watched, and ends in the way that it is told to. */
    static final class Watched {
        public static void main(String[] way) throws IOException {
            UntimelyEnd end =
                    new UntimelyEnd("a.jar", "it was started", () -> System.out.println("tidied"));
            end.doing("a clause was judged");
            if (way[0].equals("closed")) {
                end.close();
            }
            if (way[0].equals("killed")) {
                System.out.println("ready");
                System.in.read();
            }
            System.exit(0);
        }
    }

    @BeforeEach
    void anEmptyDistribution() throws IOException {
        Files.createDirectories(folder.resolve("home/bundles/board"));
        Files.createDirectories(folder.resolve("home/bundles/testkit"));
        Files.createDirectories(folder.resolve("tmp"));
    }

    private Process java(Class<?> main, String... arguments) throws IOException {
        List<String> words =
                new ArrayList<>(
                        List.of(
                                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                                "-Dbackplane.home=" + folder.resolve("home"),
                                "-Djava.io.tmpdir=" + folder.resolve("tmp"),
                                "-cp",
                                System.getProperty("java.class.path"),
                                main.getName()));
        words.addAll(List.of(arguments));
        Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
        processes.add(process);
        return process;
    }

    @AfterEach
    void leaveNoProcess() {
        processes.forEach(Process::destroyForcibly);
    }

    private static Outcome end(Process process) throws IOException, InterruptedException {
        try (InputStream said = process.getInputStream()) {
            String text = new String(said.readAllBytes(), StandardCharsets.UTF_8);
            return new Outcome(process.waitFor(), text);
        }
    }

    private Outcome testDevice(Class<?> activator) throws IOException, InterruptedException {
        Path jar = folder.resolve("a.jar");
        Manifest manifest = new Manifest();
        Attributes headers = manifest.getMainAttributes();
        headers.put(Attributes.Name.MANIFEST_VERSION, "1.0");
        headers.putValue("Bundle-ManifestVersion", "2");
        headers.putValue("Bundle-SymbolicName", "a");
        headers.putValue("Bundle-Activator", activator.getName());
        headers.putValue("Import-Package", "org.osgi.framework");
        headers.putValue("Provide-Capability", "org.backplane.device;kind=acme");
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar), manifest)) {
            String path = activator.getName().replace('.', '/') + ".class";
            out.putNextEntry(new JarEntry(path));
            try (InputStream in = activator.getClassLoader().getResourceAsStream(path)) {
                in.transferTo(out);
            }
            out.closeEntry();
        }
        Outcome outcome = end(java(Main.class, "test-device", jar.toString()));
        try (var left = Files.list(folder.resolve("tmp"))) {
            assertEquals(
                    List.of(),
                    left.filter(each -> each.toString().contains("backplane-")).toList(),
                    outcome::text);
        }
        return outcome;
    }

    @Test
    void aJarThatEndsTheProcessWhenItIsStartedFails() throws Exception {
        assertEquals(
                new Outcome(
                        1,
                        "backplane: %s ended the process (System.exit) while it was started%n"
                                .formatted(folder.resolve("a.jar"))),
                testDevice(Exits.class));
    }

    @Test
    void aJarThatDoesNotStartInTimeFails() throws Exception {
        assertEquals(
                new Outcome(
                        1,
                        "backplane: a.jar: its activator did not return from start within 5 s%n"
                                .formatted()),
                testDevice(Waits.class));
    }

    @Test
    void tellsWhatWasDoneLast() throws Exception {
        assertEquals(
                new Outcome(
                        1,
                        "backplane: a.jar ended the process (System.exit) while a clause was judged%ntidied%n"
                                .formatted()),
                end(java(Watched.class, "exits")));
    }

    @Test
    void leavesAnEndAfterTheJudgingAlone() throws Exception {
        assertEquals(new Outcome(0, ""), end(java(Watched.class, "closed")));
    }

    @Test
    void leavesASignalItsStatus() throws Exception {
        Process process = java(Watched.class, "killed");
        assertEquals('r', process.getInputStream().read());
        process.toHandle().destroy();
        assertEquals(new Outcome(128 + 15, "eady%ntidied%n".formatted()), end(process));
    }
}
