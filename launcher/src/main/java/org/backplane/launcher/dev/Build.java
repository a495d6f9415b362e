package org.backplane.launcher.dev;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Optional;
import java.util.SortedSet;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.ZipException;
import org.backplane.launcher.guest.Digest;
import org.backplane.launcher.option.DeviceKinds;

/**
 * A whole jar that a build left.
 *
 * @param jar where the build left it; there may be another by now, or none
 * @param copy what was judged, which nobody changes
 * @param digest SHA-256, a build's identity
 * @param kinds of device that it offers, none if it is no device bundle
 * @param saved when the file was last written, or put there, by the host's clock
 */
public record Build(Path jar, Path copy, String digest, SortedSet<String> kinds, Instant saved) {
    /**
     * Reads a jar, unless it is absent or still being written. A zip's directory comes last, so
     * that half a file has none; where a file is overwritten in place the old directory may still
     * be there, and the checksums tell.
     *
     * @param copies where to leave the copy, in a folder of its own
     */
    static Optional<Build> read(Path jar, Path copies) throws IOException {
        Path copy = null;
        Build build = null;
        try {
            // Not the time of modification: a file that is moved or copied may keep an old one.
            Instant saved = ((FileTime) Files.getAttribute(jar, "unix:ctime")).toInstant();
            if (!Files.isRegularFile(jar) || !hasDirectory(jar)) {
                return Optional.empty();
            }
            copy = Files.createTempDirectory(copies, "").resolve(jar.getFileName());
            Files.copy(jar, copy);
            if (isWhole(copy)) {
                build = new Build(jar, copy, Digest.of(copy), DeviceKinds.of(copy), saved);
            }
            return Optional.ofNullable(build);
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } finally {
            if (build == null && copy != null) {
                discard(copy);
            }
        }
    }

    /** Deletes the copy. */
    void discard() throws IOException {
        discard(copy);
    }

    private static void discard(Path copy) throws IOException {
        Files.deleteIfExists(copy);
        Files.deleteIfExists(copy.getParent());
    }

    /** Spares copying a file at every write to it. */
    private static boolean hasDirectory(Path jar) throws IOException {
        try (JarFile file = new JarFile(jar.toFile())) {
            return file.size() > 0;
        } catch (ZipException | EOFException e) {
            return false;
        }
    }

    private static boolean isWhole(Path jar) throws IOException {
        try (JarFile file = new JarFile(jar.toFile(), false)) {
            for (JarEntry entry : (Iterable<JarEntry>) file.stream()::iterator) {
                CRC32 sum = new CRC32();
                try (InputStream content =
                        new CheckedInputStream(file.getInputStream(entry), sum)) {
                    content.transferTo(OutputStream.nullOutputStream());
                }
                if (sum.getValue() != entry.getCrc()) {
                    return false;
                }
            }
            return file.getManifest() != null;
        } catch (ZipException | EOFException e) {
            return false;
        }
    }
}
