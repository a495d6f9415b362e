package org.backplane.launcher.folder;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * The run folders of this user's machines. A folder belongs to a running machine exactly while its
 * lock file is locked; the lock goes with the process however it ends, so a stale folder shows
 * itself.
 *
 * <p>Whoever tries or takes the lock of a machine does so under the guard, a lock of the base
 * folder held for a moment: a look cannot be mistaken for a machine.
 */
public final class RunFolders {
    private static final String GUARD = ".backplane.lock";
    static final Set<PosixFilePermission> PRIVATE = PosixFilePermissions.fromString("rwx------");

    private final Path base;
    private final int uid;

    /**
     * @param uid the user who has to own what is found there
     */
    public RunFolders(Path base, int uid) {
        this.base = base;
        this.uid = uid;
    }

    public Path folder(String name) {
        return base.resolve(name);
    }

    /**
     * Makes the folder of a machine, empty, and locks it.
     *
     * @throws IOException with a sentence if the machine runs already or the folder is not ours
     */
    public RunFolder acquire(String name) throws IOException {
        makeBase();
        try (FileChannel guard = guard()) {
            Path folder = folder(name);
            boolean fresh = makePrivate(folder);
            Path lockFile = folder.resolve(RunFolder.LOCK);
            if (!fresh && !Files.exists(lockFile, LinkOption.NOFOLLOW_LINKS) && !isEmpty(folder)) {
                throw new IOException(
                        "the run folder "
                                + folder
                                + " holds something else; give another --name, or remove it");
            }
            FileChannel channel =
                    FileChannel.open(
                            lockFile,
                            StandardOpenOption.CREATE,
                            StandardOpenOption.WRITE,
                            LinkOption.NOFOLLOW_LINKS);
            FileLock lock = tryLock(channel);
            if (lock == null) {
                channel.close();
                throw new IOException(
                        "a machine named '"
                                + name
                                + "' runs already; give another --name, or end it with: backplane"
                                + " shell --name "
                                + name
                                + " vm:stop");
            }
            return new RunFolder(folder, channel);
        }
    }

    /** Tells whether a machine of that name runs. */
    public boolean isRunning(String name) {
        Path lockFile = folder(name).resolve(RunFolder.LOCK);
        if (!Files.isRegularFile(lockFile, LinkOption.NOFOLLOW_LINKS)) {
            return false;
        }
        try (FileChannel guard = guard()) {
            return isLocked(lockFile);
        } catch (IOException e) {
            return true;
        }
    }

    /** The machines that run, by name. Removes folders that a dead process left behind. */
    public List<RunningMachine> running() throws IOException {
        List<RunningMachine> machines = new ArrayList<>();
        if (!Files.isDirectory(base) || !Files.exists(base.resolve(GUARD))) {
            return machines;
        }
        try (FileChannel guard = guard();
                DirectoryStream<Path> folders = Files.newDirectoryStream(base)) {
            for (Path folder : folders) {
                Path lockFile = folder.resolve(RunFolder.LOCK);
                if (!Files.isRegularFile(lockFile, LinkOption.NOFOLLOW_LINKS)) {
                    continue;
                }
                if (isLocked(lockFile)) {
                    machines.add(RunningMachine.read(folder));
                } else {
                    RunFolder.delete(folder);
                }
            }
        }
        machines.sort((a, b) -> a.name().compareTo(b.name()));
        return machines;
    }

    /** Empties and removes the folder of a machine that ends, then lets its lock go. */
    public void release(RunFolder folder) throws IOException {
        try (FileChannel guard = guard();
                folder) {
            RunFolder.delete(folder.path());
        }
    }

    private static boolean isLocked(Path lockFile) throws IOException {
        try (FileChannel channel = FileChannel.open(lockFile, StandardOpenOption.WRITE)) {
            FileLock lock = tryLock(channel);
            return lock == null;
        }
    }

    private static FileLock tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException e) {
            return null;
        }
    }

    private FileChannel guard() throws IOException {
        FileChannel channel =
                FileChannel.open(
                        base.resolve(GUARD),
                        StandardOpenOption.CREATE,
                        StandardOpenOption.WRITE,
                        LinkOption.NOFOLLOW_LINKS);
        channel.lock();
        return channel;
    }

    private void makeBase() throws IOException {
        try {
            Path parent = base.getParent();
            if (parent != null) {
                Files.createDirectories(parent);
            }
            makePrivate(base);
        } catch (FileSystemException e) {
            throw UserFolder.unusable(base, "XDG_RUNTIME_DIR", UserFolder.reason(e), e);
        }
    }

    /** Makes a folder of mode 0700, or checks that the one there is such and this user's. */
    private boolean makePrivate(Path folder) throws IOException {
        try {
            Files.createDirectory(folder, PosixFilePermissions.asFileAttribute(PRIVATE));
            return true;
        } catch (FileAlreadyExistsException e) {
            PosixFileAttributes found =
                    Files.readAttributes(
                            folder, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            int owner = (Integer) Files.getAttribute(folder, "unix:uid", LinkOption.NOFOLLOW_LINKS);
            if (!found.isDirectory() || owner != uid) {
                throw new IOException(
                        folder
                                + " is not a folder of this user; remove it, or set"
                                + " XDG_RUNTIME_DIR to a folder that is",
                        e);
            }
            if (!found.permissions().equals(PRIVATE)) {
                throw new IOException(
                        folder
                                + " can be entered by others; correct that with: chmod 700 "
                                + folder,
                        e);
            }
            return false;
        }
    }

    private static boolean isEmpty(Path folder) throws IOException {
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
            return !entries.iterator().hasNext();
        }
    }
}
