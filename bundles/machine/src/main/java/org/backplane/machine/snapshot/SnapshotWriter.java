package org.backplane.machine.snapshot;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.backplane.device.DeviceException;
import org.backplane.device.state.SavedState;
import org.backplane.device.state.StateFormat;
import org.backplane.machine.MachineException;
import org.backplane.memory.MemoryLayout;

/**
 * Writes a snapshot beside the folder that is asked for, and renames it at the end: under that name
 * there is a whole snapshot or nothing. Closing removes what was not published.
 */
public final class SnapshotWriter implements AutoCloseable {
    private static final Logger LOG = System.getLogger(SnapshotWriter.class.getName());

    private final Path target;
    private final Path partial;
    private MemoryImage image;
    private Manifest manifest;
    private boolean published;

    private SnapshotWriter(Path target, Path partial) {
        this.target = target;
        this.partial = partial;
    }

    /**
     * Makes a folder of mode 0700 beside the target.
     *
     * @throws MachineException the target is there, or nothing can be made beside it
     */
    public static SnapshotWriter beside(Path folder) throws MachineException {
        Path target = folder.toAbsolutePath().normalize();
        Path parent = target.getParent();
        if (parent == null || Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
            throw new MachineException(
                    "There is a '%s' already: name a folder that is not there yet."
                            .formatted(target));
        }
        if (!Files.isDirectory(parent)) {
            throw new MachineException(
                    "There is no folder '%s' to put the snapshot in: make it, or name another."
                            .formatted(parent));
        }
        try {
            return new SnapshotWriter(
                    target,
                    Files.createTempDirectory(parent, "." + target.getFileName() + ".partial-"));
        } catch (IOException e) {
            throw new MachineException(
                    "No snapshot can be written into '%s': %s.".formatted(parent, reason(e)), e);
        }
    }

    /** Writes RAM, to which nobody stores meanwhile. The first to be called. */
    public void memory(MemoryLayout layout) throws MachineException {
        try (FileChannel file = create(SnapshotFiles.MEMORY)) {
            image = MemoryImage.write(layout, file);
        } catch (IOException e) {
            throw failed(e);
        }
    }

    /** What tells where the pages belong: a part of the state. */
    public SavedState memoryImage() {
        return image.toSaved();
    }

    /**
     * Writes the state of everything else, which contains {@link #memoryImage}.
     *
     * @param memory of the guest, in bytes
     */
    public void state(SavedState state, long memory, int cpus) throws MachineException {
        try {
            byte[] bytes = StateFormat.encode(state);
            String digest = HexFormat.of().formatHex(MemoryImage.sha256().digest(bytes));
            write(SnapshotFiles.STATE, bytes);
            manifest = new Manifest(memory, cpus, bytes.length, digest, image.fileSize());
        } catch (DeviceException e) {
            throw new MachineException(
                    "The snapshot '%s' failed: %s".formatted(target, e.getMessage()), e);
        } catch (IOException e) {
            throw failed(e);
        }
    }

    /** Brings everything to the disk and gives it its name. The guest may run. */
    public void publish() throws MachineException {
        try {
            write(SnapshotFiles.MANIFEST, manifest.text().getBytes(StandardCharsets.US_ASCII));
            for (String file :
                    List.of(SnapshotFiles.MEMORY, SnapshotFiles.STATE, SnapshotFiles.MANIFEST)) {
                synchronise(partial.resolve(file));
            }
            synchronise(partial);
            if (Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
                throw new IOException("there is one of that name by now");
            }
            Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE);
            published = true;
            synchronise(target.getParent());
        } catch (IOException e) {
            throw failed(e);
        }
    }

    private FileChannel create(String name) throws IOException {
        return FileChannel.open(
                partial.resolve(name),
                Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    }

    private void write(String name, byte[] bytes) throws IOException {
        try (FileChannel file = create(name)) {
            ByteBuffer left = ByteBuffer.wrap(bytes);
            while (left.hasRemaining()) {
                file.write(left);
            }
        }
    }

    private static void synchronise(Path path) throws IOException {
        try (FileChannel file = FileChannel.open(path, StandardOpenOption.READ)) {
            file.force(true);
        }
    }

    private MachineException failed(IOException e) {
        return new MachineException(
                "The snapshot '%s' could not be written: %s.".formatted(target, reason(e)), e);
    }

    private static String reason(IOException e) {
        if (e instanceof AccessDeniedException) {
            return "this user may not write there";
        }
        return e instanceof FileSystemException file && file.getReason() != null
                ? file.getReason()
                : String.valueOf(e.getMessage());
    }

    @Override
    public void close() {
        if (published) {
            return;
        }
        try (Stream<Path> files = Files.list(partial)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
            Files.delete(partial);
        } catch (IOException e) {
            LOG.log(
                    Level.WARNING,
                    () -> "what is left of a failed snapshot stays in '%s'".formatted(partial),
                    e);
        }
    }
}
