package org.backplane.launcher;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.backplane.launcher.option.HostLibraries;

/**
 * Starts what a user starts, for a JVM that writes down the classes it loads: the check of this
 * host, and a machine of each architecture, whose guest says one byte and ends. What cannot be had
 * here is left out, as it is for the user. The script runs it once for each JVM and build.
 *
 * <p>Argument: an empty folder.
 */
public final class ClassRehearsal {
    private static final int IMAGE_BYTES = 4096;
    private static final int DISK_BYTES = 1 << 20;

    private ClassRehearsal() {}

    public static void main(String[] arguments) throws IOException, InterruptedException {
        Path folder = Path.of(arguments[0]);
        Path disk = Files.write(folder.resolve("disk"), new byte[DISK_BYTES]);
        Path riscv = Files.write(folder.resolve("riscv64"), riscvGuest());
        Path pc = Files.write(folder.resolve("x86"), pcGuest());
        // A machine's end may come before its shell; here that is started too.
        Main.run("check");
        run(riscv, disk, List.of("--engine", "hart"));
        run(pc, disk, List.of("--engine", "kvm", "--format", "flat"));
        // Threads of bundles that did not stop in time are no reason to stay.
        System.exit(ExitStatus.OK);
    }

    private static void run(Path guest, Path disk, List<String> more)
            throws IOException, InterruptedException {
        List<String> words = new ArrayList<>(List.of("run", "--name", "rehearsal"));
        words.addAll(List.of("--memory", "64M", "--kernel", guest.toString()));
        words.addAll(List.of("--disk", disk.toString(), "--device", "virtio-rng,name=rng0"));
        Optional<String> missing = HostLibraries.ofThisHost().whyNoUserNetwork();
        if (missing.isEmpty()) {
            words.addAll(List.of("--net", "user"));
        }
        words.addAll(more);
        Main.run(words.toArray(String[]::new));
    }

    /**
     * An Image (Linux, Documentation/arch/riscv/boot-image-header.rst) that stores a byte to the
     * UART and asks the SBI for the end (system reset extension, type shutdown).
     */
    private static byte[] riscvGuest() {
        ByteBuffer image = ByteBuffer.allocate(IMAGE_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        int[] header = new int[16];
        header[0] = 0x0400006f; // j 64
        header[4] = IMAGE_BYTES;
        header[14] = 0x05435352; // "RSC\x05"
        int[] code = {
            0x100002b7, // lui t0, 0x10000
            0x00a00313, // li t1, '\n'
            0x00628023, // sb t1, 0(t0)
            0x535258b7, // lui a7, 0x53525
            0x35488893, // addi a7, a7, 0x354
            0x00000813, // li a6, 0
            0x00000513, // li a0, 0
            0x00000593, // li a1, 0
            0x00000073, // ecall
            0x0000006f, // j .
        };
        image.asIntBuffer().put(header).put(code);
        return image.array();
    }

    /** Real mode: a byte to COM1, and the end by the debug exit at port 0xf4. */
    private static byte[] pcGuest() {
        int[] code = {
            0xba, 0xf8, 0x03, // mov $0x3f8, %dx
            0xb0, 0x0a, // mov $'\n', %al
            0xee, // out %al, %dx
            0x30, 0xc0, // xor %al, %al
            0xe6, 0xf4, // out %al, $0xf4
            0xf4, // hlt
        };
        ByteBuffer image = ByteBuffer.allocate(IMAGE_BYTES);
        for (int octet : code) {
            image.put((byte) octet);
        }
        return image.array();
    }
}
