package org.backplane.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;
import static org.junit.Assume.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.After;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.Timeout;

/**
 * Which engine the distribution's command chooses for a kernel, what it says of it, and its end.
 */
public final class EngineIT {
    private static final Path KVM = Path.of("/dev/kvm");

    /** {@code mov al, 42; out 0xf4, al; hlt}: the same in every mode. */
    private static final byte[] EXIT_WITH_42 = {
        (byte) 0xb0, 42, (byte) 0xe6, (byte) 0xf4, (byte) 0xf4
    };

    /** As QEMU's isa-debug-exit has it: (value << 1) | 1. */
    private static final int STATUS_OF_42 = 85;

    /** A safety net. */
    @Rule public final Timeout net = Timeout.seconds(300);

    private Path folder;

    /** How a command ended. */
    private record Outcome(int status, String told) {
        void assertSays(int expected, String... parts) {
            for (String part : parts) {
                assertTrue("'%s' is not in: %s".formatted(part, told), told.contains(part));
            }
            assertEquals(told, expected, status);
        }
    }

    @Before
    public void makeFolder() throws IOException {
        folder =
                Files.createTempDirectory(
                        "engine",
                        PosixFilePermissions.asFileAttribute(
                                PosixFilePermissions.fromString("rwx------")));
    }

    @After
    public void remove() throws IOException {
        try (Stream<Path> left = Files.walk(folder)) {
            for (Path path : left.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }

    private Outcome run(Path kernel, String... options) throws Exception {
        List<String> words =
                Stream.concat(
                                Stream.of(
                                        "run",
                                        "--name",
                                        "tried",
                                        "--console",
                                        "none",
                                        "--memory",
                                        "64M",
                                        "--kernel",
                                        kernel.toString()),
                                Stream.of(options))
                        .toList();
        return command(words);
    }

    private Outcome command(List<String> words) throws Exception {
        Path output = folder.resolve("out");
        Map<String, String> environment = Map.of("XDG_CACHE_HOME", folder.toString());
        Process process = Backplane.start(folder, environment, words, output);
        try {
            assertTrue("the command ends", process.waitFor(120, TimeUnit.SECONDS));
        } finally {
            process.destroy();
        }
        return new Outcome(process.exitValue(), Files.readString(output));
    }

    private static void assumeKvm() {
        boolean opens = false;
        String why = "";
        try (FileChannel kvm =
                FileChannel.open(KVM, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            opens = kvm.isOpen();
        } catch (IOException e) {
            why = "EngineIT: skipped, /dev/kvm cannot be opened (%s)".formatted(e);
            System.out.println(why);
        }
        assumeTrue(why, opens);
    }

    private Path file(String name, byte[] contents) throws IOException {
        return Files.write(folder.resolve(name), contents);
    }

    /** The header of Linux's Documentation/arch/riscv/boot-image-header, without a kernel. */
    private Path riscv() throws IOException {
        ByteBuffer image = ByteBuffer.allocate(4096).order(ByteOrder.LITTLE_ENDIAN);
        image.putLong(8, 0x200000).putLong(16, 4096).putInt(0x38, 0x05435352);
        return file("Image", image.array());
    }

    /** The header of Linux's Documentation/arch/x86/boot, without a kernel. */
    private Path bzImage() throws IOException {
        ByteBuffer image = ByteBuffer.allocate(8192).order(ByteOrder.LITTLE_ENDIAN);
        image.put(0x1f1, (byte) 7).putInt(0x1f4, 256).putInt(0x202, 0x53726448);
        image.putShort(0x206, (short) 0x20f).put(0x211, (byte) 1).putShort(0x236, (short) 1);
        image.putLong(0x258, 16 << 20).putInt(0x260, 4096);
        return file("bzImage", image.array());
    }

    /** A multiboot kernel that says itself where it is loaded: at 1 MiB. */
    private Path multiboot() throws IOException {
        int header = 0x100000;
        int size = 32;
        ByteBuffer image = ByteBuffer.allocate(size + 8).order(ByteOrder.LITTLE_ENDIAN);
        image.putInt(0x1BADB002).putInt(1 << 16).putInt(-0x1BADB002 - (1 << 16));
        image.putInt(header).putInt(header).putInt(0).putInt(0).putInt(header + size);
        return file("kernel.flat", image.put(EXIT_WITH_42).array());
    }

    @Test
    public void kernelOfOneArchitectureIsNotGivenToTheEngineOfTheOther() throws Exception {
        run(riscv(), "--engine", "kvm")
                .assertSays(2, "--engine kvm: the kernel", "is for riscv64", "leave --engine out");
        run(bzImage(), "--engine", "hart", "--cpus", "256", "--format", "elf")
                .assertSays(
                        2,
                        "--engine hart: the kernel",
                        "is for x86_64",
                        "--cpus 256: give a number of processors from 1 to 255",
                        "--format elf: give one of");
    }

    @Test
    public void stockKernelIsRefusedWhereKvmRunsNoneAndTheWayAroundIsTold() throws Exception {
        Outcome outcome = run(bzImage(), "--kvm-kind", "pvm");
        if (Files.exists(KVM)) {
            assumeKvm();
            outcome.assertSays(
                    2,
                    "No engine runs this kernel for x86_64 on this host: /dev/kvm is a page-table VM",
                    "--kvm-kind hardware",
                    "--engine kvm tries all the same");
        } else {
            outcome.assertSays(2, "There is no /dev/kvm on this host");
        }
        assertFalse(outcome.told(), outcome.told().contains("backplane: engine "));
    }

    @Test
    public void anEngineThatIsAskedForIsTriedAgainstItsOwnWord() throws Exception {
        assumeKvm();
        run(multiboot(), "--engine", "kvm", "--kvm-kind", "pvm")
                .assertSays(STATUS_OF_42, "backplane: engine kvm: --engine asks for it");
    }

    @Test
    public void multibootKernelEndsWithAStatusOfItsOwn() throws Exception {
        assumeKvm();
        run(multiboot())
                .assertSays(STATUS_OF_42, "backplane: engine kvm: the kernel is for x86_64, and ");
    }

    @Test
    public void codeInRealModeIsStartedWhereItIsSaidToBeThat() throws Exception {
        Path code = file("code.bin", EXIT_WITH_42);
        run(code).assertSays(2, "this is no kernel that can be started but a file of 5 bytes");
        assumeKvm();
        run(code, "--format", "flat").assertSays(STATUS_OF_42);
    }

    /** {@code mov dx, 0x3f8; mov al, 'A'; again: out dx, al; jmp again}, after the exit. */
    @Test
    public void noInstructionFollowsTheOneThatEndsTheMachine() throws Exception {
        assumeKvm();
        byte[] printing = {
            (byte) 0xba, (byte) 0xf8, 3, (byte) 0xb0, 'A', (byte) 0xee, (byte) 0xeb, (byte) 0xfd
        };
        byte[] code = Arrays.copyOf(EXIT_WITH_42, 4 + printing.length);
        System.arraycopy(printing, 0, code, 4, printing.length);
        Path kernel = file("code.bin", code);
        Path printed = folder.resolve("printed");
        command(
                        List.of(
                                "run",
                                "--name",
                                "tried",
                                "--console",
                                "file=" + printed,
                                "--memory",
                                "64M",
                                "--format",
                                "flat",
                                "--kernel",
                                kernel.toString()))
                .assertSays(STATUS_OF_42);
        assertEquals("", Files.readString(printed).strip());
    }

    @Test
    public void aRiscvMachineSaysItsEngineToo() throws Exception {
        try (Backplane machine = Backplane.run(folder)) {
            machine.waitUntil(
                    () -> {
                        try {
                            return machine.told()
                                    .contains("backplane: engine hart: the kernel is for riscv64");
                        } catch (IOException e) {
                            throw new AssertionError(e);
                        }
                    });
            assertEquals(0, machine.shell("vm:stop").status());
        }
    }

    @Test
    public void demoSaysWhyNotBeforeItFetchesAGuestForKvm() throws Exception {
        command(List.of("demo", "--engine", "kvm", "--kvm-kind", "pvm"))
                .assertSays(1, "/dev/kvm", "What runs anywhere is the guest of the engine hart.");
        assertFalse(Files.exists(folder.resolve("backplane/guest-amd64")));
        command(List.of("demo", "--engine", "kvm", "--tour", "--memory", "12X"))
                .assertSays(
                        2, "--engine kvm: the tour is on hart", "--memory 12X: this is no size");
    }

    @Test
    public void checkTellsOfBothEngines() throws Exception {
        Outcome check = command(List.of("check"));
        List<String> lines = check.told().lines().toList();
        String kvm =
                lines.stream().filter(line -> line.startsWith("kvm ")).findFirst().orElseThrow();
        String auto =
                lines.stream().filter(line -> line.startsWith("auto ")).findFirst().orElseThrow();
        assertTrue(auto, auto.contains("riscv: hart"));
        assertTrue(kvm, kvm.contains("x86_64: "));
        assertTrue(kvm, kvm.contains("/dev/kvm"));
        assertTrue(
                auto,
                auto.contains(kvm.startsWith("kvm        ok") ? "linux: kvm" : "linux: none"));
        assertTrue(
                new String(Files.readAllBytes(folder.resolve("out")), StandardCharsets.UTF_8)
                        .contains("hart       ok   riscv64"));
    }
}
