package org.backplane.launcher.folder;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/** Folders whose place the user can choose with a variable. */
public final class UserFolder {
    private UserFolder() {}

    /**
     * Makes a folder of mode 0700, and those it is in, where there is none.
     *
     * @param variable that chooses its place, {@code XDG_CACHE_HOME}
     * @throws IOException with a sentence that names both if nothing can be put there
     */
    public static Path make(Path folder, String variable) throws IOException {
        try {
            Files.createDirectories(
                    folder,
                    PosixFilePermissions.asFileAttribute(
                            PosixFilePermissions.fromString("rwx------")));
        } catch (FileSystemException e) {
            throw unusable(folder, variable, reason(e), e);
        }
        if (!Files.isWritable(folder)) {
            throw unusable(folder, variable, "this user cannot write there", null);
        }
        return folder;
    }

    static IOException unusable(
            Path folder, String variable, String reason, FileSystemException cause) {
        return new IOException(
                "the folder "
                        + folder
                        + " cannot be made or used ("
                        + reason
                        + "); set "
                        + variable
                        + " to a folder of this user",
                cause);
    }

    static String reason(FileSystemException e) {
        if (e instanceof AccessDeniedException) {
            return e.getFile() + ": this user has no permission";
        }
        if (e instanceof NoSuchFileException) {
            return "nothing can be made at " + e.getFile();
        }
        if (e instanceof FileAlreadyExistsException) {
            return e.getFile() + " is no folder";
        }
        return e.getReason() == null ? e.toString() : e.getFile() + ": " + e.getReason();
    }
}
