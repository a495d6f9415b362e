package org.backplane.launcher.folder;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class RunFoldersTest {
    @TempDir Path temporary;

    private Path base;
    private RunFolders folders;

    @BeforeEach
    void ofThisUser() throws IOException {
        base = temporary.resolve("run");
        folders = new RunFolders(base, Locations.uid());
    }

    /** Holds a machine's folder in another process until its input ends. */
    public static final class Holder {
        private Holder() {}

        public static void main(String[] arguments) throws IOException {
            RunFolders folders = new RunFolders(Path.of(arguments[0]), Locations.uid());
            RunFolder folder = folders.acquire(arguments[1]);
            new RunningMachine(
                            arguments[1],
                            ProcessHandle.current().pid(),
                            Instant.parse("2026-01-02T03:04:05Z"),
                            512 << 20,
                            2)
                    .write(folder);
            System.out.println("held");
            System.in.transferTo(System.out);
            System.out.println(folder.path());
        }
    }

    private Process hold(String name) throws IOException {
        Process process =
                new ProcessBuilder(
                                System.getProperty("java.home") + "/bin/java",
                                "-cp",
                                System.getProperty("java.class.path"),
                                Holder.class.getName(),
                                base.toString(),
                                name)
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
        BufferedReader reader = process.inputReader();
        assertEquals("held", reader.readLine());
        return process;
    }

    @Test
    void makesFoldersThatOnlyThisUserCanEnter() throws IOException {
        try (RunFolder folder = folders.acquire("one")) {
            assertEquals(base.resolve("one"), folder.path());
            assertEquals(
                    "rwx------",
                    PosixFilePermissions.toString(Files.getPosixFilePermissions(folder.path())));
            assertEquals(
                    "rwx------",
                    PosixFilePermissions.toString(Files.getPosixFilePermissions(base)));
            assertEquals(
                    "rwx------",
                    PosixFilePermissions.toString(Files.getPosixFilePermissions(folder.make("x"))));
        }
    }

    @Test
    void refusesANameThatIsRunningAndListsIt() throws Exception {
        Process process = hold("one");
        try {
            assertTrue(folders.isRunning("one"));
            assertFalse(folders.isRunning("two"));
            String refusal =
                    assertThrows(IOException.class, () -> folders.acquire("one")).getMessage();
            assertTrue(refusal.contains("'one' runs already"), refusal);
            assertEquals(
                    List.of(
                            new RunningMachine(
                                    "one",
                                    process.pid(),
                                    Instant.parse("2026-01-02T03:04:05Z"),
                                    512 << 20,
                                    2)),
                    folders.running());
            assertTrue(folders.isRunning("one"), "looking must not free the lock");
        } finally {
            process.destroyForcibly().waitFor();
        }
    }

    @Test
    void recognisesTheFolderOfAKilledProcess() throws Exception {
        Process process = hold("one");
        Files.writeString(base.resolve("one/shell.sock"), "stale");
        Files.createDirectories(base.resolve("one/felix-cache/bundle0"));
        process.destroyForcibly().waitFor();
        assertFalse(folders.isRunning("one"));
        try (RunFolder folder = folders.acquire("one")) {
            assertFalse(Files.exists(folder.path().resolve("shell.sock")));
            assertFalse(Files.exists(folder.path().resolve("felix-cache")));
            assertFalse(Files.exists(folder.path().resolve("machine.properties")));
        }
    }

    @Test
    void removesStaleFoldersWhenListing() throws Exception {
        hold("one").destroyForcibly().waitFor();
        assertEquals(List.of(), folders.running());
        assertFalse(Files.exists(base.resolve("one")));
    }

    @Test
    void leavesForeignFoldersAlone() throws IOException {
        folders.acquire("one").close();
        Path foreign = Files.createDirectory(base.resolve("foreign"));
        Files.setPosixFilePermissions(foreign, PosixFilePermissions.fromString("rwx------"));
        Files.writeString(foreign.resolve("precious"), "x");
        folders.running();
        assertTrue(Files.exists(foreign.resolve("precious")));
        String refusal =
                assertThrows(IOException.class, () -> folders.acquire("foreign")).getMessage();
        assertTrue(refusal.contains("holds something else"), refusal);
        assertTrue(Files.exists(foreign.resolve("precious")));
    }

    @Test
    void removesTheFolderOfAMachineThatEnds() throws IOException {
        RunFolder folder = folders.acquire("one");
        Files.writeString(folder.make("deep").resolve("file"), "x");
        folders.release(folder);
        assertFalse(Files.exists(folder.path()));
        folders.acquire("one").close();
    }

    @Test
    void refusesABaseThatOthersCanEnter() throws IOException {
        Files.createDirectory(base);
        Files.setPosixFilePermissions(base, PosixFilePermissions.fromString("rwxrwxrwx"));
        String refusal = assertThrows(IOException.class, () -> folders.acquire("one")).getMessage();
        assertTrue(refusal.contains("chmod 700"), refusal);
    }

    @Test
    void refusesABaseOfAnotherUserAndALink() throws IOException {
        Files.createDirectory(base);
        Files.setPosixFilePermissions(base, PosixFilePermissions.fromString("rwx------"));
        RunFolders ofAnother = new RunFolders(base, Locations.uid() + 1);
        assertThrows(IOException.class, () -> ofAnother.acquire("one"));
        Path link = Files.createSymbolicLink(temporary.resolve("link"), base);
        RunFolders byLink = new RunFolders(link, Locations.uid());
        String refusal = assertThrows(IOException.class, () -> byLink.acquire("one")).getMessage();
        assertTrue(refusal.contains("not a folder of this user"), refusal);
    }

    @Test
    void findsItsPlacesByTheXdgSpecification() {
        Path home = Path.of("/home/u");
        assertEquals(
                new Locations(
                        Path.of("/tmp/backplane-7"),
                        home.resolve(".local/state/backplane"),
                        home.resolve(".cache/backplane")),
                Locations.of(Map.of("XDG_CACHE_HOME", "relative"), home, 7));
        assertEquals(
                new Locations(Path.of("/r"), Path.of("/s/backplane"), Path.of("/c/backplane")),
                Locations.of(
                        Map.of(
                                "XDG_RUNTIME_DIR", "/r",
                                "XDG_STATE_HOME", "/s/",
                                "XDG_CACHE_HOME", "/c"),
                        home,
                        7));
    }
}
