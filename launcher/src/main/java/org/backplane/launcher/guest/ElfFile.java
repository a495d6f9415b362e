package org.backplane.launcher.guest;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * The sections of a 64-bit little-endian ELF file, as far as an initramfs needs them (System V
 * gABI, chapters 4 and 5). Offsets that lead out of the file are refused.
 */
final class ElfFile {
    private static final int MAGIC = 0x464c457f;
    private static final int CLASS_64_LITTLE = 0x0102;
    private static final int SECTION_HEADERS_OFFSET = 0x28;
    private static final int SECTION_HEADER_SIZE = 0x3a;
    private static final int SECTION_COUNT = 0x3c;
    private static final int NAMES_INDEX = 0x3e;

    private static final int SH_OFFSET = 0x18;
    private static final int SH_SIZE = 0x20;

    private static final int DT_NULL = 0;
    private static final int DT_NEEDED = 1;
    private static final int DYNAMIC_ENTRY = 16;

    private final String name;
    private final ByteBuffer bytes;

    /**
     * @param name for messages
     * @throws IOException if this is no such file
     */
    ElfFile(String name, byte[] contents) throws IOException {
        this.name = name;
        this.bytes = ByteBuffer.wrap(contents).order(ByteOrder.LITTLE_ENDIAN);
        if (contents.length < 0x40
                || bytes.getInt(0) != MAGIC
                || bytes.getShort(4) != CLASS_64_LITTLE) {
            throw new IOException(name + " is no 64-bit little-endian ELF file");
        }
    }

    /** The contents of a section; empty if there is none. */
    ByteBuffer section(String wanted) throws IOException {
        try {
            int names = Short.toUnsignedInt(bytes.getShort(NAMES_INDEX));
            ByteBuffer strings = contents(names);
            for (int i = 0; i < Short.toUnsignedInt(bytes.getShort(SECTION_COUNT)); i++) {
                if (string(strings, bytes.getInt(header(i))).equals(wanted)) {
                    return contents(i);
                }
            }
            return ByteBuffer.allocate(0);
        } catch (IndexOutOfBoundsException | IllegalArgumentException | ArithmeticException e) {
            throw new IOException(name + " is damaged: its sections lead out of the file", e);
        }
    }

    /** Names of the shared libraries it needs, in order. */
    List<String> neededLibraries() throws IOException {
        ByteBuffer dynamic = section(".dynamic");
        ByteBuffer strings = section(".dynstr");
        List<String> needed = new ArrayList<>();
        try {
            for (int at = 0; at + DYNAMIC_ENTRY <= dynamic.limit(); at += DYNAMIC_ENTRY) {
                long tag = dynamic.getLong(at);
                if (tag == DT_NULL) {
                    break;
                }
                if (tag == DT_NEEDED) {
                    needed.add(string(strings, Math.toIntExact(dynamic.getLong(at + 8))));
                }
            }
        } catch (IndexOutOfBoundsException | ArithmeticException e) {
            throw new IOException(name + " is damaged: its needed libraries have no names", e);
        }
        return needed;
    }

    private int header(int index) {
        int size = Short.toUnsignedInt(bytes.getShort(SECTION_HEADER_SIZE));
        return Math.toIntExact(bytes.getLong(SECTION_HEADERS_OFFSET)) + index * size;
    }

    private ByteBuffer contents(int index) {
        int at = header(index);
        return bytes.slice(
                        Math.toIntExact(bytes.getLong(at + SH_OFFSET)),
                        Math.toIntExact(bytes.getLong(at + SH_SIZE)))
                .order(ByteOrder.LITTLE_ENDIAN);
    }

    private static String string(ByteBuffer strings, int offset) {
        int end = offset;
        while (strings.get(end) != 0) {
            end++;
        }
        byte[] text = new byte[end - offset];
        strings.get(offset, text);
        return new String(text, StandardCharsets.UTF_8);
    }
}
