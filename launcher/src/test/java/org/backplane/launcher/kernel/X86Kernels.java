package org.backplane.launcher.kernel;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Files that look like x86 kernels. */
public final class X86Kernels {
    private X86Kernels() {}

    /** With a 64-bit entry, 4,096 bytes of setup and as many after; needs 48 MiB from 0. */
    public static byte[] bzImage() {
        ByteBuffer header = ByteBuffer.allocate(8192).order(ByteOrder.LITTLE_ENDIAN);
        header.put(0x1f1, (byte) 7);
        header.putInt(0x1f4, 4096 / 16);
        header.put(0x202, "HdrS".getBytes(StandardCharsets.US_ASCII));
        header.putShort(0x206, (short) 0x20f);
        header.put(0x211, (byte) 1);
        header.putShort(0x236, (short) 1);
        header.putInt(0x238, 2047);
        header.putLong(0x258, 16 << 20);
        header.putInt(0x260, 32 << 20);
        return header.array();
    }

    /** An ELF file of one segment that is loaded at 1 MiB and takes 64 KiB. */
    static ByteBuffer elf(boolean wide, int machine, byte[] note) {
        ByteBuffer file = ByteBuffer.allocate(8192).order(ByteOrder.LITTLE_ENDIAN);
        file.putInt(0, 0x464c457f).put(4, (byte) (wide ? 2 : 1)).put(5, (byte) 1);
        file.putShort(0x10, (short) 2).putShort(0x12, (short) machine);
        int segments = note.length == 0 ? 1 : 2;
        if (wide) {
            file.putLong(0x20, 0x40).putShort(0x36, (short) 0x38).putShort(0x38, (short) segments);
            segment64(file, 0x40, 1, 0x1000, 0x1000, 0x100000, 0x10000);
            if (note.length > 0) {
                segment64(file, 0x78, 4, 0x800, note.length, 0x100800, note.length);
            }
        } else {
            file.putInt(0x1c, 0x34).putShort(0x2a, (short) 0x20).putShort(0x2c, (short) segments);
            file.putInt(0x34, 1).putInt(0x38, 0x1000).putInt(0x40, 0x100000);
            file.putInt(0x44, 0x1000).putInt(0x48, 0x10000);
            if (note.length > 0) {
                file.putInt(0x54, 4).putInt(0x58, 0x800).putInt(0x64, note.length);
            }
        }
        file.put(0x800, note);
        return file;
    }

    private static void segment64(
            ByteBuffer file, int at, int type, long offset, long size, long address, long memory) {
        file.putInt(at, type).putLong(at + 8, offset).putLong(at + 0x18, address);
        file.putLong(at + 0x20, size).putLong(at + 0x28, memory);
    }

    /** Two notes: one that is not looked for, and the entry. */
    static byte[] pvhNotes(String name, int type) {
        ByteBuffer notes = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);
        notes.putInt(6)
                .putInt(3)
                .putInt(7)
                .put("Linux\0\0\0abc\0".getBytes(StandardCharsets.US_ASCII));
        notes.putInt(4).putInt(8).putInt(type);
        notes.put((name + "\0").getBytes(StandardCharsets.US_ASCII)).putLong(0x100000);
        byte[] all = new byte[notes.position()];
        notes.flip().get(all);
        return all;
    }

    /** Puts a multiboot-1 header into a file. */
    static ByteBuffer multiboot(ByteBuffer file, int at, int flags) {
        return file.putInt(at, 0x1BADB002)
                .putInt(at + 4, flags)
                .putInt(at + 8, -0x1BADB002 - flags);
    }
}
