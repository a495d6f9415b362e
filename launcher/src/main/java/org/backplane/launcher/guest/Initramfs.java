package org.backplane.launcher.guest;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Makes the demo's initramfs of unpacked packages: busybox, the tools that make and check an ext4
 * file system with the libraries they need, kernel modules in the order to load, and our scripts.
 * Drivers of devices that not every machine has are loaded when one is there: each costs time.
 */
final class Initramfs {
    /** Resources that become executables of the guest, and where. */
    static final Map<String, String> SCRIPTS =
            Map.of(
                    "init",
                    "init",
                    "agent",
                    "bin/backplane-agent",
                    "writer",
                    "bin/backplane-writer",
                    "plugged",
                    "bin/backplane-plugged",
                    "lease",
                    "bin/backplane-lease");

    /** By the type of a virtio device: VIRTIO 1.2, section 5. */
    private static final Map<Integer, String> VIRTIO_DRIVERS =
            Map.of(1, "virtio_net", 4, "virtio_rng");

    private static final List<String> TOOLS = List.of("usr/sbin/mke2fs", "usr/sbin/e2fsck");
    private static final List<String> FOLDERS =
            List.of(
                    "bin",
                    "dev",
                    "etc",
                    "etc/modules.virtio",
                    "lib",
                    "lib/modules",
                    "mnt",
                    "proc",
                    "root",
                    "run",
                    "sys",
                    "tmp");

    private final GuestKind kind;
    private final Path unpacked;
    private final Map<String, Path> moduleFiles;

    /** What the kernel has without a module, as far as its package says. */
    private final Set<String> builtIn;

    /**
     * @param unpacked root of the unpacked packages
     */
    Initramfs(GuestKind kind, Path unpacked) throws IOException {
        this.kind = kind;
        this.unpacked = unpacked;
        this.builtIn = builtIn(unpacked);
        try (Stream<Path> files = Files.walk(unpacked.resolve("usr/lib/modules"))) {
            this.moduleFiles =
                    files.filter(file -> file.getFileName().toString().contains(".ko"))
                            .collect(
                                    Collectors.toMap(
                                            file ->
                                                    KernelModule.plainName(
                                                            file.getFileName()
                                                                    .toString()
                                                                    .replaceFirst("\\.ko.*", "")),
                                            file -> file,
                                            (a, b) -> a));
        }
    }

    private static Set<String> builtIn(Path unpacked) throws IOException {
        try (Stream<Path> files =
                Files.find(
                        unpacked.resolve("usr/lib/modules"),
                        2,
                        (file, any) -> file.endsWith("modules.builtin"))) {
            Set<String> names = new HashSet<>();
            for (Path list : files.toList()) {
                for (String module : Files.readAllLines(list)) {
                    String file = module.substring(module.lastIndexOf('/') + 1);
                    names.add(KernelModule.plainName(file.replaceFirst("\\.ko.*", "")));
                }
            }
            return names;
        }
    }

    void write(Path target) throws IOException {
        try (var archive =
                new CpioArchive(new BufferedOutputStream(Files.newOutputStream(target)))) {
            for (String folder : FOLDERS) {
                archive.folder(folder, folder.equals("tmp") ? 01777 : 0755);
            }
            // Before devtmpfs is mounted init has its standard streams from this one.
            archive.characterDevice("dev/console", 0600, 5, 1);
            archive.file("bin/busybox", 0755, contents("usr/bin/busybox"));
            archive.link("bin/sh", "busybox");
            if (!FOLDERS.contains(kind.interpreterFolder())) {
                archive.link(kind.interpreterFolder(), "lib");
            }
            addTools(archive);
            addModules(archive);
            for (var script :
                    SCRIPTS.entrySet().stream().sorted(Map.Entry.comparingByKey()).toList()) {
                archive.file(script.getValue(), 0755, resource(script.getKey()));
            }
        }
    }

    private void addTools(CpioArchive archive) throws IOException {
        Set<String> libraries = new LinkedHashSet<>(List.of(kind.interpreter()));
        for (String tool : TOOLS) {
            byte[] program = contents(tool);
            archive.file("bin/" + Path.of(tool).getFileName(), 0755, program);
            libraries.addAll(new ElfFile(tool, program).neededLibraries());
        }
        archive.link("bin/mkfs.ext4", "mke2fs");
        Map<String, byte[]> found = new LinkedHashMap<>();
        while (found.size() < libraries.size()) {
            for (String library : List.copyOf(libraries)) {
                if (!found.containsKey(library)) {
                    byte[] contents = contents(libraryFile(library));
                    found.put(library, contents);
                    libraries.addAll(new ElfFile(library, contents).neededLibraries());
                }
            }
        }
        for (var library : found.entrySet()) {
            archive.file("lib/" + library.getKey(), 0755, library.getValue());
        }
    }

    private String libraryFile(String library) throws IOException {
        for (String folder : kind.libraryFolders()) {
            Path file = unpacked.resolve(folder).resolve(library);
            if (Files.isRegularFile(file)) {
                return folder + "/" + library;
            }
        }
        throw new IOException("no package here holds the library " + library);
    }

    private void addModules(CpioArchive archive) throws IOException {
        Set<String> added = new HashSet<>();
        addModules(archive, "etc/modules", kind.modules(), added);
        for (var driver :
                VIRTIO_DRIVERS.entrySet().stream().sorted(Map.Entry.comparingByKey()).toList()) {
            addModules(
                    archive,
                    "etc/modules.virtio/" + driver.getKey(),
                    List.of(driver.getValue()),
                    added);
        }
    }

    /** Adds what the wanted modules need and is not there yet, and a list of all in their order. */
    private void addModules(
            CpioArchive archive, String list, List<String> wanted, Set<String> added)
            throws IOException {
        StringBuilder order = new StringBuilder();
        List<String> outside = wanted.stream().filter(name -> !builtIn.contains(name)).toList();
        for (KernelModule module : ModuleOrder.of(outside, this::module)) {
            if (added.add(module.name())) {
                archive.file("lib/modules/" + module.name() + ".ko", 0644, module.contents());
            }
            order.append(module.name()).append('\n');
        }
        archive.file(list, 0644, order.toString().getBytes(StandardCharsets.UTF_8));
    }

    private Optional<KernelModule> module(String name) throws IOException {
        Path file = moduleFiles.get(name);
        return file == null ? Optional.empty() : Optional.of(KernelModule.read(file));
    }

    private byte[] contents(String path) throws IOException {
        return Files.readAllBytes(unpacked.resolve(path));
    }

    static byte[] resource(String name) throws IOException {
        try (InputStream in = Initramfs.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IOException("the launcher lacks its resource " + name);
            }
            return in.readAllBytes();
        }
    }
}
