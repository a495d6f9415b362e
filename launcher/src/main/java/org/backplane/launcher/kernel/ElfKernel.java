package org.backplane.launcher.kernel;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * An ELF file as a loader sees it: its header and its segments (System V gABI, chapters 4 and 5).
 *
 * @param segments those that are loaded and those with notes
 */
record ElfKernel(KernelBytes file, boolean wide, int machine, List<Segment> segments) {
    static final int MAGIC = 0x464c457f;
    static final int EM_386 = 3;
    static final int EM_X86_64 = 62;
    static final int EM_AARCH64 = 183;
    static final int EM_RISCV = 243;

    private static final int CLASS = 4;
    private static final int CLASS_64 = 2;
    private static final int DATA = 5;
    private static final int LITTLE_ENDIAN = 1;
    private static final int MACHINE = 0x12;

    private static final int PT_LOAD = 1;
    private static final int PT_NOTE = 4;

    /** Xen, {@code xen/include/public/elfnote.h}: XEN_ELFNOTE_PHYS32_ENTRY. */
    private static final int PHYS32_ENTRY = 18;

    private static final int NOTE_HEADER = 12;
    private static final int NAME_XEN = 0x006e6558;

    /** More than any kernel has. */
    private static final int MOST_NOTES = 1 << 20;

    /** A part of the file; addresses are physical, all in bytes. */
    record Segment(int type, long offset, long fileSize, long address, long memorySize) {}

    /** Empty if it is no ELF file of this byte order. */
    static Optional<ElfKernel> in(KernelBytes file) throws IOException {
        ByteBuffer header = file.read(0, 0x40);
        if (header.limit() < 0x34
                || header.getInt(0) != MAGIC
                || header.get(DATA) != LITTLE_ENDIAN) {
            return Optional.empty();
        }
        boolean wide = header.get(CLASS) == CLASS_64;
        if (wide && header.limit() < 0x40) {
            return Optional.empty();
        }
        long table = wide ? header.getLong(0x20) : Integer.toUnsignedLong(header.getInt(0x1c));
        int size = Short.toUnsignedInt(header.getShort(wide ? 0x36 : 0x2a));
        int count = Short.toUnsignedInt(header.getShort(wide ? 0x38 : 0x2c));
        int least = wide ? 0x38 : 0x20;
        List<Segment> segments = new ArrayList<>();
        for (int i = 0; i < count && size >= least; i++) {
            ByteBuffer entry = file.read(table + (long) i * size, least);
            if (entry.limit() < least) {
                Start.requireWhole(file, table + (long) count * size);
            }
            segments.add(wide ? segment64(entry) : segment32(entry));
        }
        return Optional.of(
                new ElfKernel(file, wide, Short.toUnsignedInt(header.getShort(MACHINE)), segments));
    }

    private static Segment segment64(ByteBuffer entry) {
        return new Segment(
                entry.getInt(0),
                entry.getLong(0x08),
                entry.getLong(0x20),
                entry.getLong(0x18),
                entry.getLong(0x28));
    }

    private static Segment segment32(ByteBuffer entry) {
        return new Segment(
                entry.getInt(0),
                Integer.toUnsignedLong(entry.getInt(0x04)),
                Integer.toUnsignedLong(entry.getInt(0x10)),
                Integer.toUnsignedLong(entry.getInt(0x0c)),
                Integer.toUnsignedLong(entry.getInt(0x14)));
    }

    boolean isX86() {
        return machine == EM_386 || machine == EM_X86_64;
    }

    /** Whether it tells where it is entered in 32-bit mode, of x86-64. */
    boolean hasPvhEntry() throws IOException {
        if (!wide || machine != EM_X86_64) {
            return false;
        }
        for (Segment segment : segments) {
            if (segment.type() == PT_NOTE && hasPvhEntry(segment)) {
                return true;
            }
        }
        return false;
    }

    private boolean hasPvhEntry(Segment segment) throws IOException {
        int length = (int) Math.max(0, Math.min(segment.fileSize(), MOST_NOTES));
        ByteBuffer notes = file.read(segment.offset(), length);
        long at = 0;
        while (at + NOTE_HEADER <= notes.limit()) {
            int start = (int) at;
            long nameSize = Integer.toUnsignedLong(notes.getInt(start));
            long size = Integer.toUnsignedLong(notes.getInt(start + 4));
            long value = at + NOTE_HEADER + padded(nameSize);
            if (notes.getInt(start + 8) == PHYS32_ENTRY
                    && nameSize == Integer.BYTES
                    && size >= Integer.BYTES
                    && value + Integer.BYTES <= notes.limit()
                    && notes.getInt(start + NOTE_HEADER) == NAME_XEN) {
                return true;
            }
            at = value + padded(size);
        }
        return false;
    }

    private static long padded(long length) {
        return length + 3 & ~3L;
    }

    /**
     * A file that ends before its segments do seems to lack what they have.
     *
     * @throws IOException with a clause for the user if it does
     */
    void requireSegments() throws IOException {
        for (Segment segment : segments) {
            if (segment.type() == PT_LOAD || segment.type() == PT_NOTE) {
                if (!file.has(segment.offset(), segment.fileSize())) {
                    Start.requireWhole(file, segment.offset() + segment.fileSize());
                }
            }
        }
    }

    /**
     * As a kernel that is loaded by its segments.
     *
     * @throws IOException a segment is not in the file, or nowhere
     */
    KernelImage image(KernelFormat format) throws IOException {
        long end = 0;
        for (Segment segment : segments) {
            if (segment.type() != PT_LOAD || segment.memorySize() == 0) {
                continue;
            }
            if (!file.has(segment.offset(), segment.fileSize())) {
                Start.requireWhole(file, segment.offset() + segment.fileSize());
            }
            long most = Architecture.X86_64.mostMemory();
            if (segment.address() < 0
                    || segment.address() > most
                    || segment.memorySize() < segment.fileSize()
                    || segment.memorySize() > most) {
                throw new IOException(
                        "it is damaged: a segment of it would be loaded at 0x"
                                + Long.toHexString(segment.address())
                                + " with 0x"
                                + Long.toHexString(segment.memorySize())
                                + " bytes; copy or fetch it again");
            }
            end = Math.max(end, X86Memory.reaching(segment.address(), segment.memorySize()));
        }
        if (end == 0) {
            throw new IOException("it has nothing that is loaded; give a linked kernel");
        }
        return new KernelImage(format, end, KernelImage.X86_COMMAND_LINE);
    }
}
