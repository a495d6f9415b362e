package org.backplane.launcher.kernel;

import java.io.IOException;
import java.nio.ByteBuffer;

/** The setup header of an x86 kernel (Linux, {@code Documentation/arch/x86/boot.rst}). */
final class SetupHeader {
    private static final int LENGTH = 0x264;
    private static final int SETUP_SECTORS = 0x1f1;
    private static final int PROTECTED_SIZE = 0x1f4;
    private static final int MAGIC = 0x202;
    private static final int MAGIC_VALUE = 0x53726448; // "HdrS"
    private static final int VERSION = 0x206;
    private static final int LOAD_FLAGS = 0x211;
    private static final int LOADED_HIGH = 1;
    private static final int X_LOAD_FLAGS = 0x236;
    private static final int KERNEL_64 = 1;
    private static final int COMMAND_LINE_SIZE = 0x238;
    private static final int PREFERRED_ADDRESS = 0x258;
    private static final int INIT_SIZE = 0x260;

    /** Has the flags that tell of a 64-bit entry. */
    private static final int VERSION_2_12 = 0x20c;

    private static final int SECTOR = 512;

    /** Unit of the size of what follows the setup code, in bytes. */
    private static final int PARAGRAPH = 16;

    /** Of a header from before the field, or one that has none. */
    private static final int DEFAULT_SETUP_SECTORS = 4;

    private SetupHeader() {}

    static boolean isIn(ByteBuffer start) {
        return start.limit() >= MAGIC + Integer.BYTES && start.getInt(MAGIC) == MAGIC_VALUE;
    }

    static KernelImage image(KernelBytes file) throws IOException {
        ByteBuffer header = file.read(0, LENGTH);
        int version = header.limit() < LENGTH ? 0 : header.getShort(VERSION) & 0xffff;
        if (version < VERSION_2_12
                || (header.get(LOAD_FLAGS) & LOADED_HIGH) == 0
                || (header.getShort(X_LOAD_FLAGS) & KERNEL_64) == 0) {
            throw new IOException(
                    "this x86 kernel has no 64-bit entry (XLF_KERNEL_64), it is for 32 bits or older"
                            + " than Linux 3.8; give an x86-64 one, as Debian's /boot/vmlinuz-*-amd64");
        }
        int sectors = header.get(SETUP_SECTORS) & 0xff;
        long length =
                ((sectors == 0 ? DEFAULT_SETUP_SECTORS : sectors) + 1L) * SECTOR
                        + Integer.toUnsignedLong(header.getInt(PROTECTED_SIZE)) * PARAGRAPH;
        Start.requireWhole(file, length);
        long address = header.getLong(PREFERRED_ADDRESS);
        long size = Integer.toUnsignedLong(header.getInt(INIT_SIZE));
        if (address < 0 || address > Architecture.X86_64.mostMemory() || size == 0) {
            throw new IOException(
                    "its header says nothing of its place and size; give another kernel");
        }
        int most = header.getInt(COMMAND_LINE_SIZE);
        return new KernelImage(
                KernelFormat.LINUX,
                X86Memory.reaching(address, Math.max(size, file.size())),
                most <= 0 ? KernelImage.X86_COMMAND_LINE : most);
    }
}
