package org.backplane.launcher.guest;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.AlphaChars;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.constraints.StringLength;

class CpioArchiveTest {
    /** An entry as the kernel's unpacker sees it (init/initramfs.c). */
    record Entry(String name, int mode, byte[] contents, int major, int minor) {}

    /** Reads an archive by the format's own rules, and fails on a padding that is not zero. */
    static List<Entry> read(byte[] archive) {
        List<Entry> entries = new ArrayList<>();
        int at = 0;
        while (true) {
            assertEquals(0, at % 4, "headers are aligned");
            assertEquals("070701", text(archive, at, 6));
            int mode = field(archive, at, 1);
            int size = field(archive, at, 6);
            int nameLength = field(archive, at, 11);
            String name = text(archive, at + 110, nameLength - 1);
            assertEquals(0, archive[at + 110 + nameLength - 1], "names end in 0");
            int contents = at + 110 + nameLength + 3 & ~3;
            if (name.equals("TRAILER!!!")) {
                assertEquals(0, archive.length % 512);
                return entries;
            }
            entries.add(
                    new Entry(
                            name,
                            mode,
                            Arrays.copyOfRange(archive, contents, contents + size),
                            field(archive, at, 9),
                            field(archive, at, 10)));
            at = contents + size + 3 & ~3;
        }
    }

    private static int field(byte[] archive, int at, int number) {
        return Integer.parseUnsignedInt(text(archive, at + 6 + 8 * number, 8), 16);
    }

    private static String text(byte[] archive, int at, int length) {
        return new String(archive, at, length, StandardCharsets.UTF_8);
    }

    @Example
    void writesEveryKindOfEntry() throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (CpioArchive archive = new CpioArchive(out)) {
            archive.folder("bin", 0755);
            archive.file("bin/a", 0640, "hello".getBytes(StandardCharsets.UTF_8));
            archive.link("bin/b", "a");
            archive.characterDevice("console", 0600, 5, 1);
        }
        List<Entry> entries = read(out.toByteArray());
        assertEquals(
                List.of("bin", "bin/a", "bin/b", "console"),
                entries.stream().map(Entry::name).toList());
        assertEquals(
                List.of(0040755, 0100640, 0120777, 0020600),
                entries.stream().map(Entry::mode).toList());
        assertEquals("hello", new String(entries.get(1).contents(), StandardCharsets.UTF_8));
        assertEquals("a", new String(entries.get(2).contents(), StandardCharsets.UTF_8));
        assertEquals(5, entries.get(3).major());
        assertEquals(1, entries.get(3).minor());
    }

    @Property(tries = 200)
    void anyNamesAndContentsAreReadBack(
            @ForAll @Size(max = 8) List<@AlphaChars @StringLength(min = 1, max = 30) String> names,
            @ForAll @Size(max = 40) byte[] contents)
            throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (CpioArchive archive = new CpioArchive(out)) {
            for (String name : names) {
                archive.file(name, 0644, contents);
            }
        }
        List<Entry> entries = read(out.toByteArray());
        assertEquals(names, entries.stream().map(Entry::name).toList());
        for (Entry entry : entries) {
            assertArrayEquals(contents, entry.contents());
        }
    }
}
