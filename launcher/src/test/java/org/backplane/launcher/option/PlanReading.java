package org.backplane.launcher.option;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.backplane.launcher.kernel.KernelFile;
import org.backplane.launcher.kernel.X86Kernels;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** What options of run make of a host with a kernel, a disk and two kinds of devices. */
abstract class PlanReading {
    @TempDir Path folder;

    final Map<String, String> options = new HashMap<>();
    final List<String> disks = new ArrayList<>();
    final List<String> nets = new ArrayList<>();
    final List<String> devices = new ArrayList<>();
    final List<String> vfios = new ArrayList<>();
    final Set<String> running = Set.of("busy", "vm");
    Path disk;

    @BeforeEach
    void aHostWithAKernelAndTwoKinds() throws IOException {
        Files.createDirectories(folder.resolve("proc"));
        Files.writeString(folder.resolve("proc/meminfo"), "MemAvailable:    2097152 kB\n");
        Files.createDirectories(folder.resolve("devices"));
        DeviceKindsTest.bundle(folder.resolve("devices/blk.jar"), DeviceSettingsTest.VIRTIO_BLK);
        DeviceKindsTest.bundle(
                folder.resolve("devices/rng.jar"), "org.backplane.device;kind=virtio-rng");
        options.put("kernel", KernelFile.write(folder.resolve("Image"), 30L << 20).toString());
        disk = file("disk.img", 1 << 20);
    }

    final Path file(String name, long size) throws IOException {
        Path path = folder.resolve(name);
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength(size);
        }
        return path;
    }

    final Optional<String> option(String name) {
        return Optional.ofNullable(options.get(name));
    }

    final Optional<Plan> read(Problems problems) throws IOException {
        return new PlanReader(
                        new HostMemory(folder),
                        new HostLibraries(folder, ""),
                        List.of(folder.resolve("devices")),
                        running::contains)
                .read(
                        new RunOptions(
                                option("kernel"),
                                option("initrd"),
                                option("append"),
                                option("memory"),
                                option("cpus"),
                                disks,
                                nets,
                                devices,
                                vfios,
                                option("console"),
                                option("name"),
                                option("bundles"),
                                option("config"),
                                option("restore"),
                                option("trust"),
                                option("web"),
                                option("ssh"),
                                option("vacancy"),
                                option("probation"),
                                new EngineOptions(
                                        option("engine"), option("format"), option("kvm-kind")),
                                new WindowOptions(
                                        option("board"), option("mmio32"), option("mmio64"))),
                        problems);
    }

    final Plan plan() throws IOException {
        Problems problems = new Problems();
        Optional<Plan> plan = read(problems);
        assertEquals(List.of(), problems.sentences());
        return plan.orElseThrow();
    }

    /** The one sentence that the options deserve. */
    final String refusal() throws IOException {
        Problems problems = new Problems();
        assertTrue(read(problems).isEmpty());
        assertEquals(1, problems.count(), () -> "sentences: " + problems.sentences());
        return problems.sentences().get(0);
    }

    final void refused(String... words) throws IOException {
        String sentence = refusal();
        for (String word : words) {
            assertTrue(sentence.contains(word), () -> "'" + word + "' is not in: " + sentence);
        }
    }

    /** A bzImage, a kernel for x86-64. */
    final void x86() throws IOException {
        options.put(
                "kernel", Files.write(folder.resolve("vmlinuz"), X86Kernels.bzImage()).toString());
    }

    /** A folder as vm:snapshot writes it, as far as the launcher looks. */
    final Path snapshot() throws IOException {
        Path snapshot = Files.createDirectories(folder.resolve("later"));
        Files.writeString(snapshot.resolve("state"), "state");
        Files.writeString(snapshot.resolve("memory"), "memory");
        manifest(snapshot, 1, 64L << 20);
        options.remove("kernel");
        options.put("restore", snapshot.toString());
        return snapshot;
    }

    static void manifest(Path snapshot, int format, long memory) throws IOException {
        Files.writeString(
                snapshot.resolve("manifest"),
                """
                backplane-snapshot %d
                memory %d
                cpus 2
                state-bytes 5
                state-sha256 00
                memory-bytes 6
                """
                        .formatted(format, memory));
    }
}
