package org.backplane.launcher.kernel;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.OptionalLong;

/**
 * The section table of a kernel that is an EFI application too, which tells how long the file has
 * to be; the image header does not, as its size counts memory without contents in. Layout:
 * Microsoft's PE Format, "COFF File Header" and "Section Table".
 */
final class PeSections {
    private static final int MZ = 0x5a4d;
    private static final int OFFSET_OF_SIGNATURE = 0x3c;
    private static final int SIGNATURE = 0x00004550;

    /** The signature and the COFF header, in bytes. */
    private static final int HEADER_LENGTH = 24;

    private static final int SECTION_COUNT = 6;
    private static final int OPTIONAL_HEADER_LENGTH = 20;

    /** One entry of the table, in bytes. */
    private static final int SECTION_LENGTH = 40;

    private static final int RAW_LENGTH = 16;
    private static final int RAW_OFFSET = 20;

    private PeSections() {}

    /**
     * Where the table and the contents of all sections end, in bytes from the start of the file, as
     * far as the file goes; empty if the file is no such application.
     */
    static OptionalLong end(KernelBytes file) throws IOException {
        ByteBuffer start = file.read(0, OFFSET_OF_SIGNATURE + Integer.BYTES);
        if (start.limit() < start.capacity() || (start.getShort(0) & 0xffff) != MZ) {
            return OptionalLong.empty();
        }
        long signature = Integer.toUnsignedLong(start.getInt(OFFSET_OF_SIGNATURE));
        ByteBuffer header = file.read(signature, HEADER_LENGTH);
        if (header.limit() < HEADER_LENGTH) {
            return OptionalLong.of(signature + HEADER_LENGTH);
        }
        if (header.getInt(0) != SIGNATURE) {
            return OptionalLong.empty();
        }
        int count = header.getShort(SECTION_COUNT) & 0xffff;
        long table = signature + HEADER_LENGTH + (header.getShort(OPTIONAL_HEADER_LENGTH) & 0xffff);
        ByteBuffer sections = file.read(table, count * SECTION_LENGTH);
        long end = table + sections.capacity();
        for (int at = 0; at + SECTION_LENGTH <= sections.limit(); at += SECTION_LENGTH) {
            long offset = Integer.toUnsignedLong(sections.getInt(at + RAW_OFFSET));
            long length = Integer.toUnsignedLong(sections.getInt(at + RAW_LENGTH));
            end = Math.max(end, offset + length);
        }
        return OptionalLong.of(end);
    }
}
