package org.backplane.machine.board;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.backplane.machine.MachineException;

/**
 * A RISC-V boot image's header (Linux, Documentation/arch/riscv/boot-image-header.rst).
 *
 * @param textOffset where it goes, in bytes above the start of RAM
 * @param fileSize in bytes
 * @param size in bytes in memory, the part that is not in the file included
 */
record RiscvImage(Path path, long textOffset, long fileSize, long size) {
    static final int HEADER_SIZE = 64;
    private static final int TEXT_OFFSET = 0x08;
    private static final int IMAGE_SIZE = 0x10;
    private static final int MAGIC2 = 0x38;
    private static final int MAGIC2_VALUE = 0x05435352; // "RSC\x05"

    static RiscvImage read(Path path) throws MachineException {
        var header = ByteBuffer.allocate(HEADER_SIZE).order(ByteOrder.LITTLE_ENDIAN);
        try (var file = FileChannel.open(path, StandardOpenOption.READ)) {
            while (header.hasRemaining() && file.read(header) >= 0) {
                // A short read is continued; a short file fails the check below.
            }
            if (header.hasRemaining() || header.getInt(MAGIC2) != MAGIC2_VALUE) {
                throw new MachineException(
                        "The kernel '%s' is no riscv64 Image: give --kernel the uncompressed 'Image' of a RISC-V Linux."
                                .formatted(path));
            }
            long textOffset = header.getLong(TEXT_OFFSET);
            long size = Math.max(header.getLong(IMAGE_SIZE), file.size());
            if (textOffset < 0 || textOffset % 4096 != 0) {
                throw new MachineException(
                        "The kernel '%s' wants to be loaded at the offset 0x%x, which is no page."
                                .formatted(path, textOffset));
            }
            return new RiscvImage(path, textOffset, file.size(), size);
        } catch (IOException e) {
            throw new MachineException(
                    "The kernel '%s' cannot be read: %s.".formatted(path, e.getMessage()), e);
        }
    }
}
