package org.backplane.launcher.command;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SwapJarTest {
    @TempDir Path folder;

    @Test
    void tellsTheJarOfASwapInFull() throws IOException {
        Path jar =
                Files.createFile(Files.createDirectory(folder.resolve("target")).resolve("a.jar"));
        assertEquals("vm:swap root " + jar, SwapJar.inFull("vm:swap root target/a.jar", folder));
        assertEquals("swap root " + jar, SwapJar.inFull("swap root ./target/a.jar", folder));
    }

    @Test
    void quotesAPathThatTheShellWouldSplit() throws IOException {
        Path odd = Files.createDirectory(folder.resolve("my disk"));
        Path jar = Files.createFile(odd.resolve("a.jar"));
        assertEquals("vm:swap root '" + jar + "'", SwapJar.inFull("vm:swap root a.jar", odd));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "vm:swap root 1.1.0",
                "vm:swap root",
                "vm:swap root absent.jar",
                "vm:swap root /tmp/a.jar",
                "install a.jar"
            })
    void leavesOtherCommandsAlone(String command) throws IOException {
        Files.createFile(folder.resolve("a.jar"));
        assertEquals(command, SwapJar.inFull(command, folder));
    }
}
