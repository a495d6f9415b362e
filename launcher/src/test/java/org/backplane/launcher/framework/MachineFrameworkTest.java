package org.backplane.launcher.framework;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.backplane.launcher.folder.Locations;
import org.backplane.launcher.folder.RunFolder;
import org.backplane.launcher.folder.RunFolders;
import org.backplane.launcher.framework.Distribution.Group;
import org.backplane.launcher.option.ListenAddress;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;

@Timeout(120)
class MachineFrameworkTest {
    @TempDir Path temporary;

    private Distribution distribution;
    private RunFolder folder;
    private MachineFramework framework;

    @BeforeEach
    void makeFolders() throws IOException {
        distribution = new Distribution(temporary.resolve("distribution"));
        folder = new RunFolders(temporary.resolve("run"), Locations.uid()).acquire("one");
        framework =
                new MachineFramework(
                        distribution,
                        folder,
                        new MachineFramework.Properties(
                                "one",
                                Optional.empty(),
                                Optional.empty(),
                                List.of(),
                                Optional.empty(),
                                Optional.empty(),
                                Optional.empty()));
    }

    @AfterEach
    void stop() throws IOException, InterruptedException {
        assertTrue(framework.stop(60, TimeUnit.SECONDS));
        folder.close();
    }

    /** Puts a bundle into a group; an activator is taken from the test's class path. */
    private void bundle(Group group, String name, Class<?> activator, String... headers)
            throws IOException {
        Manifest manifest = new Manifest();
        Attributes attributes = manifest.getMainAttributes();
        attributes.put(Attributes.Name.MANIFEST_VERSION, "1.0");
        attributes.putValue("Bundle-ManifestVersion", "2");
        attributes.putValue("Bundle-SymbolicName", name);
        attributes.putValue("Bundle-Version", "1.0.0");
        if (activator != null) {
            attributes.putValue("Bundle-Activator", activator.getName());
            attributes.putValue("Import-Package", "org.osgi.framework");
        }
        for (String header : headers) {
            attributes.putValue(header.split(": ", 2)[0], header.split(": ", 2)[1]);
        }
        Files.createDirectories(distribution.folder(group));
        Path jar = distribution.folder(group).resolve(name + "-1.0.0.jar");
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar), manifest)) {
            if (activator != null) {
                String path = activator.getName().replace('.', '/') + ".class";
                out.putNextEntry(new JarEntry(path));
                try (InputStream in = activator.getClassLoader().getResourceAsStream(path)) {
                    in.transferTo(out);
                }
                out.closeEntry();
            }
        }
    }

    private void start(String plan) throws StartException {
        framework.start(Optional.of(Map.of("name", plan)), false);
    }

    private int state(String name) {
        return framework.bundles().stream()
                .filter(bundle -> name.equals(bundle.getSymbolicName()))
                .findFirst()
                .map(Bundle::getState)
                .orElse(0);
    }

    @Test
    void handsThePlanOverAndIsToldTheEnd() throws Exception {
        bundle(Group.ENGINE, "machine", MachineStandIn.class);
        start("ends");
        assertEquals(42, framework.end().get(60, TimeUnit.SECONDS));
    }

    @Test
    void loadsNothingOfTheWebPageUnlessAskedTo() throws Exception {
        bundle(Group.WEB, "web", null);
        start("idles");
        framework.startSecondList();
        assertEquals(0, state("web"));
    }

    @Test
    void startsTheServerAfterThePageAndTellsTheConsoleToNeedItsGuard() throws Exception {
        framework =
                new MachineFramework(
                        distribution,
                        folder,
                        new MachineFramework.Properties(
                                "one",
                                Optional.empty(),
                                Optional.empty(),
                                List.of(),
                                Optional.empty(),
                                Optional.of(new ListenAddress("127.0.0.1", 0, true)),
                                Optional.empty()));
        bundle(Group.WEB, "zzz", null);
        bundle(Group.WEB_SERVER, "aaa", null);
        start("idles");
        framework.startSecondList();
        List<String> names = framework.bundles().stream().map(Bundle::getSymbolicName).toList();
        assertTrue(names.indexOf("zzz") > 0 && names.indexOf("zzz") < names.indexOf("aaa"));
        assertEquals(Bundle.ACTIVE, state("aaa"));
        BundleContext context = framework.bundles().get(0).getBundleContext();
        assertEquals(
                "org.backplane.web", context.getProperty("felix.webconsole.security.providers"));
        assertTrue(context.getProperty("felix.webconsole.password").startsWith("{sha-256}"));
        assertEquals("127.0.0.1", context.getProperty("org.apache.felix.http.host"));
    }

    @Test
    void isToldAFailureInClassesOfTheJdk() throws Exception {
        bundle(Group.ENGINE, "machine", MachineStandIn.class);
        start("refuses");
        ExecutionException failure =
                assertThrows(
                        ExecutionException.class, () -> framework.end().get(60, TimeUnit.SECONDS));
        assertEquals("bad input", failure.getCause().getMessage());
        assertTrue(failure.getCause() instanceof IllegalArgumentException);
    }

    @Test
    void startsTheSecondListOnceTheMachineRuns() throws Exception {
        bundle(Group.ENGINE, "machine", MachineStandIn.class);
        bundle(Group.SECOND, "shell", null);
        start("runs");
        framework.secondList().get(60, TimeUnit.SECONDS);
        assertEquals(Bundle.ACTIVE, state("shell"));
    }

    @Test
    void aShellForWhichThereAreTooFewDescriptorsIsToldWithTheRemedy() throws Exception {
        bundle(Group.SECOND, "shell", MachineStandIn.Starved.class);
        bundle(Group.BOARD, "board", null);
        framework.start(Optional.empty(), false);
        PrintStream before = System.err;
        var told = new ByteArrayOutputStream();
        System.setErr(new PrintStream(told, true));
        try {
            framework.startSecondList();
        } finally {
            System.setErr(before);
        }
        assertTrue(
                told.toString()
                        .contains(
                                "the shell is not available: /second: Too many open files; raise the limit with 'ulimit -n'"),
                told::toString);
    }

    @Test
    void doesNotStartTheSecondListOrTheWatcherBefore() throws Exception {
        bundle(Group.BOARD, "board", null);
        bundle(Group.SECOND, "shell", null);
        bundle(Group.WATCH, "watch", null);
        framework.start(Optional.empty(), false);
        assertEquals(Bundle.ACTIVE, state("board"));
        assertEquals(0, state("shell"));
        assertEquals(0, state("watch"));
        assertFalse(framework.secondList().isDone());
    }

    @Test
    void namesTheRequirementThatNobodyMeets() throws Exception {
        bundle(Group.BOARD, "card", null, "Import-Package: org.absent;version=\"[1.0,2.0)\"");
        bundle(Group.BOARD, "user", null, "Import-Package: org.card");
        bundle(Group.BOARD, "other", null, "Export-Package: org.card;version=\"3.0.0\"");
        bundle(Group.BOARD, "old", null, "Import-Package: org.card;version=\"[1.0,2.0)\"");
        StartException failure =
                assertThrows(StartException.class, () -> framework.start(Optional.empty(), false));
        List<String> sentences = failure.sentences();
        assertTrue(
                sentences.stream()
                        .anyMatch(
                                s ->
                                        s.contains("bundle card 1.0.0")
                                                && s.contains("org.absent")
                                                && s.contains("no bundle here offers")),
                sentences::toString);
        assertTrue(
                sentences.stream()
                        .anyMatch(
                                s ->
                                        s.contains("bundle old")
                                                && s.contains("other offers as 3.0.0")),
                sentences::toString);
    }

    @Test
    void tellsWhyABundleDoesNotStart() throws Exception {
        bundle(Group.ENGINE, "upside.down", MachineStandIn.Broken.class);
        StartException failure =
                assertThrows(StartException.class, () -> framework.start(Optional.empty(), false));
        assertEquals(List.of("upside.down: the card is upside down"), failure.sentences());
    }
}
