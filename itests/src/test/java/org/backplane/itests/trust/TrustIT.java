package org.backplane.itests.trust;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.backplane.itests.Backplane;
import org.backplane.itests.Backplane.Answer;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.osgi.framework.Constants;

/**
 * A machine of the distribution with {@code --trust}, and a jar that nobody signed: by every road
 * it is refused with the reason, and none of its classes are loaded.
 */
public final class TrustIT {
    private static final String REASON =
            "the bundle org.backplane.rng 9.0.0 is refused: it is not signed";
    private static final Pattern RUNS =
            Pattern.compile(
                    "rng0 +virtio-rng +running .*org\\.backplane\\.rng 1\\.0\\.0 \\[(\\d+)]");

    /** In place of a kind: a part of the framework. */
    private static final String EXTENSION = "extension";

    private Path folder;
    private Path trust;
    private Path watched;
    private Path jar;
    private Backplane machine;

    @Before
    public void run() throws Exception {
        folder = Files.createTempDirectory("bp");
        trust = Files.createDirectory(folder.resolve("trust"));
        Files.setPosixFilePermissions(trust, PosixFilePermissions.fromString("rwx------"));
        watched = Files.createDirectory(folder.resolve("watched"));
        jar = bundle("virtio-rng", "strange.jar");
        jdk("keytool", "-genkeypair", "-alias", "acme", "-dname", "CN=Acme", "-keyalg", "EC");
        jdk(
                "keytool",
                "-exportcert",
                "-rfc",
                "-alias",
                "acme",
                "-file",
                trust.resolve("acme.pem").toString());
        machine =
                Backplane.run(
                        folder,
                        environment(),
                        List.of(
                                "--trust",
                                trust.toString(),
                                "--bundles",
                                watched.toString(),
                                "--device",
                                "virtio-rng,name=rng0"));
    }

    private Map<String, String> environment() {
        return Map.of(
                Trace.VARIABLE,
                trace().toString(),
                // With this the framework could take extensions; it is not to, all the same.
                "BACKPLANE_JAVA_OPTIONS",
                "--add-opens=java.base/jdk.internal.loader=ALL-UNNAMED");
    }

    private Path trace() {
        return folder.resolve("trace");
    }

    @After
    public void end() throws Exception {
        if (machine != null) {
            machine.close();
        }
    }

    /** A program of the JDK at hand, with the vendor's key store. */
    private void jdk(String program, String... words) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", program).toString());
        List<String> store =
                List.of(
                        "-keystore",
                        folder.resolve("acme.p12").toString(),
                        "-storepass",
                        "secret word");
        if (program.equals("jarsigner")) {
            command.addAll(store);
        }
        command.addAll(Arrays.asList(words));
        if (!program.equals("jarsigner")) {
            command.addAll(store);
        }
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes());
        assertEquals(output, 0, process.waitFor());
    }

    /** A build of a kind's bundle that leaves a trace. */
    private Path bundle(String kind, String name) throws IOException {
        Manifest manifest = new Manifest();
        Attributes headers = manifest.getMainAttributes();
        headers.put(Attributes.Name.MANIFEST_VERSION, "1.0");
        headers.putValue(Constants.BUNDLE_MANIFESTVERSION, "2");
        headers.putValue(Constants.BUNDLE_SYMBOLICNAME, "org.backplane.rng");
        headers.putValue(Constants.BUNDLE_VERSION, "9.0.0");
        headers.putValue(Constants.BUNDLE_ACTIVATOR, Trace.class.getName());
        if (kind.equals(EXTENSION)) {
            headers.putValue(Constants.FRAGMENT_HOST, "system.bundle; extension:=framework");
            headers.putValue(Constants.EXTENSION_BUNDLE_ACTIVATOR, Trace.class.getName());
        }
        headers.putValue(Constants.IMPORT_PACKAGE, "org.osgi.framework");
        headers.putValue(Constants.PROVIDE_CAPABILITY, "org.backplane.device;kind=" + kind);
        Path made = folder.resolve(name);
        String path = Trace.class.getName().replace('.', '/') + ".class";
        try (var out = new JarOutputStream(Files.newOutputStream(made), manifest);
                var code = Trace.class.getClassLoader().getResourceAsStream(path)) {
            out.putNextEntry(new JarEntry(path));
            code.transferTo(out);
        }
        return made;
    }

    private String ask(String command) {
        try {
            return machine.shell(command).text();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The bundle that rng0 runs, as built. */
    private int awaitRunning() throws IOException {
        machine.waitUntil(() -> RUNS.matcher(ask("vm:slots")).find());
        Matcher slot = RUNS.matcher(ask("vm:slots"));
        assertTrue(slot.find());
        return Integer.parseInt(slot.group(1));
    }

    private void assertNoTrace(String road) {
        assertFalse(road, Files.exists(trace()));
    }

    private void drop(Path content) throws IOException {
        Path incoming = folder.resolve("incoming.jar");
        Files.copy(content, incoming, StandardCopyOption.REPLACE_EXISTING);
        Files.move(incoming, watched.resolve(content.getFileName()));
    }

    @Test
    public void noRoadLetsAStrangersJarIn() throws Exception {
        int before = awaitRunning();

        Answer swap = machine.shell("vm:swap rng0 " + jar);
        assertEquals(swap.text(), 1, swap.status());
        assertTrue(swap.text(), swap.text().contains(REASON));
        assertNoTrace("vm:swap");

        Answer install = machine.shell("install " + jar);
        assertEquals(install.text(), 1, install.status());
        assertTrue(install.text(), install.text().contains(REASON.substring(4)));
        assertFalse("the refused bundle is left", ask("lb").contains("9.0.0"));
        assertNoTrace("install");

        String installed = ask("felix:install " + jar.toUri()).replaceAll("\\D+", "");
        String started = ask("felix:start " + installed);
        assertTrue(
                started, started.contains("org.backplane.rng 9.0.0 is refused: it is not signed"));
        ask("felix:resolve " + installed);
        assertNoTrace("felix:start");

        ask("felix:install " + bundle(EXTENSION, "extension.jar").toUri());
        assertNoTrace("extension of the framework");

        drop(jar);
        machine.waitUntil(() -> ask("vm:history rng0").contains("watched/strange.jar"));
        String history = ask("vm:history rng0");
        assertTrue(history, history.contains(REASON));
        assertNoTrace("watched folder");

        dev();
        assertNoTrace("backplane dev");

        drop(bundle("teapot", "teapot.jar"));
        machine.waitUntil(() -> told().contains("watched/teapot.jar"));
        Answer plug = machine.shell("vm:plug teapot");
        assertNoTrace("vm:plug: " + plug);
        assertFalse(ask("vm:slots"), ask("vm:slots").contains("teapot  running"));

        assertEquals("nothing of it changed the slot", before, awaitRunning());
        String update = ask("felix:update " + before + " " + jar.toUri());
        assertTrue(update, update.contains("org.backplane.rng 9.0.0 is refused: it is not signed"));
        // The code before comes back in a jar of the machine's own making.
        int after = awaitRunning();
        assertTrue("it was updated in place", after != before);
        assertNoTrace("felix:update");

        jdk("jarsigner", jar.toString(), "acme");
        Answer signed = machine.shell("vm:swap rng0 " + jar);
        assertTrue(signed.text(), signed.text().contains("offers no 'virtio-rng'"));
        assertTrue("what is signed is loaded", Files.exists(trace()));
    }

    @Test
    public void aMachineThatLacksWhatWasRefusedSaysSo() throws Exception {
        drop(bundle("teapot", "teapot.jar"));
        machine.close();
        Path output = folder.resolve("out");
        Process process =
                Backplane.start(
                        folder,
                        environment(),
                        Backplane.words(
                                folder,
                                "--trust",
                                trust.toString(),
                                "--bundles",
                                watched.toString(),
                                "--device",
                                "teapot"),
                        output);
        assertEquals(2, process.waitFor());
        String told = read(output);
        assertTrue(told, told.contains("no bundle offers the kind 'teapot'"));
        assertTrue(told, told.contains("org.backplane.rng 9.0.0 is refused: it is not signed"));
        assertNoTrace("start");
    }

    private String told() {
        try {
            return machine.told();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void dev() throws Exception {
        Path builds = Files.createDirectory(folder.resolve("builds"));
        Path output = folder.resolve("dev");
        Process dev =
                Backplane.start(
                        folder,
                        Map.of(),
                        List.of("dev", builds.toString(), "--name", machine.name()),
                        output);
        try {
            machine.waitUntil(() -> !read(output).isEmpty());
            Files.copy(jar, builds.resolve("build.jar"));
            machine.waitUntil(() -> read(output).contains(REASON));
        } finally {
            dev.destroy();
            dev.waitFor();
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
