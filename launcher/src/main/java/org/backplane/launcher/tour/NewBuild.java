package org.backplane.launcher.tour;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
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

    /** Writes the bundle to the target with the version in its manifest. */
    public static void write(Path bundle, String version, Path target) throws IOException {
        try (JarFile jar = new JarFile(bundle.toFile());
                OutputStream file = Files.newOutputStream(target)) {
            Manifest manifest = jar.getManifest();
            if (manifest == null || manifest.getMainAttributes().getValue(VERSION) == null) {
                throw new IOException(bundle + " is no bundle");
            }
            manifest.getMainAttributes().putValue(VERSION, version);
            try (JarOutputStream out = new JarOutputStream(file, manifest)) {
                for (JarEntry entry : (Iterable<JarEntry>) jar.stream()::iterator) {
                    if (!entry.getName().equals(JarFile.MANIFEST_NAME)) {
                        out.putNextEntry(new JarEntry(entry.getName()));
                        try (InputStream in = jar.getInputStream(entry)) {
                            in.transferTo(out);
                        }
                        out.closeEntry();
                    }
                }
            }
        }
    }
}
