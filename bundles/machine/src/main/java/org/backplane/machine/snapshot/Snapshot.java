package org.backplane.machine.snapshot;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HexFormat;
import org.backplane.device.DeviceException;
import org.backplane.device.state.SavedState;
import org.backplane.device.state.StateFormat;
import org.backplane.machine.MachineException;
import org.backplane.memory.MemoryLayout;

/**
 * A snapshot that was found whole as far as its state: {@link #load} checks the memory on its way
 * to the guest. Trusts nothing in the folder.
 *
 * @param state of the machine
 */
public record Snapshot(Path folder, SavedState state, long memory, int cpus, long memorySize) {
    private static final int LARGEST_MANIFEST = 4096;

    /** Far more than any machine's; a state is held in memory as a whole. */
    private static final int LARGEST_STATE = 256 << 20;

    /**
     * Reads manifest and state.
     *
     * @throws MachineException it is no snapshot, of another format, or damaged
     */
    public static Snapshot open(Path folder) throws MachineException {
        try {
            byte[] text = read(folder, SnapshotFiles.MANIFEST, LARGEST_MANIFEST);
            Manifest manifest = Manifest.of(new String(text, StandardCharsets.ISO_8859_1));
            byte[] bytes = read(folder, SnapshotFiles.STATE, LARGEST_STATE);
            String digest = HexFormat.of().formatHex(MemoryImage.sha256().digest(bytes));
            if (bytes.length != manifest.stateSize() || !digest.equals(manifest.stateDigest())) {
                throw damaged(folder, SnapshotFiles.STATE, null);
            }
            return new Snapshot(
                    folder,
                    StateFormat.decode(bytes),
                    manifest.memory(),
                    manifest.cpus(),
                    manifest.memorySize());
        } catch (NoSuchFileException e) {
            throw refused(
                    folder,
                    "there is no file '%s' in it".formatted(Path.of(e.getFile()).getFileName()),
                    e);
        } catch (IOException e) {
            throw refused(folder, reason(e), e);
        } catch (Manifest.Unreadable e) {
            throw refused(folder, e.getMessage(), e);
        } catch (DeviceException e) {
            throw refused(folder, e);
        }
    }

    private static byte[] read(Path folder, String name, int most)
            throws IOException, MachineException {
        Path file = folder.resolve(name);
        if (Files.size(file) > most) {
            throw damaged(folder, name, null);
        }
        return Files.readAllBytes(file);
    }

    /**
     * Puts the memory into RAM, which is all zeroes.
     *
     * @param image the part of the state that tells where the pages belong
     * @throws MachineException a page is missing or has another digest; RAM holds anything then
     */
    public void load(SavedState image, MemoryLayout layout) throws MachineException {
        try (FileChannel file =
                FileChannel.open(folder.resolve(SnapshotFiles.MEMORY), StandardOpenOption.READ)) {
            MemoryImage pages = MemoryImage.of(image, layout);
            if (file.size() != memorySize
                    || memorySize != pages.fileSize()
                    || !pages.load(layout, file)) {
                throw damaged(folder, SnapshotFiles.MEMORY, null);
            }
        } catch (NoSuchFileException e) {
            throw refused(folder, "there is no file '%s' in it".formatted(SnapshotFiles.MEMORY), e);
        } catch (IOException e) {
            throw refused(folder, reason(e), e);
        } catch (DeviceException e) {
            throw refused(folder, e);
        }
    }

    private static String reason(IOException e) {
        return e instanceof AccessDeniedException
                ? "this user may not read it"
                : String.valueOf(e.getMessage());
    }

    private static MachineException damaged(Path folder, String file, Exception cause) {
        return refused(
                folder,
                "its file '%s' is damaged: its digest is not the one it was written with"
                        .formatted(file),
                cause);
    }

    private static MachineException refused(Path folder, String reason, Exception cause) {
        return new MachineException(
                "The snapshot '%s' cannot be restored: %s; take another.".formatted(folder, reason),
                cause);
    }

    /** The refusal of a part that does not take its state. */
    public MachineException refused(Exception part) {
        return refused(folder, part);
    }

    private static MachineException refused(Path folder, Exception part) {
        return new MachineException(
                "The snapshot '%s' cannot be restored: %s".formatted(folder, part.getMessage()),
                part);
    }
}
