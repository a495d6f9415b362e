package org.backplane.launcher.trust;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collections;
import java.util.HexFormat;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * What a jar holds, whatever file it is in: the names and bytes of its entries. The machine writes
 * jars anew when code that an update took away comes back; their files differ from the ones that
 * were admitted, their contents do not.
 */
final class JarContents {
    private JarContents() {}

    /** The entries by name, without folders; the first name that is there twice is refused. */
    static SortedMap<String, ZipEntry> entries(ZipFile jar) throws IOException {
        SortedMap<String, ZipEntry> entries = new TreeMap<>();
        for (ZipEntry entry : Collections.list(jar.entries())) {
            boolean folder = entry.isDirectory() && entry.getSize() <= 0;
            if (!folder && entries.put(entry.getName(), entry) != null) {
                throw new IOException("it has two entries '" + entry.getName() + "'");
            }
        }
        return entries;
    }

    /** Equal for jars with the same entries; empty for one that has a name twice. */
    static Optional<String> digest(Path file) throws IOException {
        MessageDigest digest = sha256();
        try (ZipFile jar = new ZipFile(file.toFile())) {
            SortedMap<String, ZipEntry> entries;
            try {
                entries = entries(jar);
            } catch (IOException twice) {
                return Optional.empty();
            }
            for (ZipEntry entry : entries.values()) {
                byte[] name = entry.getName().getBytes(StandardCharsets.UTF_8);
                byte[] content;
                try (InputStream in = jar.getInputStream(entry)) {
                    content = in.readAllBytes();
                }
                // Lengths first: no name runs into a content, no content into a name.
                digest.update(
                        ByteBuffer.allocate(8).putInt(name.length).putInt(content.length).flip());
                digest.update(name);
                digest.update(content);
            }
        }
        return Optional.of(HexFormat.of().formatHex(digest.digest()));
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
