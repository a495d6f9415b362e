package org.backplane.machine.deploy;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Collections;
import java.util.List;
import java.util.jar.JarFile;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.osgi.framework.Bundle;

/**
 * Copies of the code of device bundles as they are installed now. An update in place takes the
 * framework's copy away, and the file it came from may be another by then: what a slot can come
 * back to has to be made before.
 */
final class StoredCode {
    private final Path store;

    /**
     * @param store folder for jars, made if absent
     */
    StoredCode(Path store) {
        this.store = store;
    }

    /** Writes a jar with every entry of the bundle; signatures of entries stay good in it. */
    Path copy(Bundle bundle) throws IOException {
        Files.createDirectories(store);
        Path part = Files.createTempFile(store, "incoming", ".jar");
        try {
            try (var jar = new ZipOutputStream(Files.newOutputStream(part))) {
                copyEntry(bundle, JarFile.MANIFEST_NAME, jar);
                for (URL entry : entries(bundle)) {
                    String name = entry.getPath().substring(1);
                    if (!name.endsWith("/") && !name.equals(JarFile.MANIFEST_NAME)) {
                        copyEntry(bundle, name, jar);
                    }
                }
            }
            Path copy =
                    store.resolve(
                            "bundle-%d-%d.jar"
                                    .formatted(bundle.getBundleId(), bundle.getLastModified()));
            return Files.move(part, copy, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(part);
        }
    }

    private static List<URL> entries(Bundle bundle) {
        var found = bundle.findEntries("/", "*", true);
        return found == null ? List.of() : Collections.list(found);
    }

    private static void copyEntry(Bundle bundle, String name, ZipOutputStream jar)
            throws IOException {
        URL entry = bundle.getEntry("/" + name);
        if (entry == null) {
            throw new IOException("%s has no entry '%s'".formatted(bundle, name));
        }
        jar.putNextEntry(new ZipEntry(name));
        try (InputStream content = entry.openStream()) {
            content.transferTo((OutputStream) jar);
        }
        jar.closeEntry();
    }
}
