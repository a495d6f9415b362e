package org.backplane.launcher.guest;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Builds ELF files of a few sections, as modules and programs have them. */
final class ElfBuilder {
    private final Map<String, byte[]> sections = new LinkedHashMap<>();

    ElfBuilder section(String name, byte[] contents) {
        sections.put(name, contents);
        return this;
    }

    /** A kernel module that says the given fields of itself. */
    static byte[] module(String... fields) {
        return new ElfBuilder()
                .section(
                        ".modinfo",
                        (String.join("\0", fields) + "\0").getBytes(StandardCharsets.UTF_8))
                .build();
    }

    /** A program that needs libraries. */
    static byte[] program(List<String> libraries) {
        StringBuilder strings = new StringBuilder("\0");
        ByteBuffer dynamic =
                ByteBuffer.allocate(16 * (libraries.size() + 2)).order(ByteOrder.LITTLE_ENDIAN);
        // DT_SONAME, which is none of the needed ones.
        dynamic.putLong(14).putLong(0);
        for (String library : libraries) {
            dynamic.putLong(1).putLong(strings.length());
            strings.append(library).append('\0');
        }
        return new ElfBuilder()
                .section(".dynstr", strings.toString().getBytes(StandardCharsets.UTF_8))
                .section(".dynamic", dynamic.array())
                .build();
    }

    byte[] build() {
        StringBuilder names = new StringBuilder("\0");
        int[] nameAt = new int[sections.size()];
        int i = 0;
        int size = 64;
        for (var section : sections.entrySet()) {
            nameAt[i++] = names.length();
            names.append(section.getKey()).append('\0');
            size += section.getValue().length;
        }
        int namesAt = names.length();
        names.append(".shstrtab\0");
        byte[] nameTable = names.toString().getBytes(StandardCharsets.UTF_8);
        int headers = size + nameTable.length + 7 & ~7;
        ByteBuffer file =
                ByteBuffer.allocate(headers + 64 * (sections.size() + 2))
                        .order(ByteOrder.LITTLE_ENDIAN);
        file.putInt(0, 0x464c457f).putShort(4, (short) 0x0102);
        file.putLong(0x28, headers).putShort(0x3a, (short) 64);
        file.putShort(0x3c, (short) (sections.size() + 2));
        file.putShort(0x3e, (short) (sections.size() + 1));
        int at = 64;
        i = 0;
        for (byte[] contents : sections.values()) {
            file.put(at, contents);
            header(file, headers + 64 * (i + 1), nameAt[i], at, contents.length);
            at += contents.length;
            i++;
        }
        file.put(at, nameTable);
        header(file, headers + 64 * (i + 1), namesAt, at, nameTable.length);
        return file.array();
    }

    private static void header(ByteBuffer file, int at, int name, int offset, int size) {
        file.putInt(at, name).putLong(at + 0x18, offset).putLong(at + 0x20, size);
    }
}
