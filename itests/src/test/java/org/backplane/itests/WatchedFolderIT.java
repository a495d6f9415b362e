package org.backplane.itests;

import static org.backplane.itests.CardMachine.MEMORY;
import static org.backplane.itests.CardMachine.VERSION;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;
import static org.ops4j.pax.exam.CoreOptions.composite;
import static org.ops4j.pax.exam.CoreOptions.frameworkProperty;
import static org.ops4j.pax.exam.CoreOptions.options;

import java.io.IOException;
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
import org.backplane.machine.SlotState;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.osgi.framework.BundleContext;

/** Jars and slots that come and go as files, by File Install as the launcher sets it up. */
@RunWith(PaxExam.class)
public final class WatchedFolderIT {
    @Inject private BundleContext context;
    private CardMachine rig;
    private Path bundles;
    private Path slots;

    @Configuration
    public Option[] framework() throws IOException {
        Path folder = Files.createTempDirectory("watched");
        Path jars = Files.createDirectory(folder.resolve("bundles"));
        Path configurations = Files.createDirectory(folder.resolve("config"));
        return options(
                composite(CardMachine.framework()),
                frameworkProperty("felix.fileinstall.dir").value(jars + "," + configurations),
                frameworkProperty("felix.fileinstall.poll").value("100"),
                frameworkProperty("felix.fileinstall.noInitialDelay").value("true"),
                frameworkProperty("felix.fileinstall.enableConfigSave").value("false"),
                frameworkProperty("felix.fileinstall.tmpdir").value(folder.toString()),
                Framework.onClassPath(FileInstall.class));
    }

    @Before
    public void build() throws Exception {
        String[] folders = context.getProperty("felix.fileinstall.dir").split(",");
        bundles = Path.of(folders[0]);
        slots = Path.of(folders[1]);
        rig =
                new CardMachine(
                        context, Map.of("bundles", bundles.toString(), "config", slots.toString()));
    }

    /** The next test's framework watches the same folders. */
    @After
    public void clear() throws IOException {
        for (Path folder : List.of(bundles, slots)) {
            try (Stream<Path> files = Files.list(folder)) {
                for (Path file : files.toList()) {
                    Files.delete(file);
                }
            }
        }
    }

    /** Puts a jar there in one step, as a build should. */
    private void drop(Behaviour behaviour, int version) throws IOException {
        Path incoming = Files.createTempFile("card", ".jar");
        Files.copy(CardJar.path(behaviour, version), incoming, StandardCopyOption.REPLACE_EXISTING);
        Files.move(incoming, bundles.resolve("card.jar"), StandardCopyOption.REPLACE_EXISTING);
    }

    private void plugged() throws Exception {
        rig.plug();
        drop(Behaviour.GOOD, 1);
        rig.waitUntil(() -> rig.card().state() == SlotState.RUNNING);
        rig.store(MEMORY, 5);
    }

    private boolean history(String step) {
        try {
            return rig.machine().history("card0").stream()
                    .anyMatch(entry -> entry.step().equals(step));
        } catch (MachineException gone) {
            throw new AssertionError(gone);
        }
    }

    @Test
    public void jarThatIsOverwrittenIsSwappedBeside() throws Exception {
        plugged();
        drop(Behaviour.GOOD, 2);
        rig.waitUntil(() -> rig.card().version().equals("2.0.0"));
        assertEquals(2, rig.load(VERSION));
        assertEquals(5, rig.load(MEMORY));
        // After the new code answers the old is still to be closed.
        rig.waitUntil(() -> history("swapped"));
        assertFalse("updated in place", history("vacant"));
        rig.waitUntil(
                () -> {
                    System.gc();
                    return rig.machine().stillLoaded().isEmpty();
                });
    }

    @Test
    public void anotherBuildOfTheSameVersionIsSwappedToo() throws Exception {
        plugged();
        drop(Behaviour.THROWS_AT_THE_END, 1);
        rig.waitUntil(() -> history("swapped"));
        assertEquals(5, rig.load(MEMORY));
    }

    @Test
    public void jarWhoseSwapFailsLeavesTheOldCodeRunning() throws Exception {
        plugged();
        drop(Behaviour.REFUSES_STATE, 2);
        rig.waitUntil(() -> history("rolled back"));
        assertEquals(1, rig.load(VERSION));
        assertEquals(5, rig.load(MEMORY));
        drop(Behaviour.GOOD, 2);
        rig.waitUntil(() -> rig.card().version().equals("2.0.0"));
        assertEquals(5, rig.load(MEMORY));
    }

    @Test
    public void fileThatIsNoJarChangesNothing() throws Exception {
        plugged();
        Files.writeString(bundles.resolve("broken.jar"), "this is no jar");
        drop(Behaviour.GOOD, 2);
        rig.waitUntil(() -> rig.card().version().equals("2.0.0"));
        assertEquals(5, rig.load(MEMORY));
    }

    @Test
    public void jarThatIsTakenAwayLeavesItsCodeRunning() throws Exception {
        plugged();
        Files.delete(bundles.resolve("card.jar"));
        // What comes next is seen after what went.
        Files.writeString(slots.resolve("next.cfg"), "name=card1\nkind=card\n");
        rig.waitUntil(
                () ->
                        rig.machine().slots().stream()
                                .anyMatch(
                                        slot ->
                                                slot.name().equals("card1")
                                                        && slot.state() == SlotState.RUNNING));
        assertEquals(SlotState.RUNNING, rig.card().state());
        assertEquals(5, rig.load(MEMORY));
    }

    @Test
    public void slotLivesAsLongAsItsFile() throws Exception {
        rig.install(Behaviour.GOOD);
        Path file = slots.resolve("one.cfg");
        Files.writeString(file, "name=card0\nkind=card\n");
        rig.waitUntil(() -> rig.plugged() && rig.card().state() == SlotState.RUNNING);
        assertTrue(rig.card().source(), rig.card().source().contains("one.cfg"));
        rig.store(MEMORY, 1);
        Files.delete(file);
        rig.waitUntil(() -> !rig.plugged());
        assertTrue(rig.engine().high().isEmpty());
    }

    @Test
    public void savedSlotLivesAsLongAsTheFileThatWasWritten() throws Exception {
        plugged();
        rig.machine().save("card0");
        Path file = slots.resolve("card0.cfg");
        assertTrue(Files.readString(file).contains("kind=card"));
        // Files of one look come in any order: the second after it is of a later look.
        for (String later : List.of("card1", "card2")) {
            Files.writeString(slots.resolve(later + ".cfg"), "name=" + later + "\nkind=card\n");
            rig.waitUntil(
                    () ->
                            rig.machine().slots().stream()
                                    .anyMatch(slot -> slot.name().equals(later)));
        }
        assertEquals(5, rig.load(MEMORY));
        Files.delete(file);
        rig.waitUntil(() -> !rig.plugged());
    }

    @Test
    public void fileWithATakenNameOrNoneIsRefusedAndTheSlotGoesOn() throws Exception {
        plugged();
        Files.writeString(slots.resolve("again.cfg"), "name=card0\nkind=card\n");
        Files.writeString(slots.resolve("nameless.cfg"), "kind=card\n");
        Files.writeString(slots.resolve("zz.cfg"), "name=card1\nkind=card\n");
        rig.waitUntil(
                () -> rig.machine().slots().stream().anyMatch(slot -> slot.name().equals("card1")));
        assertEquals(5, rig.load(MEMORY));
        Files.delete(slots.resolve("again.cfg"));
        Files.delete(slots.resolve("zz.cfg"));
        rig.waitUntil(
                () ->
                        rig.machine().slots().stream()
                                .noneMatch(slot -> slot.name().equals("card1")));
        assertEquals(5, rig.load(MEMORY));
    }
}
