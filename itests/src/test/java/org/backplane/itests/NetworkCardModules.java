package org.backplane.itests;

import static org.junit.Assert.assertEquals;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.backplane.launcher.guest.CpioArchive;

/**
 * The demo's initramfs with the drivers of Realtek's network cards behind it, from the kernel's
 * package in the cache. The kernel takes one archive after the other.
 */
final class NetworkCardModules {
    /** In the order in which they can be loaded. */
    private static final List<String> MODULES =
            List.of(
                    "libphy",
                    "fixed_phy",
                    "fwnode_mdio",
                    "of_mdio",
                    "mdio_devres",
                    "realtek",
                    "r8169");

    private static final String FOLDER = "r8169";

    /** Loads all of them. */
    static final String LOAD =
            "for m in "
                    + String.join(" ", MODULES)
                    + "; do insmod /"
                    + FOLDER
                    + "/$m.ko || exit 1; done";

    private NetworkCardModules() {}

    /** Makes it in a folder; skips the test where what it is made of is not there. */
    static Path initrd(Path folder) throws Exception {
        Path kernel = kernelPackage();
        if (kernel == null || !JoinedGuestsIT.isOnPath("dpkg-deb")) {
            NetworkedGuest.skip("there is no package of the guest's kernel, or no dpkg-deb");
        }
        Path initrd = folder.resolve("initrd");
        Path more = folder.resolve("modules.cpio");
        unpack(kernel, folder);
        try (var archive = new CpioArchive(new BufferedOutputStream(Files.newOutputStream(more)))) {
            archive.folder(FOLDER, 0755);
            for (String module : MODULES) {
                Path file = find(folder, module + ".ko");
                archive.file(FOLDER + "/" + module + ".ko", 0644, Files.readAllBytes(file));
            }
        }
        try (OutputStream out = Files.newOutputStream(initrd)) {
            Files.copy(WithGuest.initrd(), out);
            // An archive begins at a multiple of four bytes.
            out.write(new byte[(int) (-Files.size(WithGuest.initrd()) & 3)]);
            Files.copy(more, out);
        }
        return initrd;
    }

    private static Path kernelPackage() throws IOException {
        Path packages = WithGuest.initrd().resolveSibling("packages");
        if (!Files.isDirectory(packages)) {
            return null;
        }
        try (DirectoryStream<Path> found =
                Files.newDirectoryStream(packages, "linux-image-*.deb")) {
            for (Path each : found) {
                return each;
            }
        }
        return null;
    }

    private static void unpack(Path kernel, Path folder) throws Exception {
        String wanted =
                "--wildcards './usr/lib/modules/*/kernel/drivers/net/phy/*'"
                        + " './usr/lib/modules/*/kernel/drivers/net/mdio/*'"
                        + " './usr/lib/modules/*/kernel/drivers/net/ethernet/realtek/*'";
        Process tar =
                new ProcessBuilder(
                                "sh",
                                "-c",
                                "dpkg-deb --fsys-tarfile \"$1\" | tar x -C \"$2\" "
                                        + wanted
                                        + " && find \"$2\" -name '*.ko.xz' -exec xz -d {} +",
                                "unpack",
                                kernel.toString(),
                                folder.toString())
                        .redirectErrorStream(true)
                        .start();
        String said = new String(tar.getInputStream().readAllBytes());
        assertEquals(said, 0, tar.waitFor());
    }

    private static Path find(Path folder, String name) throws IOException {
        try (var files = Files.walk(folder)) {
            return files.filter(file -> file.endsWith(name)).findFirst().orElseThrow();
        }
    }
}
