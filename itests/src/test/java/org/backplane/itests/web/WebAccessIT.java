package org.backplane.itests.web;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.ConnectException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.backplane.itests.Backplane;
import org.backplane.itests.NewBuild;
import org.backplane.itests.ProjectBundle;
import org.backplane.itests.web.WebMachine.Answer;
import org.junit.Test;

/** Who gets into the web page of a machine of the distribution, and when. */
public final class WebAccessIT {
    private static final String CONSOLE = "/system/console/bundles.json";
    private static final String ADMIN =
            "Authorization: Basic "
                    + Base64.getEncoder()
                            .encodeToString("admin:admin".getBytes(StandardCharsets.US_ASCII));

    /** What a stranger may be told: log in, no, later, not here, not now. */
    private static final Set<Integer> REFUSALS = Set.of(401, 429, 404, 503);

    /** Knocks without end, from the moment that nobody listens yet. */
    private static final class Stranger extends Thread {
        private final int port;
        private final String[] headers;
        private final Queue<String> gotIn;
        private final AtomicBoolean enough;
        final AtomicInteger answers = new AtomicInteger();

        Stranger(int port, Queue<String> gotIn, AtomicBoolean enough, String... headers) {
            this.port = port;
            this.gotIn = gotIn;
            this.enough = enough;
            this.headers = headers;
            setDaemon(true);
            start();
        }

        @Override
        public void run() {
            while (!enough.get()) {
                try {
                    Answer answer =
                            WebMachine.send(
                                    port,
                                    WebMachine.NEIGHBOUR,
                                    "GET",
                                    CONSOLE,
                                    new byte[0],
                                    headers);
                    answers.incrementAndGet();
                    if (!REFUSALS.contains(answer.status())) {
                        gotIn.add(
                                String.join(" ", headers)
                                        + ": "
                                        + answer.head()
                                        + "\n"
                                        + answer.body());
                    }
                } catch (ConnectException e) {
                    Thread.yield();
                } catch (IOException e) {
                    // A connection that the server dropped when it stopped is no way in either.
                    answers.incrementAndGet();
                }
            }
        }

        void knockMore(int times) {
            int until = answers.get() + times;
            while (answers.get() < until) {
                Thread.onSpinWait();
            }
        }
    }

    @Test
    public void nobodyWithoutTheTokenGetsInFromTheFirstMomentOnNorWhileTheGuardIsReplaced()
            throws Exception {
        int port = WebMachine.freePort();
        Queue<String> gotIn = new ConcurrentLinkedQueue<>();
        var enough = new AtomicBoolean();
        List<Stranger> strangers =
                List.of(
                        new Stranger(port, gotIn, enough),
                        new Stranger(port, gotIn, enough, ADMIN));
        Path folder = WebMachine.folder();
        try (WebMachine machine = WebMachine.run(folder, Integer.toString(port))) {
            assertEquals(port, machine.port());
            assertEquals(200, machine.get(CONSOLE, machine.bearer()).status());
            strangers.forEach(stranger -> stranger.knockMore(20));

            int web = machine.bundle("org.backplane.web");
            Backplane shell = machine.machine();
            assertEquals(0, shell.shell("stop " + web).status());
            strangers.forEach(stranger -> stranger.knockMore(20));
            assertEquals(404, machine.get(CONSOLE, machine.bearer()).status());
            assertEquals(404, machine.get(CONSOLE, ADMIN).status());
            assertEquals(404, machine.get("/metrics", machine.bearer()).status());

            assertEquals(0, shell.shell("start " + web).status());
            strangers.forEach(stranger -> stranger.knockMore(20));
            // The token is the machine's, not the bundle's.
            assertEquals(200, machine.get(CONSOLE, machine.bearer()).status());

            Path again = folder.resolve("web.jar");
            Files.copy(ProjectBundle.named("web").jar(), again);
            assertEquals(0, shell.shell("update %d %s".formatted(web, again.toUri())).status());
            strangers.forEach(stranger -> stranger.knockMore(20));
            assertEquals(200, machine.get(CONSOLE, machine.bearer()).status());

            int console = machine.bundle("org.apache.felix.webconsole");
            assertEquals(0, shell.shell("stop " + console).status());
            assertEquals(0, shell.shell("start " + console).status());
            strangers.forEach(stranger -> stranger.knockMore(20));
            assertEquals(200, machine.get(CONSOLE, machine.bearer()).status());
        } finally {
            enough.set(true);
        }
        assertEquals(List.of(), new ArrayList<>(gotIn));
    }

    @Test
    public void refusesOtherNamesOtherPagesAndTooManyGuesses() throws Exception {
        try (WebMachine machine = WebMachine.run(WebMachine.folder(), "0")) {
            for (String path : List.of("/", "/login", "/metrics", CONSOLE, "/nothing")) {
                assertEquals(
                        path,
                        421,
                        machine.get(path, "Host: evil.example", machine.bearer()).status());
            }
            Answer in = machine.get("/?token=" + machine.token());
            assertEquals(302, in.status());
            String cookie = "Cookie: " + in.header("Set-Cookie").orElseThrow().split(";")[0];
            assertEquals(200, machine.get(CONSOLE, cookie).status());
            assertEquals(401, machine.get(CONSOLE, cookie + "x").status());

            String stop = "/system/console/backplane/pause";
            String[] foreign = {cookie, "X-Backplane: 1", "Origin: http://evil.example"};
            assertEquals(403, machine.post(stop, new byte[0], foreign).status());
            assertEquals(403, machine.post(stop, new byte[0], cookie).status());
            String own = "Origin: " + machine.base();
            assertEquals(403, machine.post(stop, new byte[0], cookie, own).status());
            assertEquals(
                    200, machine.post(stop, new byte[0], cookie, own, "X-Backplane: 1").status());

            int status = 401;
            for (int i = 0; i < 1000 && status == 401; i++) {
                status = machine.get(CONSOLE, ADMIN).status();
            }
            assertEquals("nobody is held back", 429, status);
            assertEquals(429, machine.get(CONSOLE, machine.bearer()).status());
            // Who is in stays in.
            assertEquals(200, machine.get(CONSOLE, cookie).status());
        }
    }

    @Test
    public void tokenIsItsOwnersAndTheServerIsOnLoopbackOnly() throws Exception {
        try (WebMachine machine = WebMachine.run(WebMachine.folder(), "0")) {
            for (String name : List.of("web.token", "web.url")) {
                Path file = machine.runFolder().resolve(name);
                assertEquals(
                        "rw-------",
                        PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
                assertTrue(Files.readString(file).contains(machine.token()));
            }
            assertEquals("127.0.0.1", machine.base().getHost());
            assertFalse(
                    "the log has the token",
                    machine.machine()
                            .told()
                            .replaceFirst("token=\\S+", "")
                            .contains(machine.token()));
        }
    }

    @Test
    public void metricsAreForWhoHasTheToken() throws Exception {
        try (WebMachine machine =
                WebMachine.run(WebMachine.folder(), "0", "--device", "virtio-rng,name=rng0")) {
            assertEquals(401, machine.get("/metrics").status());
            Answer metrics = machine.get("/metrics", machine.bearer());
            assertEquals(200, metrics.status());
            assertTrue(metrics.header("Content-Type").orElseThrow().startsWith("text/plain"));
            for (String line :
                    List.of(
                            "backplane_slot_requests_total{slot=\"rng0\"} 0.0",
                            "backplane_machine_state{backplane_machine_state=\"running\"} 1",
                            "# TYPE jvm_memory_used_bytes gauge")) {
                assertTrue(line, metrics.body().contains(line));
            }
        }
    }

    @Test
    public void jarOfTheConsolesBundlesPageReplacesTheCodeOfTheSlot() throws Exception {
        NewBuild.make("rng", "1.0.7");
        try (WebMachine machine =
                WebMachine.run(WebMachine.folder(), "0", "--device", "virtio-rng,name=rng0")) {
            String border = "frontier";
            var form = new ByteArrayOutputStream();
            for (Map.Entry<String, String> field :
                    Map.of("action", "install", "bundlestart", "start").entrySet()) {
                form.writeBytes(
                        "--%s\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n%s\r\n"
                                .formatted(border, field.getKey(), field.getValue())
                                .getBytes(StandardCharsets.UTF_8));
            }
            form.writeBytes(
                    ("--%s\r\nContent-Disposition: form-data; name=\"bundlefile\"; filename=\"r.jar\"\r\n"
                                    + "Content-Type: application/java-archive\r\n\r\n")
                            .formatted(border)
                            .getBytes(StandardCharsets.UTF_8));
            form.writeBytes(Files.readAllBytes(NewBuild.path("rng", "1.0.7")));
            form.writeBytes("\r\n--%s--\r\n".formatted(border).getBytes(StandardCharsets.UTF_8));
            Answer answer =
                    machine.post(
                            "/system/console/bundles",
                            form.toByteArray(),
                            machine.bearer(),
                            "Content-Type: multipart/form-data; boundary=" + border);
            assertTrue(answer.head(), answer.status() < 400);
            machine.machine()
                    .waitUntil(
                            () -> {
                                try {
                                    return machine.get(CONSOLE, machine.bearer())
                                            .body()
                                            .contains("\"version\":\"1.0.7\"");
                                } catch (IOException e) {
                                    throw new java.io.UncheckedIOException(e);
                                }
                            });
            String state = machine.get("/system/console/backplane/state", machine.bearer()).body();
            assertTrue(state, state.contains("\"org.backplane.rng\",\"version\":\"1.0.7\""));
        }
    }

    @Test
    public void withoutTheOptionNothingOfItIsThere() throws Exception {
        try (Backplane machine = Backplane.run(WebMachine.folder())) {
            String bundles = machine.shell("lb -s").text();
            assertTrue(bundles, bundles.contains("org.backplane.shell"));
            for (String name : List.of("webconsole", "jetty", "org.backplane.web")) {
                assertFalse(name, bundles.contains(name));
            }
            assertFalse(Files.exists(machine.runFolder().resolve("web.token")));
        }
    }
}
