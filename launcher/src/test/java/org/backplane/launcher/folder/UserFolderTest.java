package org.backplane.launcher.folder;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UserFolderTest {
    @TempDir Path temporary;

    @Test
    void makesAPrivateFolderAndThoseAround() throws IOException {
        Path folder = UserFolder.make(temporary.resolve("a/b"), "XDG_CACHE_HOME");
        assertEquals(
                "rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(folder)));
        assertEquals(folder, UserFolder.make(folder, "XDG_CACHE_HOME"));
    }

    @Test
    void namesTheVariableThePathAndWhatIsWrong() throws IOException {
        assertEquals(
                "the folder /proc/x/y cannot be made or used (nothing can be made at /proc/x); set"
                        + " XDG_CACHE_HOME to a folder of this user",
                refusal(Path.of("/proc/x/y")));
        Path file = Files.createFile(temporary.resolve("file"));
        assertEquals(
                "the folder "
                        + file
                        + " cannot be made or used ("
                        + file
                        + " is no folder); set XDG_CACHE_HOME to a folder of this user",
                refusal(file));
    }

    private static String refusal(Path folder) {
        return assertThrows(IOException.class, () -> UserFolder.make(folder, "XDG_CACHE_HOME"))
                .getMessage();
    }
}
