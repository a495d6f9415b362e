package org.backplane.launcher.kernel;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.OptionalLong;

/**
 * The header of a riscv64 kernel image (Linux, {@code
 * Documentation/arch/riscv/boot-image-header.rst}).
 */
final class RiscvHeader {
    private static final int LENGTH = 0x40;
    private static final int TEXT_OFFSET = 0x08;
    private static final int IMAGE_SIZE = 0x10;
    private static final int FLAGS = 0x18;
    private static final int FLAG_BIG_ENDIAN = 1;
    private static final int MAGIC2 = 0x38;
    private static final int MAGIC2_RISCV = 0x05435352;

    /** Linux, {@code arch/riscv/include/uapi/asm/setup.h}: COMMAND_LINE_SIZE, with the final 0. */
    private static final int COMMAND_LINE_SIZE = 1024;

    private RiscvHeader() {}

    static boolean isIn(ByteBuffer start) {
        return start.limit() >= LENGTH && start.getInt(MAGIC2) == MAGIC2_RISCV;
    }

    static KernelImage image(KernelBytes file) throws IOException {
        ByteBuffer header = file.read(0, LENGTH);
        if ((header.getLong(FLAGS) & FLAG_BIG_ENDIAN) != 0) {
            throw new IOException("this kernel is big-endian; give a little-endian one");
        }
        OptionalLong sections = PeSections.end(file);
        if (sections.isPresent()) {
            Start.requireWhole(file, sections.getAsLong());
        }
        long size = header.getLong(IMAGE_SIZE);
        long offset = header.getLong(TEXT_OFFSET);
        if (size <= 0 || offset < 0 || offset > Long.MAX_VALUE / 4 || size > Long.MAX_VALUE / 4) {
            throw new IOException(
                    "its header says nothing of its size; give an uncompressed one, as in"
                            + " arch/riscv/boot/Image or Debian's /boot/vmlinux-*-riscv64");
        }
        return new KernelImage(
                KernelFormat.RISCV, offset + Math.max(size, file.size()), COMMAND_LINE_SIZE - 1);
    }
}
