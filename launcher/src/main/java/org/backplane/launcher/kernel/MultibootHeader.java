package org.backplane.launcher.kernel;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * The header of a multiboot kernel (Multiboot specification 0.6.96, 3.1).
 *
 * @param offset in the file, in bytes
 */
record MultibootHeader(KernelBytes file, int offset, int flags) {
    /** It lies within the first so many bytes, whole. */
    private static final int WITHIN = 8192;

    private static final int ALIGNMENT = 4;
    private static final int LENGTH = 12;
    private static final int MAGIC = 0x1BADB002;
    private static final int MAGIC_2 = 0xE85250D6;

    /** The header has addresses, which count instead of those of an ELF file (3.1.3). */
    private static final int HAS_ADDRESSES = 1 << 16;

    private static final int ADDRESSES_LENGTH = 32;

    static Optional<MultibootHeader> in(KernelBytes file) throws IOException {
        ByteBuffer start = file.read(0, WITHIN);
        for (int at = 0; at + LENGTH <= start.limit(); at += ALIGNMENT) {
            int flags = start.getInt(at + 4);
            if (start.getInt(at) == MAGIC && MAGIC + flags + start.getInt(at + 8) == 0) {
                return Optional.of(new MultibootHeader(file, at, flags));
            }
        }
        return Optional.empty();
    }

    /** Whether there is one of the second specification, which is another contract. */
    static boolean isOfSecond(KernelBytes file) throws IOException {
        ByteBuffer start = file.read(0, WITHIN);
        for (int at = 0; at + LENGTH <= start.limit(); at += 2 * ALIGNMENT) {
            if (start.getInt(at) == MAGIC_2) {
                return true;
            }
        }
        return false;
    }

    /**
     * @param elf the same file, if it is one
     * @throws IOException it does not say where it is to be loaded
     */
    KernelImage image(Optional<ElfKernel> elf) throws IOException {
        if ((flags & HAS_ADDRESSES) == 0) {
            if (elf.isEmpty() || !elf.get().isX86()) {
                throw new IOException(
                        "its multiboot header has no addresses and it is no x86 ELF file, so nothing"
                                + " says where it is loaded; set bit 16 of the header's flags");
            }
            return elf.get().image(KernelFormat.MULTIBOOT);
        }
        ByteBuffer header = file.read(offset, ADDRESSES_LENGTH);
        if (header.limit() < ADDRESSES_LENGTH) {
            Start.requireWhole(file, offset + (long) ADDRESSES_LENGTH);
        }
        long own = Integer.toUnsignedLong(header.getInt(12));
        long load = Integer.toUnsignedLong(header.getInt(16));
        long loadEnd = Integer.toUnsignedLong(header.getInt(20));
        long bssEnd = Integer.toUnsignedLong(header.getInt(24));
        long from = offset - (own - load);
        if (own < load || from < 0 || loadEnd != 0 && loadEnd < load) {
            throw new IOException(
                    "the addresses in its multiboot header contradict each other; link it again");
        }
        if (loadEnd != 0) {
            Start.requireWhole(file, from + (loadEnd - load));
        }
        long end = Math.max(loadEnd == 0 ? load + file.size() - from : loadEnd, bssEnd);
        return new KernelImage(
                KernelFormat.MULTIBOOT,
                X86Memory.reaching(load, end - load),
                KernelImage.X86_COMMAND_LINE);
    }
}
