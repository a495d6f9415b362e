package org.backplane.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;
import static org.junit.Assume.assumeTrue;
import static org.ops4j.pax.exam.CoreOptions.options;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.inject.Inject;
import org.backplane.itests.card.Behaviour;
import org.backplane.machine.SlotReport;
import org.backplane.machine.SlotState;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;

/**
 * The way of a vendor, with nothing but the distribution: docs/adding-a-device.md is done as it is
 * written, and what comes of it is plugged into a machine.
 */
@RunWith(PaxExam.class)
public final class VendorKitIT {
    private static final Path DISTRIBUTION =
            ProjectBundle.root().resolve("launcher/target/distribution");
    private static final Path PAGE = ProjectBundle.root().resolve("docs/adding-a-device.md");

    /** Blocks that are done as they stand; those for a terminal are marked otherwise. */
    private static final Pattern BLOCK = Pattern.compile("(?m)^```sh\\n((?s:.*?))^```$");

    private static final String ALL_KEPT = "35 kept, 0 broken, 0 not judged";

    /** What came of a command. */
    private record Outcome(int status, String text) {}

    @Inject private BundleContext context;
    private CardMachine rig;
    private Path home;

    @Configuration
    public Option[] framework() {
        return options(CardMachine.framework());
    }

    @Before
    public void makeHome() throws Exception {
        rig = new CardMachine(context);
        home = Files.createTempDirectory("vendor");
        Path repository = Path.of(System.getProperty("user.home"), ".m2", "repository");
        assumeTrue("no local repository at " + repository, Files.isDirectory(repository));
        // The vendor's own, without anything of this project that somebody installed in ours.
        Path own = Files.createDirectories(home.resolve(".m2/repository"));
        link(repository, own, "org");
        link(repository.resolve("org"), Files.createDirectory(own.resolve("org")), "backplane");
        Files.writeString(
                home.resolve(".m2/settings.xml"),
                "<settings><localRepository>%s</localRepository><offline>true</offline></settings>"
                        .formatted(own));
        Files.createSymbolicLink(home.resolve("backplane"), DISTRIBUTION.resolve("backplane"));
    }

    private static void link(Path from, Path into, String leftOut) throws IOException {
        try (Stream<Path> entries = Files.list(from)) {
            for (Path entry : entries.toList()) {
                if (!entry.getFileName().toString().equals(leftOut)) {
                    Files.createSymbolicLink(into.resolve(entry.getFileName()), entry);
                }
            }
        }
    }

    @After
    public void clear() throws Exception {
        rig.close();
        try (Stream<Path> files = Files.walk(home)) {
            files.sorted(Comparator.reverseOrder()).forEach(VendorKitIT::delete);
        }
    }

    private static void delete(Path file) {
        try {
            Files.delete(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Outcome run(String script) throws IOException, InterruptedException {
        ProcessBuilder process =
                new ProcessBuilder("bash", "-euo", "pipefail", "-c", script)
                        .directory(home.toFile())
                        .redirectErrorStream(true);
        process.environment().put("HOME", home.toString());
        process.environment().put("JAVA_HOME", System.getProperty("java.home"));
        process.environment()
                .put(
                        "MAVEN_OPTS",
                        "-Duser.home=%s -Dmaven.compiler.failOnWarning=true".formatted(home));
        process.environment().put("XDG_CACHE_HOME", home.resolve("cache").toString());
        process.environment()
                .compute("PATH", (name, path) -> System.getProperty("java.home") + "/bin:" + path);
        Process running = process.start();
        running.getOutputStream().close();
        String text = new String(running.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Outcome(running.waitFor(), text);
    }

    private String succeed(String script) throws IOException, InterruptedException {
        Outcome outcome = run(script);
        assertEquals(script + "\n" + outcome.text(), 0, outcome.status());
        return outcome.text();
    }

    private SlotReport plug(String kind, Path jar) throws Exception {
        Bundle bundle = context.installBundle(jar.toUri().toString());
        bundle.start();
        return rig.machine().plug("new0", kind, Map.of(), "the test");
    }

    private void unplug() throws Exception {
        rig.machine().unplug("new0", true);
    }

    @Test
    public void thePageHoldsFromItsFirstCommandToItsLast() throws Exception {
        List<String> blocks =
                BLOCK.matcher(Files.readString(PAGE))
                        .results()
                        .map((MatchResult block) -> block.group(1))
                        .toList();
        assertEquals("blocks of the page", 6, blocks.size());
        Path jar = home.resolve("acme-rng/target/acme-rng-1.0.0.jar");
        Path first = home.resolve("first.jar");
        for (String block : blocks) {
            String said = succeed(block);
            if (block.contains("test-device")) {
                assertTrue(said, said.contains(ALL_KEPT));
                if (!Files.exists(first)) {
                    Files.copy(jar, first);
                }
            }
        }
        assertTrue("the change is not in the jar", Files.mismatch(first, jar) >= 0);
        assertEquals(SlotState.RUNNING, plug("acme-rng", first).state());
        assertEquals(
                SlotState.RUNNING,
                rig.machine().swap("new0", jar.toString(), false).slot().state());
        unplug();
    }

    @Test
    public void aPciProjectIsBuiltTestedAndPlugged() throws Exception {
        succeed("./backplane new-device card --kind acme-card --type pci");
        succeed("cd card && mvn -q package");
        Path jar = home.resolve("card/target/acme-card-1.0.0.jar");
        String said = succeed("./backplane test-device " + jar + " --set scratch=5");
        assertTrue(said, said.contains(ALL_KEPT));
        assertEquals(SlotState.RUNNING, plug("acme-card", jar).state());
        unplug();
    }

    @Test
    public void aDeviceThatEndsTheProcessIsNotPassed() throws Exception {
        succeed("./backplane new-device exits --kind acme-exits --type virtio");
        succeed(
                "sed -i 's|void work(int index) {|&\\n        System.exit(index);|'"
                        + " exits/src/main/java/acme/exits/AcmeExits.java");
        succeed("cd exits && mvn -q package -DskipTests");
        Outcome ended = run("./backplane test-device exits/target/acme-exits-1.0.0.jar");
        assertEquals(ended.text(), 1, ended.status());
        assertTrue(
                ended.text(),
                ended.text()
                        .contains(
                                "acme-exits-1.0.0.jar ended the process (System.exit) while the"
                                        + " clause returnsFromEveryCall of acme-exits was judged"));
    }

    @Test
    public void testDeviceNamesWhatIsMissingAndWhatIsBroken() throws Exception {
        Path unresolved = CardJar.path(Behaviour.DOES_NOT_RESOLVE, 1);
        Outcome missing = run("./backplane test-device " + unresolved);
        assertEquals(missing.text(), 1, missing.status());
        assertTrue(missing.text(), missing.text().contains("org.backplane.nobody"));
        Path blk = ProjectBundle.named("device-virtio-blk").jar();
        Outcome broken = run("./backplane test-device " + blk + " --set path=/nowhere/at/all");
        assertEquals(broken.text(), 1, broken.status());
        assertTrue(broken.text(), broken.text().contains("broken  isMade"));
        assertTrue(broken.text(), broken.text().contains("0 kept, 1 broken, 34 not judged"));
        Outcome unknown = run("./backplane test-device " + blk + " --set colour=red");
        assertEquals(unknown.text(), 2, unknown.status());
        assertTrue(unknown.text(), unknown.text().contains("has a setting 'colour'"));
    }

    @Test
    public void newDeviceRefusesWhatItCannotWrite() throws Exception {
        Outcome refused = run("./backplane new-device .m2 --kind virtio-rng --type usb");
        assertEquals(refused.text(), 2, refused.status());
        assertEquals(
                List.of(
                        "backplane: new-device .m2: the folder is not empty; give one that is, or a new one",
                        "backplane: --kind virtio-rng: the distribution has that kind; give another name",
                        "backplane: --type usb: the types are virtio and pci"),
                refused.text().lines().filter(line -> line.startsWith("backplane: ")).toList());
    }
}
