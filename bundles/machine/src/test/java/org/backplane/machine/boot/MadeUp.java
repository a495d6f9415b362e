package org.backplane.machine.boot;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Kernels that were never compiled: headers with a content that is known again. */
final class MadeUp {
    private MadeUp() {}

    /** Bytes that are all different from their neighbours and from zero. */
    static byte[] content(int length, int first) {
        byte[] content = new byte[length];
        for (int i = 0; i < length; i++) {
            content[i] = (byte) (1 + (first + i) % 251);
        }
        return content;
    }

    /** A bzImage of one setup sector after the boot sector, and what to make wrong about it. */
    static final class BzImage {
        static final int PAYLOAD = 1024;
        final byte[] payload = content(5000, 3);
        int version = 0x20f;
        int xloadflags = 3;
        int relocatable = 1;
        long preferred = 0x100_0000;
        int initSize = 0x20_0000;
        int commandLine = 2047;
        long initrdMax = 0x7fff_ffffL;
        int jump = 0x6a;
        int missing;

        byte[] build() {
            ByteBuffer file =
                    ByteBuffer.allocate(PAYLOAD + payload.length).order(ByteOrder.LITTLE_ENDIAN);
            file.put(0x1f1, (byte) 1)
                    .putInt(0x1f4, (payload.length + 15) / 16)
                    .putShort(0x1fe, (short) 0xaa55)
                    .put(0x200, (byte) 0xeb)
                    .put(0x201, (byte) jump)
                    .putInt(0x202, 0x53726448)
                    .putShort(0x206, (short) version)
                    .put(0x211, (byte) 1)
                    .putInt(0x214, 0x10_0000)
                    .putInt(0x22c, (int) initrdMax)
                    .putInt(0x230, 0x20_0000)
                    .put(0x234, (byte) relocatable)
                    .putShort(0x236, (short) xloadflags)
                    .putInt(0x238, commandLine)
                    .putLong(0x258, preferred)
                    .putInt(0x260, initSize);
            file.put(PAYLOAD, payload);
            return Arrays.copyOf(file.array(), file.capacity() - missing);
        }
    }

    /** An ELF executable, and what to make wrong about it. */
    static final class Elf {
        private record Part(int type, long virtual, long physical, byte[] content, long size) {}

        final boolean wide;
        int machine;
        long entry;
        int headers = -1;
        int missing;
        private final List<Part> parts = new ArrayList<>();

        Elf(boolean wide) {
            this.wide = wide;
            machine = wide ? 62 : 3;
        }

        Elf load(long virtual, long physical, byte[] content, long size) {
            parts.add(new Part(1, virtual, physical, content, size));
            return this;
        }

        /** A note of Xen's before the one that is meant, and that. */
        Elf pvhNote(int bytes, long entryPoint) {
            ByteBuffer note = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);
            note.putInt(4)
                    .putInt(6)
                    .putInt(6)
                    .put("Xen\0".getBytes())
                    .put("linux\0\0\0".getBytes());
            note.putInt(4).putInt(bytes).putInt(18).put("Xen\0".getBytes());
            if (bytes == 8) {
                note.putLong(entryPoint);
            } else {
                note.putInt((int) entryPoint);
            }
            byte[] content = Arrays.copyOf(note.array(), note.position());
            parts.add(new Part(4, 0, 0, content, content.length));
            return this;
        }

        byte[] build() {
            int header = wide ? 64 : 52;
            int program = wide ? 56 : 32;
            int offset = header + program * parts.size();
            int size = offset + parts.stream().mapToInt(part -> part.content.length).sum();
            ByteBuffer file = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
            int count = headers < 0 ? parts.size() : headers;
            file.putInt(0x464c457f).put((byte) (wide ? 2 : 1)).put((byte) 1).put((byte) 1);
            file.putShort(16, (short) 2).putShort(18, (short) machine);
            if (wide) {
                file.putLong(24, entry).putLong(32, header);
                file.putShort(54, (short) program).putShort(56, (short) count);
            } else {
                file.putInt(24, (int) entry).putInt(28, header);
                file.putShort(42, (short) program).putShort(44, (short) count);
            }
            for (Part part : parts) {
                file.position(header);
                file.putInt(part.type);
                if (wide) {
                    file.putInt(7)
                            .putLong(offset)
                            .putLong(part.virtual)
                            .putLong(part.physical)
                            .putLong(part.content.length)
                            .putLong(part.size);
                } else {
                    file.putInt(offset)
                            .putInt((int) part.virtual)
                            .putInt((int) part.physical)
                            .putInt(part.content.length)
                            .putInt((int) part.size);
                }
                file.put(offset, part.content);
                header += program;
                offset += part.content.length;
            }
            return Arrays.copyOf(file.array(), size - missing);
        }
    }

    /** A Multiboot header: magic, flags, checksum, and address fields. */
    static byte[] multiboot(int flags, int... addresses) {
        ByteBuffer header =
                ByteBuffer.allocate(12 + 4 * addresses.length).order(ByteOrder.LITTLE_ENDIAN);
        header.putInt(0x1badb002).putInt(flags).putInt(-(0x1badb002 + flags));
        for (int address : addresses) {
            header.putInt(address);
        }
        return header.array();
    }

    static byte[] joined(byte[]... parts) {
        ByteBuffer all =
                ByteBuffer.allocate(Arrays.stream(parts).mapToInt(part -> part.length).sum());
        for (byte[] part : parts) {
            all.put(part);
        }
        return all.array();
    }
}
