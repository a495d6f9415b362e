package org.backplane.itests;

import static org.junit.Assert.assertEquals;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A kernel with a few instructions before it, which place BARs as a firmware does that has its own
 * idea of their sizes: stores to configuration space of the board riscv-cam, before Linux looks.
 *
 * <p>The first eight bytes of a RISC-V Image are its entry: they become a jump behind the file's
 * end, where the stores are, and after them a jump to where the first of them led. The first two
 * are also the mark of an EFI program, which no loader here asks for.
 */
final class WrongFirmware {
    private static final int CAM = 0x4000_0000;
    private static final int T0 = 5;
    private static final int T1 = 6;
    private static final int ENTRY_JUMP = 4;

    private final ByteBuffer image;
    private final int stub;

    /** Begins with a kernel as it is. */
    WrongFirmware(Path kernel) throws IOException {
        byte[] bytes = Files.readAllBytes(kernel);
        stub = bytes.length + 15 & -16;
        image = ByteBuffer.allocate(stub + 4096).order(ByteOrder.LITTLE_ENDIAN);
        image.put(bytes);
        image.position(stub);
    }

    /** Stores to a register of 32 bits of a function's configuration space. */
    WrongFirmware store(int device, int register, int value) {
        load(T0, CAM + (device << 11) + register);
        load(T1, value);
        // sw t1, 0(t0)
        image.putInt(T1 << 20 | T0 << 15 | 2 << 12 | 0x23);
        return this;
    }

    /** lui and addiw: 32 bits, of which the highest is clear. */
    private void load(int register, int value) {
        int high = value + 0x800 & -0x1000;
        image.putInt(high | register << 7 | 0x37);
        image.putInt(value - high << 20 | register << 15 | register << 7 | 0x1b);
    }

    /** Writes the kernel that begins so. */
    void write(Path to) throws IOException {
        int entry = image.getInt(0);
        int second = image.getInt(ENTRY_JUMP);
        // Linux: "MZ", which is c.li, and c.j or jal in what remains of the first eight bytes.
        assertEquals("the kernel's entry", 0x5a4d, entry & 0xffff);
        int target = target(entry >>> 16 | second << 16);
        jump(image.position(), target);
        image.position(0);
        jump(0, stub);
        Files.write(to, image.array());
    }

    /** Where the jump at offset 2, or the one at 4 behind a nop, leads. */
    private int target(int at2) {
        if ((at2 & 0x7f) == 0x6f) {
            return 2 + jal(at2);
        }
        int at4 = image.getInt(ENTRY_JUMP);
        assertEquals("the kernel's entry", 0x6f, at4 & 0x7f);
        return ENTRY_JUMP + jal(at4);
    }

    private static int jal(int instruction) {
        return instruction >> 31 << 20
                | instruction & 0xff000
                | (instruction >>> 20 & 1) << 11
                | (instruction >>> 21 & 0x3ff) << 1;
    }

    /** auipc and jalr. */
    private void jump(int from, int to) {
        int distance = to - from;
        int high = distance + 0x800 & -0x1000;
        image.position(from);
        image.putInt(high | T0 << 7 | 0x17);
        image.putInt(distance - high << 20 | T0 << 15 | 0x67);
    }
}
