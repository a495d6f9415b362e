package org.backplane.machine.boot;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.backplane.machine.MachineException;

/**
 * An ELF executable for x86 of 32 or 64 bits (System V ABI, generic edition 4.1, chapters 4 and 5),
 * as far as loading to physical addresses needs it.
 */
final class ElfFile {
    private static final int IDENT = 16;
    private static final int MAGIC = 0x464c457f;
    private static final int CLASS = 4;
    private static final int CLASS_32 = 1;
    private static final int CLASS_64 = 2;
    private static final int DATA = 5;
    private static final int LITTLE_ENDIAN = 1;
    private static final int MACHINE = 18;
    private static final int MACHINE_386 = 3;
    private static final int MACHINE_X86_64 = 62;
    private static final int HEADER_32 = 52;
    private static final int HEADER_64 = 64;
    private static final int PROGRAM_32 = 32;
    private static final int PROGRAM_64 = 56;
    private static final int LOAD = 1;
    private static final int NOTE = 4;

    /** Far more than any kernel's. */
    private static final int MOST_PROGRAM_HEADERS = 256;

    private static final int LARGEST_NOTES = 1 << 20;
    private static final int NOTE_HEADER = 12;

    /** One program header. */
    private record Segment(
            int type, long offset, long virtual, long physical, long fileSize, long size) {}

    private final ImageFile file;
    private final long entry;
    private final List<Segment> segments;

    private ElfFile(ImageFile file, long entry, List<Segment> segments) {
        this.file = file;
        this.entry = entry;
        this.segments = segments;
    }

    static boolean recognises(ImageFile file) throws MachineException {
        return file.holds(0, IDENT) && file.read("ELF header", 0, IDENT).getInt(0) == MAGIC;
    }

    static ElfFile read(ImageFile file) throws MachineException {
        if (!recognises(file)) {
            throw file.refused("it is no ELF file; take another");
        }
        ByteBuffer header = file.read("ELF header", 0, HEADER_32);
        boolean wide = header.get(CLASS) == CLASS_64;
        int machine = Short.toUnsignedInt(header.getShort(MACHINE));
        if (header.get(DATA) != LITTLE_ENDIAN
                || !wide && header.get(CLASS) != CLASS_32
                || machine != MACHINE_386 && machine != MACHINE_X86_64) {
            throw file.refused(
                    "it is an ELF file for another processor (machine %d); take one for x86-64"
                            .formatted(machine));
        }
        if (wide) {
            header = file.read("ELF header", 0, HEADER_64);
        }
        long entry = wide ? header.getLong(24) : Integer.toUnsignedLong(header.getInt(24));
        long table = wide ? header.getLong(32) : Integer.toUnsignedLong(header.getInt(28));
        int entrySize = Short.toUnsignedInt(header.getShort(wide ? 54 : 42));
        int count = Short.toUnsignedInt(header.getShort(wide ? 56 : 44));
        if (count == 0 || count > MOST_PROGRAM_HEADERS) {
            throw file.refused(
                    "it has %d program headers, and 1 to %d are loaded; take an executable"
                            .formatted(count, MOST_PROGRAM_HEADERS));
        }
        if (entrySize < (wide ? PROGRAM_64 : PROGRAM_32)) {
            throw file.refused(
                    "its program headers have %d bytes each, which is too few; take a whole copy"
                            .formatted(entrySize));
        }
        ByteBuffer headers = file.read("program headers", table, count * entrySize);
        List<Segment> segments = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            segments.add(segment(headers, i * entrySize, wide));
        }
        return new ElfFile(file, entry, segments);
    }

    private static Segment segment(ByteBuffer headers, int at, boolean wide) {
        return wide
                ? new Segment(
                        headers.getInt(at),
                        headers.getLong(at + 8),
                        headers.getLong(at + 16),
                        headers.getLong(at + 24),
                        headers.getLong(at + 32),
                        headers.getLong(at + 40))
                : new Segment(
                        headers.getInt(at),
                        Integer.toUnsignedLong(headers.getInt(at + 4)),
                        Integer.toUnsignedLong(headers.getInt(at + 8)),
                        Integer.toUnsignedLong(headers.getInt(at + 12)),
                        Integer.toUnsignedLong(headers.getInt(at + 16)),
                        Integer.toUnsignedLong(headers.getInt(at + 20)));
    }

    /**
     * Puts every segment at its physical address; what the file does not have of it stays clear.
     */
    void load(GuestRam ram) throws MachineException {
        boolean some = false;
        for (Segment segment : segments) {
            if (segment.type != LOAD || segment.size == 0) {
                continue;
            }
            if (segment.fileSize < 0 || Long.compareUnsigned(segment.fileSize, segment.size) > 0) {
                throw file.refused(
                        "a segment has 0x%x bytes in the file and only 0x%x in memory; take a whole copy"
                                .formatted(segment.fileSize, segment.size));
            }
            ram.take(file, "segment", segment.physical, segment.size);
            if (segment.fileSize > 0) {
                file.copy(
                        "segment",
                        segment.offset,
                        segment.fileSize,
                        ram.host(segment.physical, segment.fileSize));
            }
            some = true;
        }
        if (!some) {
            throw file.refused("it has no segment to load; take an executable");
        }
    }

    /** The physical address of the entry point, which the header gives as a virtual one. */
    long entry() {
        for (Segment segment : segments) {
            if (segment.type == LOAD
                    && Long.compareUnsigned(entry - segment.virtual, segment.size) < 0) {
                return entry - segment.virtual + segment.physical;
            }
        }
        return entry;
    }

    /**
     * The number in a note.
     *
     * @return empty if there is no such note
     */
    OptionalLong note(String name, int type) throws MachineException {
        for (Segment segment : segments) {
            if (segment.type == NOTE && segment.fileSize > 0) {
                if (segment.fileSize > LARGEST_NOTES) {
                    throw file.refused(
                            "its notes have %d bytes; take another".formatted(segment.fileSize));
                }
                ByteBuffer notes = file.read("notes", segment.offset, (int) segment.fileSize);
                OptionalLong found = note(notes, name, type);
                if (found.isPresent()) {
                    return found;
                }
            }
        }
        return OptionalLong.empty();
    }

    private static OptionalLong note(ByteBuffer notes, String name, int type) {
        while (notes.remaining() >= NOTE_HEADER) {
            int nameSize = notes.getInt();
            int size = notes.getInt();
            int itsType = notes.getInt();
            int namePlace = nameSize + 3 & -4;
            int place = size + 3 & -4;
            if (nameSize < 0
                    || size < 0
                    || namePlace < 0
                    || place < 0
                    || namePlace > notes.remaining()
                    || size > notes.remaining() - namePlace) {
                return OptionalLong.empty();
            }
            byte[] itsName = new byte[nameSize];
            notes.duplicate().get(itsName);
            notes.position(notes.position() + namePlace);
            if (itsType == type && isName(itsName, name) && size >= Integer.BYTES) {
                return OptionalLong.of(
                        size >= Long.BYTES
                                ? notes.getLong(notes.position())
                                : Integer.toUnsignedLong(notes.getInt(notes.position())));
            }
            notes.position(Math.min(notes.limit(), notes.position() + place));
        }
        return OptionalLong.empty();
    }

    private static boolean isName(byte[] bytes, String name) {
        return new String(bytes, java.nio.charset.StandardCharsets.ISO_8859_1).equals(name + "\0");
    }
}
