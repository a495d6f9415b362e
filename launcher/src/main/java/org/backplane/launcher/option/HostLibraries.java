package org.backplane.launcher.option;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Shared libraries of this host that some devices need. Nothing is loaded: the folders are looked
 * through that the dynamic linker takes ({@code ld.so(8)}).
 *
 * @param root of the host's file system
 * @param path {@code LD_LIBRARY_PATH}, or empty
 */
public record HostLibraries(Path root, String path) {
    /** What {@code backend=user} of virtio-net is made of. */
    public static final String SLIRP = "libslirp.so.0";

    private static final Logger LOG = System.getLogger(HostLibraries.class.getName());

    private static final List<String> DEFAULT_FOLDERS =
            List.of("lib", "usr/lib", "lib64", "usr/lib64", "usr/local/lib");

    public static HostLibraries ofThisHost() {
        return new HostLibraries(
                Path.of("/"), Optional.ofNullable(System.getenv("LD_LIBRARY_PATH")).orElse(""));
    }

    /** Why there can be no network in user mode, and how to get it; empty if there can be. */
    public Optional<String> whyNoUserNetwork() {
        return has(SLIRP)
                ? Optional.empty()
                : Optional.of(
                        "this host has no "
                                + SLIRP
                                + "; install it with: apt-get install libslirp0");
    }

    /** Whether a library of that name is in a folder of the dynamic linker. */
    boolean has(String library) {
        for (Path folder : folders()) {
            if (Files.exists(folder.resolve(library))) {
                return true;
            }
        }
        return false;
    }

    private List<Path> folders() {
        List<Path> folders = new ArrayList<>();
        for (String folder : path.split(":")) {
            if (folder.startsWith("/")) {
                folders.add(Path.of(folder));
            }
        }
        DEFAULT_FOLDERS.forEach(folder -> folders.add(root.resolve(folder)));
        for (Path file : configurations()) {
            addNamed(file, folders);
        }
        return folders;
    }

    private List<Path> configurations() {
        List<Path> found = new ArrayList<>();
        Path configurations = root.resolve("etc/ld.so.conf.d");
        if (Files.isDirectory(configurations)) {
            try (DirectoryStream<Path> files = Files.newDirectoryStream(configurations, "*.conf")) {
                files.forEach(found::add);
            } catch (IOException | DirectoryIteratorException e) {
                LOG.log(Level.DEBUG, "libraries are looked for elsewhere", e);
            }
        }
        return found;
    }

    private void addNamed(Path file, List<Path> folders) {
        try (Stream<String> lines = Files.lines(file)) {
            lines.map(String::strip)
                    .filter(line -> line.startsWith("/"))
                    .forEach(line -> folders.add(root.resolve(line.substring(1))));
        } catch (IOException | UncheckedIOException e) {
            LOG.log(Level.DEBUG, "libraries are looked for elsewhere", e);
        }
    }
}
