package org.backplane.launcher.command;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LocalPathTest {
    @TempDir Path folder;

    @Test
    void tellsTheJarOfASwapInFull() throws IOException {
        Path jar =
                Files.createFile(Files.createDirectory(folder.resolve("target")).resolve("a.jar"));
        assertEquals("vm:swap root " + jar, LocalPath.inFull("vm:swap root target/a.jar", folder));
        assertEquals("swap root " + jar, LocalPath.inFull("swap root ./target/a.jar", folder));
    }

    @Test
    void tellsTheFolderOfASnapshotInFull() {
        assertEquals(
                "vm:snapshot " + folder.resolve("later"),
                LocalPath.inFull("vm:snapshot later", folder));
        assertEquals(
                "snapshot " + folder.resolve("a/b") + " ",
                LocalPath.inFull("snapshot ./a/b ", folder));
    }

    @Test
    void quotesAPathThatTheShellWouldSplit() throws IOException {
        Path odd = Files.createDirectory(folder.resolve("my disk"));
        Path jar = Files.createFile(odd.resolve("a.jar"));
        assertEquals("vm:swap root '" + jar + "'", LocalPath.inFull("vm:swap root a.jar", odd));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "vm:swap root 1.1.0",
                "vm:swap root",
                "vm:swap root absent.jar",
                "vm:swap root /tmp/a.jar",
                "install a.jar",
                "vm:snapshot",
                "vm:snapshot /tmp/later",
                "vm:snapshot --later",
                "vm:snapshot 'a b'"
            })
    void leavesOtherCommandsAlone(String command) throws IOException {
        Files.createFile(folder.resolve("a.jar"));
        assertEquals(command, LocalPath.inFull(command, folder));
    }
}
