package org.backplane.launcher.option;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.OptionalLong;

/**
 * What the header of a riscv64 kernel image says (Linux, {@code
 * Documentation/arch/riscv/boot-image-header.rst}).
 *
 * @param textOffset where the image goes, from the start of memory, in bytes
 * @param imageSize memory it takes while it runs, bss included, in bytes
 */
public record KernelImage(long textOffset, long imageSize) {
    private static final int HEADER_LENGTH = 0x40;
    private static final int TEXT_OFFSET = 0x08;
    private static final int IMAGE_SIZE = 0x10;
    private static final int FLAGS = 0x18;
    private static final int FLAG_BIG_ENDIAN = 1;
    private static final int MAGIC2 = 0x38;
    private static final int MAGIC2_RISCV = 0x05435352;

    private static final int ELF = 0x464c457f;
    private static final int ZBOOT = 0x676d697a;
    private static final int X86_SETUP_OFFSET = 0x202;
    private static final int X86_SETUP = 0x53726448;
    private static final int ARM64 = 0x644d5241;
    private static final int EXAMINED = 0x210;

    /**
     * Reads a header.
     *
     * @throws IOException with a clause for the user if the file cannot be read or is no such image
     */
    public static KernelImage read(Path file) throws IOException {
        if (!Files.exists(file)) {
            throw new IOException("there is no such file; give the path of a riscv64 Linux Image");
        }
        if (!Files.isRegularFile(file)) {
            throw new IOException("this is not a file; give the path of a riscv64 Linux Image");
        }
        if (!Files.isReadable(file)) {
            throw new IOException("it cannot be read by this user; change its mode or owner");
        }
        ByteBuffer header = ByteBuffer.allocate(EXAMINED).order(ByteOrder.LITTLE_ENDIAN);
        OptionalLong sectionsEnd;
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            while (header.hasRemaining() && channel.read(header) >= 0) {
                continue;
            }
            sectionsEnd = PeSections.end(channel);
        }
        header.flip();
        if (header.limit() < HEADER_LENGTH || header.getInt(MAGIC2) != MAGIC2_RISCV) {
            throw new IOException(
                    "this is no riscv64 Linux Image but " + guess(header) + "; give " + WANTED);
        }
        if ((header.getLong(FLAGS) & FLAG_BIG_ENDIAN) != 0) {
            throw new IOException("this kernel is big-endian; give a little-endian one");
        }
        long size = header.getLong(IMAGE_SIZE);
        long offset = header.getLong(TEXT_OFFSET);
        if (sectionsEnd.isPresent() && Files.size(file) < sectionsEnd.getAsLong()) {
            throw new IOException(
                    "it is cut short: it has "
                            + Files.size(file)
                            + " bytes of the "
                            + sectionsEnd.getAsLong()
                            + " that its headers tell of; copy or fetch it again");
        }
        if (size <= 0 || offset < 0) {
            throw new IOException("its header says nothing of its size; give " + WANTED);
        }
        return new KernelImage(offset, Math.max(size, Files.size(file)));
    }

    private static final String WANTED =
            "an uncompressed one, as in arch/riscv/boot/Image or Debian's /boot/vmlinux-*-riscv64";

    private static String guess(ByteBuffer header) {
        if (header.limit() == 0) {
            return "an empty file";
        }
        if (header.limit() < HEADER_LENGTH) {
            return "a file of " + header.limit() + " bytes";
        }
        if ((header.getShort(0) & 0xffff) == 0x8b1f) {
            return "a gzip-compressed file";
        }
        if (header.getInt(4) == ZBOOT) {
            return "a compressed EFI application";
        }
        if (header.getInt(0) == ELF) {
            return "an ELF file";
        }
        if (header.getInt(MAGIC2) == ARM64) {
            return "an arm64 kernel";
        }
        if (header.limit() == EXAMINED && header.getInt(X86_SETUP_OFFSET) == X86_SETUP) {
            return "an x86 kernel";
        }
        return "something else";
    }
}
