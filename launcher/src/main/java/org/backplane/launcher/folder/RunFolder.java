package org.backplane.launcher.folder;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;

/** The locked run folder of this process's machine; unlocked by closing. */
public final class RunFolder implements AutoCloseable {
    static final String LOCK = "lock";

    private final Path path;
    private final FileChannel lock;

    RunFolder(Path path, FileChannel lock) throws IOException {
        this.path = path;
        this.lock = lock;
        empty();
    }

    public Path path() {
        return path;
    }

    /** A folder of mode 0700 inside, made now. */
    public Path make(String name) throws IOException {
        return Files.createDirectories(
                path.resolve(name), PosixFilePermissions.asFileAttribute(RunFolders.PRIVATE));
    }

    private void empty() throws IOException {
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(path)) {
            for (Path entry : entries) {
                if (!entry.getFileName().toString().equals(LOCK)) {
                    delete(entry);
                }
            }
        }
    }

    /** Deletes a tree without following links; what another process deletes meanwhile is gone. */
    static void delete(Path tree) throws IOException {
        Files.walkFileTree(
                tree,
                new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                            throws IOException {
                        Files.deleteIfExists(file);
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult visitFileFailed(Path file, IOException e)
                            throws IOException {
                        if (e instanceof NoSuchFileException) {
                            return FileVisitResult.CONTINUE;
                        }
                        throw e;
                    }

                    @Override
                    public FileVisitResult postVisitDirectory(Path folder, IOException e)
                            throws IOException {
                        if (e != null) {
                            throw e;
                        }
                        Files.deleteIfExists(folder);
                        return FileVisitResult.CONTINUE;
                    }
                });
    }

    @Override
    public void close() throws IOException {
        lock.close();
    }
}
