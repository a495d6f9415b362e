package org.backplane.itests;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;

/**
 * The demo's guest with two processors and a disk of zeroes, booted and waiting for commands. The
 * first test that wants it boots it and makes a snapshot, which the others start from; it stays in
 * the build's folder, under a name that tells everything it depends on.
 */
final class BootedGuest {
    static final int DISK_SIZE = 16 << 20;

    /** The bundles that a machine with this guest is made of. */
    static final List<String> BUNDLES =
            Stream.concat(
                            Framework.BOARD.stream(),
                            Stream.of("hart", "machine", "chipset", "device-virtio-blk"))
                    .toList();

    private BootedGuest() {}

    private static Path folder() {
        return ProjectBundle.root().resolve("itests/target/booted");
    }

    /** The disk's image; a machine that is restored has this one, wherever its snapshot was. */
    static Path image() {
        return folder().resolve("disk.img");
    }

    /** What the guest boots from, as its machine was told. */
    static Path kernel() {
        return folder().resolve("vmlinux");
    }

    /** A running machine with the guest, whose disk is all zeroes. */
    static MachineFixture start(BundleContext context, Path console) throws Exception {
        return start(context, console, Map.of());
    }

    /** As {@link #start(BundleContext, Path)}, with more in the plan. */
    static MachineFixture start(BundleContext context, Path console, Map<String, Object> more)
            throws Exception {
        Map<String, Object> plan = new HashMap<>(more);
        plan.putAll(restoring(console, snapshot(context, console)));
        clearImage();
        return MachineFixture.of(context, plan);
    }

    static MachineFixture restore(BundleContext context, Path console, Path snapshot)
            throws BundleException, IOException {
        return MachineFixture.of(context, restoring(console, snapshot));
    }

    static Map<String, Object> restoring(Path console, Path snapshot) {
        return Map.of("console", "unix=" + console, "restore", snapshot.toString());
    }

    private static void clearImage() throws IOException {
        Files.createDirectories(folder());
        Files.write(image(), new byte[DISK_SIZE]);
    }

    /** The snapshot of the guest that has just booted. */
    static Path snapshot(BundleContext context, Path console) throws Exception {
        Path snapshot = folder().resolve(key());
        if (!Files.isDirectory(snapshot)) {
            MachineFixture fixture = boot(context, console);
            try (GuestConsole guest = new GuestConsole(console)) {
                guest.awaitReady();
                keep(fixture);
            } finally {
                fixture.stop();
            }
        }
        return snapshot;
    }

    /** A machine with the guest from its first instruction on, whose disk is all zeroes. */
    static MachineFixture boot(BundleContext context, Path console) throws Exception {
        return boot(context, booting(console, "", Map.of()));
    }

    /**
     * As {@link #boot(BundleContext, Path)}, with a transitional disk that Linux drives as one of
     * before virtio 1.0.
     *
     * @param append more of the kernel's command line
     */
    static MachineFixture bootLegacy(BundleContext context, Path console, String append)
            throws Exception {
        return boot(
                context,
                booting(
                        console,
                        " virtio_pci.force_legacy=1 " + append,
                        Map.of("transitional", "on")));
    }

    private static MachineFixture boot(BundleContext context, Map<String, Object> plan)
            throws Exception {
        clearImage();
        link(kernel(), WithGuest.kernel());
        return MachineFixture.of(context, plan);
    }

    /** The guest of {@link #boot} is ready and has done nothing: others start from there. */
    static void keep(MachineFixture booted) throws Exception {
        Path snapshot = folder().resolve(key());
        if (!Files.isDirectory(snapshot)) {
            discardOlder();
            booted.machine().snapshot(snapshot);
        }
    }

    static void link(Path link, Path target) throws IOException {
        Path fresh = link.resolveSibling(link.getFileName() + ".new");
        Files.deleteIfExists(fresh);
        Files.createSymbolicLink(fresh, target);
        Files.move(fresh, link, StandardCopyOption.ATOMIC_MOVE);
    }

    private static Map<String, Object> booting(
            Path console, String append, Map<String, String> settings) {
        Map<String, Object> disk = new HashMap<>(settings);
        disk.putAll(Map.of("name", "disk0", "kind", "virtio-blk", "path", image().toString()));
        Map<String, Object> plan = new HashMap<>();
        plan.put("kernel", kernel().toString());
        plan.put("initrd", WithGuest.initrd().toString());
        plan.put("append", "console=ttyS0 quiet cryptomgr.notests=1 backplane.agent" + append);
        plan.put("memory", 512L << 20);
        plan.put("cpus", 2);
        plan.put("console", "unix=" + console);
        plan.put("slots", List.of(disk));
        return plan;
    }

    private static String key() throws IOException, NoSuchAlgorithmException {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        for (String bundle : BUNDLES) {
            digest.update(Files.readAllBytes(ProjectBundle.named(bundle).jar()));
        }
        for (Path file : List.of(WithGuest.kernel(), WithGuest.initrd())) {
            String identity =
                    "%s %d %s %s"
                            .formatted(
                                    file,
                                    Files.size(file),
                                    Files.getLastModifiedTime(file),
                                    booting(Path.of("console"), "", Map.of()));
            digest.update(identity.getBytes());
        }
        return HexFormat.of().formatHex(digest.digest(), 0, 8);
    }

    /** Snapshots of guests on other code. */
    private static void discardOlder() throws IOException {
        try (DirectoryStream<Path> old = Files.newDirectoryStream(folder(), Files::isDirectory)) {
            for (Path snapshot : old) {
                try (DirectoryStream<Path> files = Files.newDirectoryStream(snapshot)) {
                    for (Path file : files) {
                        Files.delete(file);
                    }
                }
                Files.delete(snapshot);
            }
        }
    }
}
