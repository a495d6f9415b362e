package org.backplane.shell.terminal;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import org.jline.reader.LineReader;

/**
 * The lines that this user typed in any session, in a file that only the user can read.
 *
 * @param file empty keeps a session's lines for that session only
 */
public record CommandHistory(Optional<Path> file) {
    /** Lines; a few more may be in the file until it is trimmed. */
    static final int LINES = 1000;

    private static final System.Logger LOG = System.getLogger(CommandHistory.class.getName());

    /** Has a reader load the file and add to it. */
    void attach(LineReader reader) {
        reader.setVariable(LineReader.HISTORY_SIZE, LINES);
        reader.setVariable(LineReader.HISTORY_FILE_SIZE, LINES);
        file.filter(CommandHistory::make)
                .ifPresent(path -> reader.setVariable(LineReader.HISTORY_FILE, path));
        reader.getHistory().attach(reader);
    }

    /** JLine would make it readable to all. */
    private static boolean make(Path file) {
        try {
            Files.createDirectories(
                    file.toAbsolutePath().getParent(),
                    PosixFilePermissions.asFileAttribute(
                            PosixFilePermissions.fromString("rwx------")));
            Files.createFile(
                    file,
                    PosixFilePermissions.asFileAttribute(
                            PosixFilePermissions.fromString("rw-------")));
        } catch (FileAlreadyExistsException kept) {
            return true;
        } catch (IOException e) {
            LOG.log(Level.WARNING, "the shell's history cannot be kept in " + file, e);
            return false;
        }
        return true;
    }
}
