package org.backplane.itests;

import static org.backplane.itests.CardMachine.MEMORY;
import static org.backplane.itests.CardMachine.VERSION;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;
import static org.ops4j.pax.exam.CoreOptions.composite;
import static org.ops4j.pax.exam.CoreOptions.frameworkProperty;
import static org.ops4j.pax.exam.CoreOptions.options;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.inject.Inject;
import org.apache.felix.fileinstall.internal.FileInstall;
import org.backplane.itests.card.Behaviour;
import org.backplane.machine.MachineException;
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
import org.osgi.framework.BundleException;

/** Slots that are pinned to a bundle, or to some of its versions. */
@RunWith(PaxExam.class)
public final class PinIT {
    private static final String CARD = "org.backplane.itests.card";

    @Inject private BundleContext context;
    private CardMachine rig;
    private Path bundles;

    @Configuration
    public Option[] framework() throws IOException {
        Path folder = Files.createTempDirectory("pinned");
        Path jars = Files.createDirectory(folder.resolve("bundles"));
        return options(
                composite(CardMachine.framework()),
                frameworkProperty("felix.fileinstall.dir").value(jars.toString()),
                frameworkProperty("felix.fileinstall.poll").value("100"),
                frameworkProperty("felix.fileinstall.noInitialDelay").value("true"),
                frameworkProperty("felix.fileinstall.tmpdir").value(folder.toString()),
                Framework.onClassPath(FileInstall.class));
    }

    @Before
    public void build() throws Exception {
        bundles = Path.of(context.getProperty("felix.fileinstall.dir"));
        rig = new CardMachine(context, Map.of("bundles", bundles.toString()));
    }

    /** The next test's framework watches the same folder. */
    @After
    public void clear() throws IOException {
        try (Stream<Path> files = Files.list(bundles)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
    }

    private Bundle install(int version) throws BundleException {
        Bundle bundle =
                context.installBundle(CardJar.path(Behaviour.GOOD, version).toUri().toString());
        bundle.start();
        return bundle;
    }

    private SlotReport plug(String pin) throws MachineException {
        return rig.machine().plug("card0", "card", Map.of("pin", pin), "the test");
    }

    private void drop(int version) throws IOException {
        Path incoming = Files.createTempFile("card", ".jar");
        Files.copy(
                CardJar.path(Behaviour.GOOD, version),
                incoming,
                StandardCopyOption.REPLACE_EXISTING);
        Files.move(incoming, bundles.resolve("card-" + version + ".jar"));
    }

    private String refusal(String version) {
        return assertThrows(
                        MachineException.class, () -> rig.machine().swap("card0", version, false))
                .getMessage();
    }

    @Test
    public void takesTheHighestVersionThatFits() throws Exception {
        install(1);
        install(2);
        install(3);
        assertEquals("2.0.0", plug(CARD + "@[1,3)").version());
        assertEquals(2, rig.load(VERSION));
    }

    @Test
    public void waitsForABundleThatFits() throws Exception {
        install(1);
        SlotReport waiting = plug(CARD + "@2");
        assertEquals(SlotState.WAITING, waiting.state());
        assertTrue(waiting.detail(), waiting.detail().contains(CARD + "@2"));
        install(3);
        assertEquals(SlotState.WAITING, rig.card().state());
        install(2);
        rig.waitUntil(() -> rig.card().state() == SlotState.RUNNING);
        assertEquals(2, rig.load(VERSION));
    }

    @Test
    public void aBundleOfAnotherNameDoesNotFit() throws Exception {
        install(1);
        assertEquals(SlotState.WAITING, plug("org.acme.card").state());
    }

    @Test
    public void swapToTheLatestStaysWithinThePin() throws Exception {
        install(1);
        plug(CARD + "@[1,3)");
        install(2);
        install(3);
        rig.machine().swap("card0", "latest", false);
        assertEquals(2, rig.load(VERSION));
    }

    @Test
    public void swapOutsideOfThePinIsRefusedWithItsName() throws Exception {
        install(1);
        plug(CARD + "@1");
        rig.store(MEMORY, 5);
        install(2);
        String jar = CardJar.path(Behaviour.GOOD, 3).toString();
        for (String version : List.of("2.0.0", jar)) {
            String sentence = refusal(version);
            assertTrue(sentence, sentence.contains("outside of the pin " + CARD + "@1 of 'card0'"));
            assertTrue(sentence, sentence.contains("vm:pin card0"));
        }
        assertEquals(1, rig.load(VERSION));
        assertEquals(5, rig.load(MEMORY));
        rig.waitUntil(
                () ->
                        Stream.of(context.getBundles())
                                .noneMatch(
                                        bundle ->
                                                CARD.equals(bundle.getSymbolicName())
                                                        && bundle.getVersion().getMajor() == 3));
    }

    @Test
    public void aChangedPinCountsFromThenOn() throws Exception {
        install(1);
        plug(CARD + "@1");
        rig.store(MEMORY, 5);
        install(2);
        SlotReport changed = rig.machine().pin("card0", CARD + "@2");
        assertEquals(CARD + "@2", changed.settings().get("pin"));
        assertTrue(changed.detail(), changed.detail().contains("outside of its pin"));
        assertEquals("nothing is swapped by it", 1, rig.load(VERSION));
        rig.machine().swap("card0", "latest", false);
        assertEquals(2, rig.load(VERSION));
        assertEquals(5, rig.load(MEMORY));
        assertEquals(null, rig.machine().pin("card0", "none").settings().get("pin"));
        install(3);
        rig.machine().swap("card0", "latest", false);
        assertEquals(3, rig.load(VERSION));
    }

    @Test
    public void aChangedPinFillsASlotThatWaits() throws Exception {
        install(1);
        assertEquals(SlotState.WAITING, plug(CARD + "@2").state());
        rig.machine().pin("card0", CARD + "@1");
        rig.waitUntil(() -> rig.card().state() == SlotState.RUNNING);
    }

    @Test
    public void theWatchedFolderPassesAPinnedSlotOver() throws Exception {
        install(1);
        plug(CARD + "@1");
        rig.machine().plug("card1", "card", Map.of(), "the test");
        drop(2);
        rig.waitUntil(
                () ->
                        rig.machine().slots().stream()
                                .anyMatch(
                                        slot ->
                                                slot.name().equals("card1")
                                                        && slot.version().equals("2.0.0")));
        assertEquals("1.0.0", rig.card().version());
    }

    @Test
    public void anUpdateInPlaceOutsideOfThePinBringsTheOldCodeBack() throws Exception {
        Bundle bundle = install(1);
        plug(CARD + "@1");
        rig.store(MEMORY, 5);
        try (InputStream newer = Files.newInputStream(CardJar.path(Behaviour.GOOD, 2))) {
            bundle.update(newer);
        }
        rig.waitUntil(() -> rig.card().state() == SlotState.RUNNING);
        assertEquals("1.0.0", rig.card().version());
        assertEquals(5, rig.load(MEMORY));
    }

    @Test
    public void theDeviceDoesNotSeeThePin() throws Exception {
        // A device that refuses every setting that it does not know.
        SlotReport report =
                rig.machine()
                        .plug(
                                "uart1",
                                "ns16550a",
                                Map.of("pin", "org.backplane.chipset"),
                                "the test");
        assertEquals(report.detail(), SlotState.RUNNING, report.state());
        assertEquals("org.backplane.chipset", report.settings().get("pin"));
    }

    @Test
    public void aMalformedPinIsRefusedAndThereIsNoSlot() {
        String sentence =
                assertThrows(MachineException.class, () -> plug("card@[2,1]")).getMessage();
        assertTrue(sentence, sentence.contains("'card@[2,1]' is no pin"));
        assertTrue(!rig.plugged());
    }
}
