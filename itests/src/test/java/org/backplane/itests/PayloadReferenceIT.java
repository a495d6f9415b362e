package org.backplane.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;
import static org.junit.Assume.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.BeforeClass;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.Parameterized;
import org.junit.runners.Parameterized.Parameters;

/**
 * The payloads are right about what an x86 machine is like: they pass on QEMU's, without KVM. What
 * needs the host's part they do alone.
 */
@RunWith(Parameterized.class)
public final class PayloadReferenceIT {
    private static final String QEMU = "qemu-system-x86_64";

    /** What isa-debug-exit makes of 0. */
    private static final int PASSED = 1;

    private static final int POWERED_OFF = 0;
    private static final int DISK_SIZE = 1 << 20;

    private final String payload;

    public PayloadReferenceIT(String payload) {
        this.payload = payload;
    }

    @Parameters(name = "{0}")
    public static List<String> payloads() {
        return List.of(
                "processor.elf",
                "processor-pvh.elf",
                "processors.elf",
                "enumerate.elf",
                "bars.elf",
                "disk.elf",
                "vectors.elf",
                "doorbell.elf",
                "halt.elf",
                "swap.elf",
                "clock.elf",
                "reboot.elf",
                "button.elf",
                "chips.elf",
                "contract.elf");
    }

    @BeforeClass
    public static void build() throws Exception {
        String obstacle = Payloads.obstacle().orElse("there is no " + QEMU + " on the PATH");
        boolean can = Payloads.obstacle().isEmpty() && Payloads.onPath(QEMU);
        if (!can) {
            System.out.println("PayloadReferenceIT skipped: " + obstacle);
        }
        assumeTrue(obstacle, can);
        Payloads.build();
    }

    @Test
    public void passesOnAnotherMonitor() throws Exception {
        Path folder = Files.createTempDirectory("payload");
        Path console = folder.resolve("console");
        int status = runOn(folder, console);
        String printed = Files.readString(console);
        String told = printed + Files.readString(folder.resolve("said"));
        assertEquals(told, payload.equals("button.elf") ? POWERED_OFF : PASSED, status);
        assertTrue(told, printed.stripTrailing().endsWith("passed"));
    }

    private int runOn(Path folder, Path console) throws IOException, InterruptedException {
        Path disk = Files.write(folder.resolve("disk.img"), new byte[DISK_SIZE]);
        Path module = Files.writeString(folder.resolve("module"), PayloadMachine.ENVIRONMENT);
        List<String> command =
                new ArrayList<>(List.of(QEMU, "-M", "q35", "-accel", "tcg", "-m", "128"));
        command.addAll(List.of("-smp", "2", "-display", "none", "-nodefaults"));
        command.addAll(List.of("-kernel", Payloads.built(payload).toString()));
        command.addAll(List.of("-initrd", module.toString(), "-serial", "file:" + console));
        command.addAll(
                List.of(
                        "-append",
                        "alone zeroes memory=128 cpus=2 ports=1 membar=1 sectors=2048 answer=42"));
        command.addAll(List.of("-device", "isa-debug-exit,iobase=0xf4,iosize=4"));
        command.addAll(List.of("-drive", "if=none,id=disk,format=raw,cache=unsafe,file=" + disk));
        command.addAll(List.of("-device", "virtio-blk-pci,drive=disk"));
        command.addAll(List.of("-device", "pci-testdev,membar=1M"));
        command.addAll(List.of("-device", "pcie-root-port,id=port1,slot=1,chassis=1"));
        return new ProcessBuilder(command)
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("said").toFile())
                .start()
                .waitFor();
    }
}
