package org.backplane.launcher.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The cache over packages made here; the mirror does not exist, so that fetching shows itself. */
@Timeout(120)
class GuestCacheTest {
    private static final Optional<String> NO_MIRROR = Optional.of("file:///no/such/mirror");

    @TempDir Path folder;

    private final ByteArrayOutputStream told = new ByteArrayOutputStream();
    private Path cache;

    @BeforeEach
    void aCacheOfPackagesWithoutAGuest() throws IOException, InterruptedException {
        Assumptions.assumeTrue(
                Files.isExecutable(Path.of("/usr/bin/dpkg-deb")), "skipped: there is no dpkg-deb");
        cache = folder.resolve("cache");
        List<Package> packages = new ArrayList<>();
        Path kernel = folder.resolve("kernel");
        write(kernel, "boot/vmlinux-1", "an image".getBytes(StandardCharsets.UTF_8));
        String modules = "usr/lib/modules/1/kernel/";
        write(kernel, modules + "drivers/block/virtio_blk.ko", ElfBuilder.module("depends="));
        write(kernel, modules + "crypto/crc32c_generic.ko", ElfBuilder.module("depends="));
        write(kernel, modules + "lib/crc16.ko", ElfBuilder.module("depends="));
        write(kernel, modules + "fs/mbcache.ko", ElfBuilder.module("depends="));
        write(kernel, modules + "fs/jbd2/jbd2.ko", ElfBuilder.module("softdep=pre: crypto-crc32c"));
        write(kernel, modules + "fs/ext4/ext4.ko", ElfBuilder.module("depends=jbd2,mbcache,crc16"));
        String net = modules + "drivers/net/";
        write(kernel, net + "virtio_net.ko", ElfBuilder.module("depends=net_failover"));
        write(kernel, net + "net_failover.ko", ElfBuilder.module("depends=failover"));
        write(kernel, modules + "net/core/failover.ko", ElfBuilder.module("depends="));
        String random = modules + "drivers/char/hw_random/";
        write(kernel, random + "virtio-rng.ko", ElfBuilder.module("depends="));
        write(kernel, modules + "drivers/gpu/large.ko", ElfBuilder.module("depends="));
        packages.add(pack(kernel, "linux-image-1"));
        Path tools = folder.resolve("tools");
        write(tools, "usr/bin/busybox", ElfBuilder.program(List.of()));
        byte[] program = ElfBuilder.program(List.of("libx.so.1", "ld-linux-riscv64-lp64d.so.1"));
        write(tools, "usr/sbin/mke2fs", program);
        write(tools, "usr/sbin/e2fsck", program);
        String libraries = "usr/lib/riscv64-linux-gnu/";
        write(tools, libraries + "libx.so.1", ElfBuilder.program(List.of("liby.so.1")));
        write(tools, libraries + "liby.so.1", ElfBuilder.program(List.of()));
        write(tools, "usr/lib/ld-linux-riscv64-lp64d.so.1", ElfBuilder.program(List.of()));
        packages.add(pack(tools, "tools"));
        new GuestRecord(packages, "", "", "").write(cache.resolve("guest.properties"));
    }

    private static void write(Path root, String path, byte[] contents) throws IOException {
        Path file = root.resolve(path);
        Files.createDirectories(file.getParent());
        Files.write(file, contents);
    }

    private Package pack(Path root, String name) throws IOException, InterruptedException {
        write(
                root,
                "DEBIAN/control",
                ("Package: "
                                + name
                                + "\nVersion: 1\nArchitecture: all\nMaintainer: x <x@y>\n"
                                + "Description: x\n")
                        .getBytes(StandardCharsets.UTF_8));
        Files.createDirectories(cache.resolve("packages"));
        String file = name + "_1_all.deb";
        Path target = cache.resolve("packages").resolve(file);
        Programs.lines("dpkg-deb", "--root-owner-group", "-b", root.toString(), target.toString());
        return new Package("file:///x/" + file, file, Files.size(target), Digest.of(target));
    }

    private Guest guest() throws IOException, InterruptedException {
        return new GuestCache(GuestKind.RISCV64, cache, new Progress(new PrintStream(told), false))
                .guest(NO_MIRROR, false);
    }

    @Test
    void makesTheGuestOfPackagesThatAreThere() throws IOException, InterruptedException {
        Guest guest = guest();
        assertEquals("an image", Files.readString(guest.kernel()));
        List<CpioArchiveTest.Entry> entries =
                CpioArchiveTest.read(Files.readAllBytes(guest.initrd()));
        List<String> names = entries.stream().map(CpioArchiveTest.Entry::name).toList();
        assertTrue(
                names.containsAll(
                        List.of(
                                "init",
                                "bin/busybox",
                                "bin/sh",
                                "bin/mkfs.ext4",
                                "bin/mke2fs",
                                "lib/libx.so.1",
                                "lib/liby.so.1",
                                "lib/ld-linux-riscv64-lp64d.so.1",
                                "dev/console")),
                names::toString);
        assertEquals(
                "virtio_blk\ncrc32c_generic\njbd2\nmbcache\ncrc16\next4\n",
                text(entries, "etc/modules"));
        assertEquals("failover\nnet_failover\nvirtio_net\n", text(entries, "etc/modules.virtio/1"));
        assertEquals("virtio_rng\n", text(entries, "etc/modules.virtio/4"));
        assertTrue(
                names.containsAll(
                        List.of("lib/modules/virtio_net.ko", "lib/modules/virtio_rng.ko")));
        assertFalse(names.contains("lib/modules/large.ko"));
    }

    private static String text(List<CpioArchiveTest.Entry> entries, String name) {
        return entries.stream()
                .filter(entry -> entry.name().equals(name))
                .map(entry -> new String(entry.contents(), StandardCharsets.UTF_8))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void makesAnX86GuestOfWhatItsKernelHasAsModules() throws IOException, InterruptedException {
        Path other = folder.resolve("guest-amd64");
        cache = other;
        List<Package> packages = new ArrayList<>();
        Path kernel = folder.resolve("cloud");
        write(kernel, "boot/vmlinuz-1", "a bzImage".getBytes(StandardCharsets.UTF_8));
        String modules = "usr/lib/modules/1/";
        write(
                kernel,
                modules + "modules.builtin",
                "kernel/fs/ext4/ext4.ko\nkernel/drivers/virtio/virtio_pci.ko\n"
                        .getBytes(StandardCharsets.UTF_8));
        for (String module :
                List.of(
                        "virtio/virtio_dma_buf",
                        "block/virtio_blk",
                        "acpi/button",
                        "input/evdev",
                        "net/net_failover",
                        "char/hw_random/virtio-rng")) {
            write(
                    kernel,
                    modules + "kernel/drivers/" + module + ".ko",
                    ElfBuilder.module("depends="));
        }
        write(
                kernel,
                modules + "kernel/drivers/net/virtio_net.ko",
                ElfBuilder.module("depends=net_failover"));
        write(kernel, modules + "kernel/net/core/failover.ko", ElfBuilder.module("depends="));
        packages.add(pack(kernel, "linux-image-1"));
        Path tools = folder.resolve("tools-amd64");
        write(tools, "usr/bin/busybox", ElfBuilder.program(List.of()));
        byte[] program = ElfBuilder.program(List.of("libx.so.1"));
        write(tools, "usr/sbin/mke2fs", program);
        write(tools, "usr/sbin/e2fsck", program);
        for (String library : List.of("libx.so.1", "ld-linux-x86-64.so.2")) {
            write(tools, "usr/lib/x86_64-linux-gnu/" + library, ElfBuilder.program(List.of()));
        }
        packages.add(pack(tools, "tools"));
        new GuestRecord(packages, "", "", "").write(other.resolve("guest.properties"));
        Guest guest =
                new GuestCache(GuestKind.AMD64, other, new Progress(new PrintStream(told), false))
                        .guest(NO_MIRROR, false);
        assertEquals(other.resolve("vmlinuz"), guest.kernel());
        assertEquals("a bzImage", Files.readString(guest.kernel()));
        List<CpioArchiveTest.Entry> entries =
                CpioArchiveTest.read(Files.readAllBytes(guest.initrd()));
        assertEquals("virtio_blk\nbutton\nevdev\n", text(entries, "etc/modules"));
        assertEquals("net_failover\nvirtio_net\n", text(entries, "etc/modules.virtio/1"));
        assertEquals("lib", text(entries, "lib64"), "the tools look for their linker there");
        assertTrue(
                entries.stream().anyMatch(each -> each.name().equals("lib/ld-linux-x86-64.so.2")));
    }

    @Test
    void makesAGuestOfAnotherRecipeAgainWithoutTheNetwork()
            throws IOException, InterruptedException {
        String good = Digest.of(guest().initrd());
        Path record = cache.resolve("guest.properties");
        GuestRecord now = GuestRecord.read(record).orElseThrow();
        Files.writeString(cache.resolve("initrd.cpio"), "of an earlier recipe");
        new GuestRecord(
                        now.packages(),
                        "an earlier one",
                        now.kernel(),
                        Digest.of(cache.resolve("initrd.cpio")))
                .write(record);
        assertEquals(good, Digest.of(guest().initrd()));
        assertEquals(now, GuestRecord.read(record).orElseThrow());
    }

    @Test
    void usesWhatIsThereWithoutAWord() throws IOException, InterruptedException {
        guest();
        told.reset();
        guest();
        assertEquals("", told.toString());
    }

    @Test
    void makesADamagedKernelAgain() throws IOException, InterruptedException {
        Guest guest = guest();
        String good = Digest.of(guest.kernel());
        Files.writeString(guest.kernel(), "an image?");
        assertNotEquals(good, Digest.of(guest.kernel()));
        told.reset();
        guest();
        assertEquals(good, Digest.of(guest.kernel()));
        assertTrue(told.toString().contains("damaged"), told.toString());
    }

    @Test
    void makesAMissingInitramfsAgain() throws IOException, InterruptedException {
        Guest guest = guest();
        String good = Digest.of(guest.initrd());
        Files.delete(guest.initrd());
        assertEquals(good, Digest.of(guest().initrd()));
    }

    @Test
    void fetchesADamagedPackageAgain() throws IOException, InterruptedException {
        Guest guest = guest();
        Files.delete(guest.initrd());
        Path archive = cache.resolve("packages/tools_1_all.deb");
        byte[] bytes = Files.readAllBytes(archive);
        bytes[bytes.length / 2] ^= 1;
        Files.write(archive, bytes);
        Assumptions.assumeTrue(
                Files.isExecutable(Path.of("/usr/bin/apt-get")), "skipped: there is no apt-get");
        told.reset();
        assertThrows(IOException.class, this::guest, "there is no mirror to fetch from");
        assertEquals(2, told.toString().split("is fetched again", -1).length, told.toString());
        assertTrue(told.toString().contains("file:///no/such/mirror"), told.toString());
    }
}
