package org.backplane.launcher.guest;

import java.io.IOException;
import java.io.Reader;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Properties;

/**
 * What the cache holds, with digests: packages as the signed index gave them, and what was made of
 * them.
 *
 * @param recipe digest of everything of ours that goes into the guest
 * @param kernel digest of the kernel
 * @param initrd digest of the initramfs
 */
record GuestRecord(List<Package> packages, String recipe, String kernel, String initrd) {
    static Optional<GuestRecord> read(Path file) throws IOException {
        Properties properties = new Properties();
        if (Files.isRegularFile(file)) {
            try (Reader reader = Files.newBufferedReader(file)) {
                properties.load(reader);
            } catch (IllegalArgumentException e) {
                return Optional.empty();
            }
        }
        List<Package> packages = new ArrayList<>();
        for (int i = 0; properties.containsKey("package." + i); i++) {
            try {
                packages.add(Package.parse(properties.getProperty("package." + i)));
            } catch (IOException e) {
                return Optional.empty();
            }
        }
        if (packages.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(
                new GuestRecord(
                        packages,
                        properties.getProperty("recipe", ""),
                        properties.getProperty("kernel", ""),
                        properties.getProperty("initrd", "")));
    }

    void write(Path file) throws IOException {
        Properties properties = new Properties();
        for (int i = 0; i < packages.size(); i++) {
            properties.setProperty("package." + i, packages.get(i).line());
        }
        properties.setProperty("recipe", recipe);
        properties.setProperty("kernel", kernel);
        properties.setProperty("initrd", initrd);
        Path temporary = file.resolveSibling(file.getFileName() + ".new");
        try (Writer writer = Files.newBufferedWriter(temporary)) {
            properties.store(writer, null);
        }
        Files.move(
                temporary,
                file,
                StandardCopyOption.REPLACE_EXISTING,
                StandardCopyOption.ATOMIC_MOVE);
    }
}
