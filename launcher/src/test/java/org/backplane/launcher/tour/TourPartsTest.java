package org.backplane.launcher.tour;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.StandardProtocolFamily;
import java.net.URI;
import java.net.UnixDomainSocketAddress;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.backplane.launcher.guest.Digest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class TourPartsTest {
    private static final Duration BOUND = Duration.ofSeconds(30);

    @TempDir Path folder;

    /** A guest that says a text, then answers each line with the next of the answers. */
    private Path guest(String greeting, String... answers) throws IOException {
        Path socket = folder.resolve("console.sock");
        ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        server.bind(UnixDomainSocketAddress.of(socket));
        Thread thread =
                new Thread(
                        () -> {
                            try (server;
                                    SocketChannel client = server.accept()) {
                                client.write(StandardCharsets.US_ASCII.encode(greeting));
                                for (String answer : answers) {
                                    ByteBuffer one = ByteBuffer.allocate(1);
                                    while (client.read(one.clear()) > 0 && one.get(0) != '\n') {
                                        continue;
                                    }
                                    client.write(StandardCharsets.US_ASCII.encode(answer));
                                }
                            } catch (IOException e) {
                                // The dialog closed before the guest had said everything.
                                System.out.println("guest: " + e.getMessage());
                            }
                        });
        thread.setDaemon(true);
        thread.start();
        return socket;
    }

    private ConsoleDialog dialog(Path socket) throws IOException {
        return ConsoleDialog.connect(socket, folder.resolve("transcript"));
    }

    @Test
    void readsOutputAndStatusOfCommands() throws Exception {
        Path socket =
                guest(
                        "boot noise\r\n<backplane> ready\r\n",
                        "one\r\ntwo\r\n\r\n<backplane> status 0\r\n",
                        "\r\n<backplane> status 7\r\n");
        try (ConsoleDialog console = dialog(socket)) {
            console.awaitReady(BOUND);
            assertEquals(new ConsoleDialog.Reply(0, "one\ntwo"), console.run("a", BOUND));
            assertEquals(new ConsoleDialog.Reply(7, ""), console.run("b", BOUND));
        }
        assertTrue(Files.readString(folder.resolve("transcript")).startsWith("boot noise"));
    }

    @Test
    void takesNoMarkInsideOfALineForTheEnd() throws Exception {
        Path socket =
                guest(
                        "<backplane> ready\n",
                        "echo <backplane> status 5\nrest\n\n<backplane> status 0\n");
        try (ConsoleDialog console = dialog(socket)) {
            console.awaitReady(BOUND);
            assertEquals(
                    new ConsoleDialog.Reply(0, "echo <backplane> status 5\nrest"),
                    console.run("a", BOUND));
        }
    }

    @Test
    void failsWhenTheGuestGoesAwayOrSaysNothing() throws Exception {
        try (ConsoleDialog console = dialog(guest("panic\n"))) {
            String gone =
                    assertThrows(TourException.class, () -> console.awaitReady(BOUND)).getMessage();
            assertTrue(gone.contains("closed its console"), gone);
        }
    }

    @Test
    void failsAfterTheBound() throws Exception {
        Path socket = guest("no more\n", "never");
        try (ConsoleDialog console = dialog(socket)) {
            String late =
                    assertThrows(
                                    TourException.class,
                                    () -> console.awaitReady(Duration.ofMillis(1)))
                            .getMessage();
            assertTrue(late.contains("did not boot within"), late);
        }
    }

    @Test
    void stopsAtTheStepThatDoesNotHold() throws InterruptedException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Steps steps = new Steps(new PrintStream(out));
        steps.step("first", () -> "told");
        steps.step(
                "second",
                () -> {
                    throw new TourException("it was otherwise");
                });
        steps.step("third", () -> "never");
        assertFalse(steps.summary());
        String lines = out.toString();
        assertTrue(lines.lines().toList().get(0).matches("ok +first .* s  told"), lines);
        assertTrue(lines.lines().toList().get(1).matches("FAILED +second .* it was otherwise"));
        assertFalse(lines.contains("third"));
    }

    @Test
    void tellsWhatIsSkippedAndWhy() throws InterruptedException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Steps steps = new Steps(new PrintStream(out));
        steps.step("first", () -> "");
        steps.skip("second", "there is none");
        assertTrue(steps.summary());
        String lines = out.toString();
        assertTrue(
                lines.lines().toList().get(1).matches("skipped second .* s  there is none"), lines);
        assertTrue(lines.lines().toList().get(2).startsWith("all 1 steps held, 1 skipped in "));
        steps.step(
                "third",
                () -> {
                    throw new TourException("it was otherwise");
                });
        steps.skip("fourth", "there is none");
        assertFalse(out.toString().contains("fourth"), "nothing is told after a failure");
    }

    @Test
    void countsPingsThatWereLost() throws TourException {
        assertEquals(
                "301 pings, none lost, longest gap 43 ms", NetworkSteps.judge("301 300 42.8\n"));
        assertThrows(TourException.class, () -> NetworkSteps.judge("300 300 42.8"));
    }

    @Test
    void servesAFileAndMeasuresTransfersOnTheLoopbackAddress() throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        try (LoopbackServer server = LoopbackServer.start()) {
            URI base = URI.create("http://127.0.0.1:" + server.port());
            byte[] file = get(client, base.resolve(LoopbackServer.FILE)).body();
            assertEquals(server.fileBytes(), file.length);
            assertEquals(server.digest(), Digest.of(file));
            assertEquals(3_000_000, get(client, base.resolve("/stream/3000000")).body().length);
            assertEquals(404, get(client, base.resolve("/stream/many")).statusCode());
            HttpRequest upload =
                    HttpRequest.newBuilder(base.resolve(LoopbackServer.SINK))
                            .POST(HttpRequest.BodyPublishers.ofByteArray(new byte[100_000]))
                            .build();
            client.send(upload, HttpResponse.BodyHandlers.discarding());
            assertEquals(100_000, server.last().bytes());
        }
        assertEquals("2.5 MB/s", new LoopbackServer.Transfer(5_000_000, 2_000_000_000).rate());
    }

    private static HttpResponse<byte[]> get(HttpClient client, URI uri) throws Exception {
        return client.send(
                HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofByteArray());
    }

    @Test
    void holdsIfEveryStepHolds() throws InterruptedException {
        Steps steps = new Steps(new PrintStream(OutputStream.nullOutputStream()));
        steps.step("first", () -> "");
        assertTrue(steps.summary());
    }

    @Test
    void makesAnotherBuildOfABundle() throws IOException {
        Manifest manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        manifest.getMainAttributes().putValue("Bundle-Version", "1.0.0");
        manifest.getMainAttributes().putValue("Bundle-SymbolicName", "x");
        Path bundle = folder.resolve("x.jar");
        try (JarOutputStream jar = new JarOutputStream(Files.newOutputStream(bundle), manifest)) {
            jar.putNextEntry(new JarEntry("a/B.class"));
            jar.write(new byte[] {1, 2, 3});
            jar.closeEntry();
        }
        Path build = folder.resolve("y.jar");
        NewBuild.write(bundle, "1.0.7", build);
        try (JarFile jar = new JarFile(build.toFile())) {
            Attributes attributes = jar.getManifest().getMainAttributes();
            assertEquals("1.0.7", attributes.getValue("Bundle-Version"));
            assertEquals("x", attributes.getValue("Bundle-SymbolicName"));
            assertEquals(3, jar.getInputStream(jar.getEntry("a/B.class")).readAllBytes().length);
        }
    }

    @Test
    void makesNoBuildOfWhatIsNoBundle() throws IOException {
        Path jar = folder.resolve("x.jar");
        new JarOutputStream(Files.newOutputStream(jar), new Manifest()).close();
        assertThrows(
                IOException.class, () -> NewBuild.write(jar, "1.0.1", folder.resolve("y.jar")));
    }
}
