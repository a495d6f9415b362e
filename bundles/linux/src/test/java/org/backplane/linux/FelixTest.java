package org.backplane.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import org.apache.felix.framework.FrameworkFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.Bundle;
import org.osgi.framework.launch.Framework;

/**
 * The bundle as built, in a framework that has nothing else; in a JVM of its own, because jffi also
 * looks for its loader on the class path.
 */
class FelixTest {
    @TempDir Path folder;

    @Test
    void resolvesAloneAndUnpacksItsNativeStubWhereItIsTold() throws Exception {
        Path jar = folder.resolve("linux.jar");
        zip(Path.of("target", "classes"), jar);
        Path output = folder.resolve("output");
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        if (Runtime.version().feature() >= 24) {
            // What keeps the JVM from warning; a warning that is left makes this test fail.
            command.add("--enable-native-access=ALL-UNNAMED");
            command.add("--sun-misc-unsafe-memory-access=allow");
        }
        command.addAll(
                List.of(
                        "-Djffi.extract.dir=" + folder,
                        "-Djffi.extract.name=stub",
                        // A record of the log is its message, on one line.
                        "-Djava.util.logging.SimpleFormatter.format=%5$s%n",
                        "-cp",
                        home(FrameworkFactory.class) + File.pathSeparator + home(Probe.class),
                        Probe.class.getName(),
                        folder.resolve("cache").toString(),
                        jar.toUri().toString()));
        Process java =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(output.toFile())
                        .start();
        if (!java.waitFor(5, TimeUnit.MINUTES)) {
            // A framework whose probe failed keeps its JVM alive.
            java.destroyForcibly().waitFor();
        }
        String text = Files.readString(output);
        assertEquals(0, java.exitValue(), text);
        assertEquals(
                List.of(
                        "exports org.backplane.linux",
                        "drained 1",
                        "stub " + folder.resolve("stub.so")),
                text.lines()
                        .filter(line -> !line.matches("the C library was bound \\(\\d+ us\\)"))
                        .toList());
    }

    private static Path home(Class<?> type) throws Exception {
        return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI());
    }

    private static void zip(Path classes, Path jar) throws IOException {
        Path manifest = classes.resolve("META-INF/MANIFEST.MF");
        try (var in = Files.newInputStream(manifest);
                var out = new JarOutputStream(Files.newOutputStream(jar), new Manifest(in));
                Stream<Path> files = Files.walk(classes)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                if (!file.equals(manifest)) {
                    out.putNextEntry(new ZipEntry(classes.relativize(file).toString()));
                    Files.copy(file, out);
                }
            }
        }
    }

    /** Runs in the other JVM: the framework's cache, then the bundle's URL. */
    static final class Probe {
        private Probe() {}

        public static void main(String[] arguments) throws Exception {
            Framework felix =
                    new FrameworkFactory()
                            .newFramework(Map.of("org.osgi.framework.storage", arguments[0]));
            felix.start();
            Bundle bundle = felix.getBundleContext().installBundle(arguments[1]);
            bundle.start();
            System.out.println(
                    "exports " + bundle.getHeaders().get("Export-Package").split(";")[0]);
            AutoCloseable event =
                    (AutoCloseable)
                            bundle.loadClass("org.backplane.linux.EventFd")
                                    .getMethod("open")
                                    .invoke(null);
            event.getClass().getMethod("signal").invoke(event);
            System.out.println("drained " + event.getClass().getMethod("drain").invoke(event));
            event.close();
            Files.readAllLines(Path.of("/proc/self/maps")).stream()
                    .filter(line -> line.contains("stub"))
                    .map(line -> "stub " + line.substring(line.indexOf('/')))
                    .distinct()
                    .forEach(System.out::println);
            felix.stop();
            felix.waitForStop(0);
        }
    }
}
