package org.backplane.launcher.guest;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * A guest that says a byte on the console with the first of its few instructions and ends the
 * machine with the last: it shows when a machine began to execute.
 */
public enum SmallestGuest {
    /**
     * An Image (Linux, Documentation/arch/riscv/boot-image-header.rst) that stores to the UART and
     * asks the SBI for the end (system reset extension, type shutdown).
     */
    HART(List.of("--engine", "hart")) {
        @Override
        byte[] image() {
            int[] header = new int[HEADER_WORDS];
            header[0] = 0x0400006f; // j 64
            header[4] = IMAGE_BYTES;
            header[14] = 0x05435352; // "RSC\x05"
            int[] code = {
                0x100002b7, // lui t0, 0x10000
                0x06700313, // li t1, 'g'
                0x00628023, // sb t1, 0(t0)
                0x535258b7, // lui a7, 0x53525
                0x35488893, // addi a7, a7, 0x354
                0x00000813, // li a6, 0
                0x00000513, // li a0, 0
                0x00000593, // li a1, 0
                0x00000073, // ecall
                0x0000006f, // j .
            };
            ByteBuffer image = ByteBuffer.allocate(IMAGE_BYTES).order(ByteOrder.LITTLE_ENDIAN);
            image.asIntBuffer().put(header).put(code);
            return image.array();
        }
    },
    /** Real mode: a byte to COM1, and the end by the debug exit. */
    KVM(List.of("--engine", "kvm", "--format", "flat")) {
        @Override
        byte[] image() {
            int[] code = {
                0xba, 0xf8, 0x03, // mov $0x3f8, %dx
                0xb0, 0x67, // mov $'g', %al
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
    };

    /** What it says. */
    public static final char BYTE = 'g';

    private static final int IMAGE_BYTES = 4096;
    private static final int HEADER_WORDS = 16;

    private final List<String> engine;

    SmallestGuest(List<String> engine) {
        this.engine = engine;
    }

    abstract byte[] image();

    /**
     * Writes it down.
     *
     * @return the words of {@code backplane run} that start it
     */
    public List<String> words(Path folder) throws IOException {
        Path file = Files.write(folder.resolve("guest-" + name()), image());
        return Stream.concat(Stream.of("--kernel", file.toString()), engine.stream()).toList();
    }
}
