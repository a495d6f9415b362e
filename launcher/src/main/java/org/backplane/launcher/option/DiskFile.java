package org.backplane.launcher.option;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Checks of a disk image before a machine is started for it. */
final class DiskFile {
    static final int SECTOR = 512;

    private DiskFile() {}

    /**
     * Checks that a disk can be used. The lock that keeps others out is taken by the device; here
     * it is only tried.
     *
     * @throws IOException with a clause for the user
     */
    static void check(Path file, boolean readOnly) throws IOException {
        if (!Files.exists(file)) {
            throw new IOException("there is no such file; make one with: truncate -s 1G " + file);
        }
        if (Files.isDirectory(file)) {
            throw new IOException("this is a folder; give an image file or a block device");
        }
        if (!Files.isReadable(file)) {
            throw new IOException("it cannot be read by this user; change its mode or owner");
        }
        if (!readOnly && !Files.isWritable(file)) {
            throw new IOException("it cannot be written by this user; add ,ro or change its mode");
        }
        try (FileChannel channel =
                readOnly
                        ? FileChannel.open(file, StandardOpenOption.READ)
                        : FileChannel.open(
                                file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            long size = channel.size();
            if (size == 0) {
                throw new IOException("it is empty; enlarge it with: truncate -s 1G " + file);
            }
            if (size % SECTOR != 0) {
                throw new IOException(
                        "its size of "
                                + size
                                + " bytes is not a multiple of 512; enlarge it with: truncate -s "
                                + (size / SECTOR + 1) * SECTOR
                                + " "
                                + file);
            }
            tryLock(channel, readOnly);
        }
    }

    private static void tryLock(FileChannel channel, boolean readOnly) throws IOException {
        try (FileLock lock = channel.tryLock(0, Long.MAX_VALUE, readOnly)) {
            if (lock == null) {
                throw new IOException(LOCKED);
            }
        } catch (OverlappingFileLockException e) {
            throw new IOException(LOCKED, e);
        }
    }

    private static final String LOCKED =
            "it is locked by another machine; stop that one, or share the disk with ,ro in both";
}
