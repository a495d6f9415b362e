package org.backplane.launcher.guest;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;
import org.backplane.launcher.kernel.Architecture;

/** What a guest is made of, for each processor that the demo knows. */
public enum GuestKind {
    RISCV64(
            Architecture.RISCV64,
            "guest",
            new Debian("riscv64", "linux-image-riscv64", "vmlinux", 117),
            new Libraries("lib", "ld-linux-riscv64-lp64d.so.1", "riscv64-linux-gnu"),
            List.of("virtio_blk", "crc32c_generic", "ext4"),
            List.of(
                    "./usr/lib/modules/*/kernel/crypto/*",
                    "./usr/lib/modules/*/kernel/lib/*",
                    "./usr/lib/modules/*/kernel/fs/ext4/*",
                    "./usr/lib/modules/*/kernel/fs/jbd2/*",
                    "./usr/lib/modules/*/kernel/fs/mbcache*",
                    "./usr/lib/modules/*/kernel/drivers/block/virtio_blk*",
                    "./usr/lib/modules/*/kernel/drivers/char/hw_random/virtio-rng*",
                    "./usr/lib/modules/*/kernel/drivers/net/net_failover*",
                    "./usr/lib/modules/*/kernel/drivers/net/virtio_net*",
                    "./usr/lib/modules/*/kernel/net/core/failover*")),
    /** With the kernel that Debian makes for virtual machines. */
    AMD64(
            Architecture.X86_64,
            "guest-amd64",
            new Debian("amd64", "linux-image-cloud-amd64", "vmlinuz", 40),
            new Libraries("lib64", "ld-linux-x86-64.so.2", "x86_64-linux-gnu"),
            // The last two tell user space of the power button.
            List.of("virtio_pci", "virtio_blk", "ext4", "button", "evdev"),
            List.of(
                    "./usr/lib/modules/*/modules.builtin",
                    "./usr/lib/modules/*/kernel/drivers/acpi/button*",
                    "./usr/lib/modules/*/kernel/drivers/input/evdev*",
                    "./usr/lib/modules/*/kernel/drivers/virtio/*",
                    "./usr/lib/modules/*/kernel/drivers/block/virtio_blk*",
                    "./usr/lib/modules/*/kernel/drivers/char/hw_random/virtio-rng*",
                    "./usr/lib/modules/*/kernel/drivers/net/net_failover*",
                    "./usr/lib/modules/*/kernel/drivers/net/virtio_net*",
                    "./usr/lib/modules/*/kernel/net/core/failover*"));

    private final Architecture runsOn;
    private final String folder;
    private final Debian debian;
    private final Libraries libraries;
    private final List<String> modules;
    private final List<String> moduleFiles;

    /**
     * Where the kernel comes from.
     *
     * @param architecture as dpkg names it
     * @param kernel the metapackage
     * @param image what its file in {@code boot} is called, without a version
     * @param megabytes that all packages have, about
     */
    private record Debian(String architecture, String kernel, String image, int megabytes) {}

    /**
     * Where programs find their libraries.
     *
     * @param interpreterFolder of the dynamic linker, from the root
     * @param interpreter the dynamic linker
     * @param triplet folder of the others in {@code usr/lib}
     */
    private record Libraries(String interpreterFolder, String interpreter, String triplet) {}

    GuestKind(
            Architecture runsOn,
            String folder,
            Debian debian,
            Libraries libraries,
            List<String> modules,
            List<String> moduleFiles) {
        this.runsOn = runsOn;
        this.folder = folder;
        this.debian = debian;
        this.libraries = libraries;
        this.modules = modules;
        this.moduleFiles = moduleFiles;
    }

    /** Its folder in the user's cache. */
    public String folder() {
        return folder;
    }

    /** What is fetched the first time, in MB, about. */
    public int megabytes() {
        return debian.megabytes;
    }

    /** The engine that runs it. */
    public String engine() {
        return runsOn.engine();
    }

    /** As dpkg names it. */
    String architecture() {
        return debian.architecture;
    }

    String kernelPackage() {
        return debian.kernel;
    }

    /** Name of the kernel in {@code boot}, but for the version. */
    String image() {
        return debian.image;
    }

    /** Where the program's dynamic linker is looked for, from the root. */
    String interpreterFolder() {
        return libraries.interpreterFolder;
    }

    String interpreter() {
        return libraries.interpreter;
    }

    /** Folders of libraries in the unpacked packages. */
    List<String> libraryFolders() {
        return List.of("usr/lib/" + libraries.triplet, "usr/lib");
    }

    /** Modules that are loaded at once, with what they need. */
    List<String> modules() {
        return modules;
    }

    /** What is unpacked of the kernel's package, in tar's patterns. */
    List<String> fromKernel() {
        return Stream.concat(Stream.of("./boot/" + image() + "-*"), moduleFiles.stream()).toList();
    }

    /** All of it, for a digest. */
    byte[] recipe() {
        return (libraries + "\n" + modules + "\n" + String.join("\n", fromKernel()))
                .getBytes(StandardCharsets.UTF_8);
    }
}
