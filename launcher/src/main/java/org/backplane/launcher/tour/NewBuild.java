package org.backplane.launcher.tour;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;

/** Makes another build of a bundle: the same classes under another version, another digest. */
public final class NewBuild {
    private static final String VERSION = "Bundle-Version";

    private NewBuild() {}

    /** What becomes of an entry of the bundle. */
    @FunctionalInterface
    interface Edit {
        /**
         * @return the entry's content in the new build, or null to leave it out
         */
        byte[] apply(String entry, byte[] content);
    }

    /** A build that lacks a class. */
    static Edit without(String type) {
        return (entry, content) -> entry.endsWith("/" + type + ".class") ? null : content;
    }

    /**
     * A build in which a class has a method of another name than its callers know: its constant
     * pool is changed (JVMS 17, section 4.4.7).
     *
     * @param other as long as the name
     */
    static Edit renaming(String type, String name, String other) {
        String prefix = "\u0001\0" + (char) name.length();
        return (entry, content) ->
                entry.endsWith("/" + type + ".class")
                        ? new String(content, StandardCharsets.ISO_8859_1)
                                .replace(prefix + name, prefix + other)
                                .getBytes(StandardCharsets.ISO_8859_1)
                        : content;
    }

    /** Writes the bundle to the target with the version in its manifest. */
    public static void write(Path bundle, String version, Path target) throws IOException {
        write(bundle, version, target, (entry, content) -> content);
    }

    /** As {@link #write(Path, String, Path)}, with entries that are not as they were. */
    static void write(Path bundle, String version, Path target, Edit edit) throws IOException {
        try (JarFile jar = new JarFile(bundle.toFile());
                OutputStream file = Files.newOutputStream(target)) {
            Manifest manifest = jar.getManifest();
            if (manifest == null || manifest.getMainAttributes().getValue(VERSION) == null) {
                throw new IOException(bundle + " is no bundle");
            }
            manifest.getMainAttributes().putValue(VERSION, version);
            try (JarOutputStream out = new JarOutputStream(file, manifest)) {
                for (JarEntry entry : (Iterable<JarEntry>) jar.stream()::iterator) {
                    if (entry.getName().equals(JarFile.MANIFEST_NAME)) {
                        continue;
                    }
                    byte[] content;
                    try (InputStream in = jar.getInputStream(entry)) {
                        content = edit.apply(entry.getName(), in.readAllBytes());
                    }
                    if (content != null) {
                        out.putNextEntry(new JarEntry(entry.getName()));
                        out.write(content);
                        out.closeEntry();
                    }
                }
            }
        }
    }
}
