package org.backplane.launcher.guest;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.backplane.launcher.folder.UserFolder;

/**
 * The demo's guest, made of Debian's packages once and kept. Everything is checked by digest at
 * every use; what is damaged is made or fetched again. The network is not touched while everything
 * is there. Processes take turns by a lock.
 */
public final class GuestCache {
    private static final String RELEASE = "trixie";
    private static final String KERNEL_PREFIX = "linux-image-";
    private static final String BUSYBOX = "busybox-static";

    /** mkfs.ext4 of the guest's own release: no tool of the host is needed to format a disk. */
    private static final String EXT4_TOOLS = "e2fsprogs";

    private final GuestKind kind;
    private final Path folder;
    private final Progress progress;

    /**
     * @param folder made if needed
     */
    public GuestCache(GuestKind kind, Path folder, Progress progress) {
        this.kind = kind;
        this.folder = folder;
        this.progress = progress;
    }

    /** Whether a guest is there, without checking digests. */
    public boolean isFilled() {
        return Files.exists(record()) && Files.exists(kernel()) && Files.exists(initrd());
    }

    /**
     * The guest, fetched and made if it is not there.
     *
     * @param mirror to fetch from instead of the host's
     * @param refresh look for newer packages even if everything is there
     */
    public Guest guest(Optional<String> mirror, boolean refresh)
            throws IOException, InterruptedException {
        UserFolder.make(packages(), "XDG_CACHE_HOME");
        try (FileChannel lock =
                FileChannel.open(
                        folder.resolve("lock"),
                        StandardOpenOption.CREATE,
                        StandardOpenOption.WRITE)) {
            lock.lock();
            Optional<GuestRecord> record = GuestRecord.read(record());
            if (refresh || record.isEmpty()) {
                fetchAndMake(mirror);
            } else if (!isWhole(record.get())) {
                List<Package> damaged = damaged(record.get().packages());
                if (damaged.isEmpty()) {
                    make(record.get().packages());
                } else {
                    tell(damaged);
                    fetchAndMake(mirror);
                }
            }
            return new Guest(kernel(), initrd());
        }
    }

    private boolean isWhole(GuestRecord record) throws IOException {
        boolean whole = record.recipe().equals(recipe());
        for (Path file : List.of(kernel(), initrd())) {
            String wanted = file.equals(kernel()) ? record.kernel() : record.initrd();
            if (!Digest.of(file).equals(wanted)) {
                progress.begin(
                        file + " is damaged or missing; it is made again from its packages", 0);
                whole = false;
            }
        }
        return whole;
    }

    /** Those that are missing or not as they were. */
    private List<Package> damaged(List<Package> packages) throws IOException {
        List<Package> damaged = new ArrayList<>();
        for (Package wanted : packages) {
            if (!Digest.of(packages().resolve(wanted.file())).equals(wanted.sha256())) {
                damaged.add(wanted);
            }
        }
        return damaged;
    }

    private void tell(List<Package> damaged) {
        for (Package one : damaged) {
            Path file = packages().resolve(one.file());
            if (Files.exists(file)) {
                progress.begin(file + " is damaged; it is fetched again", 0);
            }
        }
    }

    private void fetchAndMake(Optional<String> mirror) throws IOException, InterruptedException {
        DebianArchive archive =
                new DebianArchive(folder.resolve("apt"), RELEASE, kind.architecture(), progress);
        archive.update(mirror.isPresent() ? mirror.get() : DebianArchive.hostMirror());
        List<String> names = new ArrayList<>();
        names.add(archive.resolve(kind.kernelPackage(), KERNEL_PREFIX));
        names.add(BUSYBOX);
        names.addAll(archive.withDependencies(EXT4_TOOLS));
        List<Package> packages = archive.locate(names);
        for (Package missing : damaged(packages)) {
            archive.fetch(missing, packages().resolve(missing.file()));
        }
        make(packages);
        removeOthers(packages);
    }

    private void make(List<Package> packages) throws IOException, InterruptedException {
        Path unpacked = Files.createTempDirectory(folder, "unpacked-");
        try {
            for (Package one : packages) {
                Path file = packages().resolve(one.file());
                if (one.name().startsWith(KERNEL_PREFIX)) {
                    progress.begin("unpacking " + one.name(), one.size());
                    unpackKernel(file, unpacked);
                } else {
                    Programs.lines("dpkg-deb", "-x", file.toString(), unpacked.toString());
                }
            }
            Path newInitrd = folder.resolve("initrd.cpio.new");
            new Initramfs(kind, unpacked).write(newInitrd);
            Files.move(onlyKernel(unpacked), kernel(), StandardCopyOption.REPLACE_EXISTING);
            Files.move(newInitrd, initrd(), StandardCopyOption.REPLACE_EXISTING);
            new GuestRecord(packages, recipe(), Digest.of(kernel()), Digest.of(initrd()))
                    .write(record());
        } finally {
            deleteTree(unpacked);
        }
    }

    /** The package unpacks to 300 MB, nearly all of it modules that the guest has no use for. */
    private void unpackKernel(Path archive, Path target) throws IOException, InterruptedException {
        List<String> tar = new ArrayList<>(List.of("tar", "-xf", "-", "-C", target.toString()));
        tar.addAll(List.of("--no-same-owner", "--wildcards"));
        tar.addAll(kind.fromKernel());
        Programs.pipe(List.of("dpkg-deb", "--fsys-tarfile", archive.toString()), tar);
    }

    private Path onlyKernel(Path unpacked) throws IOException {
        try (DirectoryStream<Path> found =
                Files.newDirectoryStream(unpacked.resolve("boot"), kind.image() + "-*")) {
            for (Path kernel : found) {
                return kernel;
            }
        }
        throw new IOException("the kernel's package holds no boot/" + kind.image() + "-*");
    }

    /** What an earlier guest was made of is of no use any more. */
    private void removeOthers(List<Package> packages) throws IOException {
        List<String> wanted = packages.stream().map(Package::file).toList();
        try (DirectoryStream<Path> found = Files.newDirectoryStream(packages())) {
            for (Path file : found) {
                if (!wanted.contains(file.getFileName().toString())) {
                    Files.delete(file);
                }
            }
        }
    }

    private static void deleteTree(Path tree) throws IOException {
        try (Stream<Path> files = Files.walk(tree)) {
            for (Path file : files.sorted((a, b) -> b.compareTo(a)).toList()) {
                Files.delete(file);
            }
        }
    }

    /**
     * Digest of what is taken from packages, of the scripts and of the classes that make the guest.
     */
    private String recipe() throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (String script : new TreeMap<>(Initramfs.SCRIPTS).keySet()) {
            all.writeBytes(Initramfs.resource(script));
        }
        all.writeBytes(kind.recipe());
        all.writeBytes(Initramfs.resource("Initramfs.class"));
        all.writeBytes(Initramfs.resource("CpioArchive.class"));
        return Digest.of(all.toByteArray());
    }

    private Path record() {
        return folder.resolve("guest.properties");
    }

    private Path packages() {
        return folder.resolve("packages");
    }

    private Path kernel() {
        return folder.resolve(kind.image());
    }

    private Path initrd() {
        return folder.resolve("initrd.cpio");
    }
}
