package org.backplane.launcher.trust;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.backplane.launcher.folder.Locations;
import org.backplane.launcher.folder.RunFolder;
import org.backplane.launcher.folder.RunFolders;
import org.backplane.launcher.framework.Distribution;
import org.backplane.launcher.framework.Distribution.Group;
import org.backplane.launcher.framework.MachineFramework;
import org.backplane.launcher.framework.StartException;
import org.backplane.launcher.guest.Digest;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.wiring.FrameworkWiring;

/** What a framework lets in, by every way that a bundle can come and be loaded. */
@Timeout(120)
class TrustGuardTest {
    private static final String STARTED = Traces.Started.class.getName();
    private static final String ATTACHED = Traces.Attached.class.getName();

    @TempDir static Path keys;
    private static Signer vendor;
    private static Signer stranger;

    @TempDir Path temporary;
    private Path trust;
    private Path list;
    private Distribution distribution;
    private RunFolder folder;
    private MachineFramework framework;
    private BundleContext context;

    @BeforeAll
    static void makeKeys() throws Exception {
        vendor = Signer.named(keys, "vendor", "-keyalg", "EC");
        stranger = Signer.named(keys, "stranger", "-keyalg", "EC");
    }

    @BeforeEach
    void makeFolders() throws Exception {
        Traces.clear();
        trust = Files.createDirectory(temporary.resolve("trust"));
        vendor.certificate(trust.resolve("vendor.pem"));
        distribution = new Distribution(temporary.resolve("distribution"));
        list = distribution.digests();
        Files.createDirectories(list.getParent());
        Files.writeString(list, "# nothing\n");
        folder = new RunFolders(temporary.resolve("run"), Locations.uid()).acquire("one");
    }

    @AfterEach
    void stop() throws Exception {
        if (framework != null) {
            assertTrue(framework.stop(60, TimeUnit.SECONDS));
        }
        folder.close();
    }

    private void run() throws IOException, StartException {
        framework =
                new MachineFramework(
                        distribution,
                        folder,
                        new MachineFramework.Properties(
                                "one",
                                Optional.empty(),
                                Optional.empty(),
                                List.of(),
                                Optional.of(new TrustFolder(trust)),
                                Optional.empty(),
                                Optional.empty()));
        framework.start(Optional.empty(), false);
        context = framework.bundles().get(0).getBundleContext();
    }

    private static JarEdit card(String version, String... headers) throws IOException {
        List<String> all = new ArrayList<>(List.of(headers));
        all.add("Bundle-Activator: " + STARTED);
        all.add("Import-Package: org.osgi.framework");
        return JarEdit.bundle("org.acme.card", version, all.toArray(String[]::new))
                .with(Traces.Started.class);
    }

    private Path jar(String name, JarEdit content) throws IOException {
        return content.write(temporary.resolve(name));
    }

    private Path signed(String name, JarEdit content) throws Exception {
        Path jar = jar(name, content);
        vendor.sign(jar);
        return jar;
    }

    private Bundle install(Path jar) throws BundleException {
        return context.installBundle(jar.toUri().toString());
    }

    /** Tries everything that would load a class, and finds no trace of one. */
    private void assertNothingOfItRuns(Bundle bundle, String reason) {
        BundleException refusal = assertThrows(BundleException.class, bundle::start);
        assertEquals(BundleException.REJECTED_BY_HOOK, refusal.getType());
        assertTrue(refusal.getMessage().contains(reason), refusal::getMessage);
        assertTrue(
                refusal.getCause().getMessage().startsWith("The bundle org.acme."),
                refusal.getCause()::getMessage);
        assertThrows(ClassNotFoundException.class, () -> bundle.loadClass(STARTED));
        assertFalse(
                context.getBundle(0).adapt(FrameworkWiring.class).resolveBundles(List.of(bundle)));
        context.getBundle(0).adapt(FrameworkWiring.class).resolveBundles(null);
        assertEquals(Bundle.INSTALLED, bundle.getState());
        assertEquals("none", Traces.found());
    }

    @Test
    void startsWhatTheVendorSigned() throws Exception {
        run();
        install(signed("card.jar", card("1.0.0"))).start();
        assertEquals("Started by 1.0.0", Traces.found());
    }

    @Test
    void refusesWhatNobodySigned() throws Exception {
        run();
        assertNothingOfItRuns(install(jar("card.jar", card("1.0.0"))), "it is not signed");
    }

    @Test
    void tellsWhatWasRefusedThoughItIsGone() throws Exception {
        run();
        assertEquals(List.of(), framework.refusals());
        for (int i = 0; i < 12; i++) {
            install(jar("card.jar", card("1.0." + i))).uninstall();
        }
        assertEquals(10, framework.refusals().size());
        String last = framework.refusals().get(9);
        assertTrue(last.startsWith("The bundle org.acme.card 1.0.11 is refused"), last);
    }

    @Test
    void refusesWhatAStrangerSigned() throws Exception {
        run();
        Path jar = jar("card.jar", card("1.0.0"));
        stranger.sign(jar);
        assertNothingOfItRuns(install(jar), "its signer (CN=stranger)");
    }

    @Test
    void refusesWhatWasChangedAfterItWasSigned() throws Exception {
        run();
        Path jar = signed("card.jar", card("1.0.0"));
        JarEdit.of(jar).with("org/acme/More.class", "more").write(jar);
        assertNothingOfItRuns(install(jar), "'org/acme/More.class' is not signed");
    }

    @Test
    void refusesAStreamAsItDoesAFile() throws Exception {
        run();
        Bundle bundle =
                context.installBundle(
                        "from nowhere", new ByteArrayInputStream(card("1.0.0").bytes()));
        assertNothingOfItRuns(bundle, "it is not signed");
    }

    @Test
    void startsWhatIsListedByDigestUntilAByteChanges() throws Exception {
        run();
        Path jar = jar("card.jar", card("1.0.0"));
        Files.writeString(trust.resolve("digests"), Digest.of(jar) + "  card.jar\n");
        Bundle admitted = install(jar);
        admitted.start();
        assertEquals("Started by 1.0.0", Traces.found());
        admitted.uninstall();
        Traces.clear();
        Path other = jar("other.jar", card("1.0.1"));
        assertNothingOfItRuns(install(other), "it is not signed");
    }

    /** The machine writes code that comes back into a jar of its own. */
    @Test
    void startsTheSameContentsInAnotherJar() throws Exception {
        run();
        Path jar = jar("card.jar", card("1.0.0"));
        Files.writeString(trust.resolve("digests"), Digest.of(jar) + "  card.jar\n");
        install(jar).start();
        Path again =
                jar(
                        "again.jar",
                        card("1.0.0")
                                .without(JarEdit.MANIFEST)
                                .with(JarEdit.MANIFEST, Signer.read(jar, JarEdit.MANIFEST)));
        assertFalse(Digest.of(jar).equals(Digest.of(again)), "the order of entries differs");
        Traces.clear();
        install(again).start();
        assertEquals("Started by 1.0.0", Traces.found());
        Traces.clear();
        Path more = jar("more.jar", JarEdit.of(again).with("more", "more"));
        assertNothingOfItRuns(install(more), "it is not signed");
    }

    @Test
    void admitsOneMoreOnceItIsListed() throws Exception {
        run();
        Path jar = jar("card.jar", card("1.0.0"));
        Bundle bundle = install(jar);
        assertNothingOfItRuns(bundle, "it is not signed");
        Files.writeString(trust.resolve("digests"), Digest.of(jar) + "  card.jar\n");
        bundle.start();
        assertEquals("Started by 1.0.0", Traces.found());
    }

    @Test
    void admitsNothingWhileTheFolderIsBroken() throws Exception {
        run();
        Files.writeString(trust.resolve("broken.pem"), "no certificate");
        assertNothingOfItRuns(
                install(signed("card.jar", card("1.0.0"))), "nothing is admitted now");
    }

    @Test
    void refusesAnUpdateOfTrustedCodeThatRuns() throws Exception {
        run();
        Bundle bundle = install(signed("card.jar", card("1.0.0")));
        bundle.start();
        byte[] next = card("2.0.0").bytes();
        BundleException refusal =
                assertThrows(
                        BundleException.class, () -> bundle.update(new ByteArrayInputStream(next)));
        assertTrue(refusal.getMessage().contains("it is not signed"), refusal::getMessage);
        assertEquals("stopped", Traces.found());
        Traces.clear();
        assertNothingOfItRuns(bundle, "it is not signed");
        bundle.update(Files.newInputStream(signed("next.jar", card("3.0.0"))));
        bundle.start();
        assertEquals("Started by 3.0.0", Traces.found());
    }

    @Test
    void refusesAnUpdateBeforeAnybodyStartsIt() throws Exception {
        run();
        Bundle bundle = install(signed("card.jar", card("1.0.0")));
        bundle.update(new ByteArrayInputStream(card("2.0.0").bytes()));
        assertNothingOfItRuns(bundle, "it is not signed");
    }

    @Test
    void refusesAnUpdateFromAFileThatWasOverwritten() throws Exception {
        run();
        Path jar = signed("card.jar", card("1.0.0"));
        Bundle bundle = install(jar);
        bundle.start();
        jar("card.jar", card("2.0.0"));
        assertThrows(BundleException.class, bundle::update);
        Traces.clear();
        assertNothingOfItRuns(bundle, "it is not signed");
    }

    @Test
    void aFileThatIsOverwrittenAfterItsInstallationChangesNothing() throws Exception {
        run();
        Path jar = signed("card.jar", card("1.0.0"));
        Bundle bundle = install(jar);
        jar("card.jar", card("2.0.0"));
        bundle.start();
        assertEquals("Started by 1.0.0", Traces.found());
    }

    @Test
    void refusesAFileByReference() throws Exception {
        run();
        Path jar = signed("card.jar", card("1.0.0"));
        assertNothingOfItRuns(
                context.installBundle("reference:" + jar.toUri()), "it is installed by reference");
    }

    @Test
    void refusesAFolderByReference() throws Exception {
        run();
        Path classes = temporary.resolve("classes");
        Files.createDirectories(classes.resolve("META-INF"));
        Path jar = jar("card.jar", card("1.0.0"));
        Files.write(classes.resolve(JarEdit.MANIFEST), Signer.read(jar, JarEdit.MANIFEST));
        assertNothingOfItRuns(
                context.installBundle("reference:" + classes.toUri()),
                "it is not installed from a jar");
    }

    @Test
    void attachesNoFragmentThatIsRefused() throws Exception {
        run();
        Path part =
                jar(
                        "part.jar",
                        JarEdit.bundle("org.acme.part", "1.0.0", "Fragment-Host: org.acme.card")
                                .with(Traces.Attached.class));
        Bundle fragment = install(part);
        Bundle host = install(signed("card.jar", card("1.0.0")));
        host.start();
        Traces.clear();
        assertThrows(ClassNotFoundException.class, () -> host.loadClass(ATTACHED));
        assertNull(host.getResource(ATTACHED.replace('.', '/') + ".class"));
        assertEquals(Bundle.INSTALLED, fragment.getState());
        assertEquals("none", Traces.found());
    }

    @Test
    void attachesAFragmentThatTheVendorSigned() throws Exception {
        run();
        install(
                signed(
                        "part.jar",
                        JarEdit.bundle("org.acme.part", "1.0.0", "Fragment-Host: org.acme.card")
                                .with(Traces.Attached.class)));
        Bundle host = install(signed("card.jar", card("1.0.0")));
        assertEquals(host, FrameworkUtil.getBundle(host.loadClass(ATTACHED)));
    }

    /** Its classes would be the framework's own. */
    @Test
    void installsNoExtensionOfTheFramework() throws Exception {
        run();
        Path jar =
                jar(
                        "part.jar",
                        JarEdit.bundle(
                                        "org.acme.part",
                                        "1.0.0",
                                        "Fragment-Host: system.bundle; extension:=framework",
                                        "ExtensionBundle-Activator: " + STARTED)
                                .with(Traces.Started.class));
        assertThrows(BundleException.class, () -> install(jar));
        assertEquals("none", Traces.found());
    }

    @Test
    void loadsNoClassThroughADynamicImport() throws Exception {
        run();
        String exported = Traces.class.getPackageName();
        install(
                jar(
                        "part.jar",
                        JarEdit.bundle("org.acme.part", "1.0.0", "Export-Package: " + exported)
                                .with(Traces.Attached.class)));
        Bundle host =
                install(signed("card.jar", card("1.0.0", "DynamicImport-Package: " + exported)));
        host.start();
        Traces.clear();
        assertThrows(ClassNotFoundException.class, () -> host.loadClass(ATTACHED));
        assertEquals("none", Traces.found());
    }

    @Test
    void loadsFromAJarInsideOfASignedOne() throws Exception {
        run();
        byte[] nested = JarEdit.bundle("nested", "1.0.0").with(Traces.Attached.class).bytes();
        Bundle bundle =
                install(
                        signed(
                                "card.jar",
                                card("1.0.0", "Bundle-ClassPath: .,lib/nested.jar")
                                        .with("lib/nested.jar", nested)));
        assertEquals(bundle, FrameworkUtil.getBundle(bundle.loadClass(ATTACHED)));
    }

    @Test
    void loadsTheClassForThisJavaFromASignedJar() throws Exception {
        run();
        Bundle bundle =
                install(
                        signed(
                                "card.jar",
                                card("1.0.0", "Multi-Release: true")
                                        .at("META-INF/versions/17/", Traces.Attached.class)));
        assertEquals(bundle, FrameworkUtil.getBundle(bundle.loadClass(ATTACHED)));
    }

    @Test
    void aRefusedBundleKeepsNobodyElseFromResolving() throws Exception {
        run();
        String exported = Traces.class.getPackageName();
        install(
                        signed(
                                "board.jar",
                                JarEdit.bundle(
                                                "org.acme.board",
                                                "1.0.0",
                                                "Export-Package: " + exported)
                                        .with(Traces.Attached.class)))
                .start();
        install(jar("part.jar", JarEdit.bundle("org.acme.part", "1.0.0")));
        install(signed("card.jar", card("1.0.0", "Require-Bundle: org.acme.board"))).start();
        assertEquals("Started by 1.0.0", Traces.found());
    }

    @Test
    void nothingThatIsRefusedResolvesAmongOthers() throws Exception {
        run();
        Bundle refused = install(jar("part.jar", JarEdit.bundle("org.acme.part", "1.0.0")));
        Bundle admitted =
                install(
                        signed(
                                "more.jar",
                                JarEdit.bundle("org.acme.more", "1.0.0").with("more", "")));
        context.getBundle(0)
                .adapt(FrameworkWiring.class)
                .resolveBundles(List.of(refused, admitted));
        assertEquals(Bundle.INSTALLED, refused.getState());
        assertEquals(Bundle.RESOLVED, admitted.getState());
    }

    @Test
    void providesNothingToOthers() throws Exception {
        run();
        Bundle refused =
                install(
                        jar(
                                "part.jar",
                                JarEdit.bundle(
                                                "org.acme.part",
                                                "1.0.0",
                                                "Export-Package: org.acme.part")
                                        .with(Traces.Attached.class)));
        Bundle host = install(signed("card.jar", card("1.0.0", "Require-Bundle: org.acme.part")));
        assertThrows(BundleException.class, host::start);
        assertEquals(Bundle.INSTALLED, refused.getState());
        assertEquals("none", Traces.found());
    }

    @Test
    void aRefusedSingletonDoesNotStandInTheWayOfAnAdmittedOne() throws Exception {
        run();
        for (String version : List.of("1.0.0", "3.0.0")) {
            install(
                    jar(
                            "part" + version + ".jar",
                            JarEdit.bundle("org.acme.one;singleton:=true", version)));
        }
        Bundle admitted =
                install(
                        signed(
                                "one.jar",
                                JarEdit.bundle("org.acme.one;singleton:=true", "2.0.0")
                                        .with("one", "")));
        admitted.start();
        assertEquals(Bundle.ACTIVE, admitted.getState());
    }

    @Test
    void theDistributionRunsAsItWasBuiltAndNothingThatWasPutThere() throws Exception {
        Path board = Files.createDirectories(distribution.folder(Group.BOARD));
        Path built = card("1.0.0").write(board.resolve("card-1.0.0.jar"));
        Files.writeString(list, Digest.of(built) + "  card-1.0.0.jar\n");
        JarEdit.bundle("org.acme.more", "1.0.0").write(board.resolve("more-1.0.0.jar"));
        StartException refusal = assertThrows(StartException.class, this::run);
        assertEquals(1, refusal.sentences().size(), refusal::getMessage);
        assertTrue(
                refusal.getMessage().startsWith("The bundle org.acme.more 1.0.0 is refused"),
                refusal::getMessage);
        assertEquals("none", Traces.found());
    }

    @Test
    void theDistributionRunsAsItWasBuilt() throws Exception {
        Path board = Files.createDirectories(distribution.folder(Group.BOARD));
        Path built = card("1.0.0").write(board.resolve("card-1.0.0.jar"));
        Files.writeString(list, Digest.of(built) + "  card-1.0.0.jar\n");
        run();
        assertEquals("Started by 1.0.0", Traces.found());
    }

    @Test
    void aDistributionWithoutItsListIsRefused() throws Exception {
        Files.delete(list);
        IOException refusal = assertThrows(IOException.class, this::run);
        assertTrue(refusal.getMessage().contains("bundles.sha256"), refusal::getMessage);
    }

    /** A framework that started again would have the bundles and not the guard. */
    @Test
    void theFrameworkDoesNotStartAgain() throws Exception {
        run();
        Bundle bundle = install(jar("card.jar", card("1.0.0")));
        assertThrows(BundleException.class, () -> context.getBundle(0).update());
        try (InputStream nothing = InputStream.nullInputStream()) {
            assertThrows(BundleException.class, () -> context.getBundle(0).update(nothing));
        }
        assertEquals(Bundle.ACTIVE, context.getBundle(0).getState());
        assertNothingOfItRuns(bundle, "it is not signed");
    }

    @Test
    void refreshingJudgesAgain() throws Exception {
        run();
        Bundle bundle = install(signed("card.jar", card("1.0.0")));
        bundle.start();
        Files.delete(trust.resolve("vendor.pem"));
        stranger.certificate(trust.resolve("stranger.pem"));
        bundle.stop();
        Traces.clear();
        bundle.update(Files.newInputStream(signed("next.jar", card("2.0.0"))));
        assertNothingOfItRuns(bundle, "its signer (CN=vendor)");
    }
}
