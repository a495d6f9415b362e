package org.backplane.machine.boot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Path;
import org.backplane.machine.MachineException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageFileTest {
    @TempDir private Path folder;

    /** A guest that resets again and again may find its kernel gone between two looks at it. */
    @Test
    void saysWhatToDoAboutAFileThatHasGone() {
        Path gone = folder.resolve("gone");
        assertEquals(
                "The kernel '%s' cannot be read: there is no such file; put it back, or name another."
                        .formatted(gone),
                assertThrows(MachineException.class, () -> ImageFile.open("kernel", gone))
                        .getMessage());
    }

    @Test
    void saysThatAFolderIsNoFile() {
        assertEquals(
                "The kernel '%s' is no file: name a file.".formatted(folder),
                assertThrows(MachineException.class, () -> ImageFile.open("kernel", folder))
                        .getMessage());
    }
}
