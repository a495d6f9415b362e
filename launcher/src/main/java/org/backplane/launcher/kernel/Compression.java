package org.backplane.launcher.kernel;

import java.nio.ByteBuffer;
import java.util.Optional;

/** Compressed files, by their first bytes. */
enum Compression {
    GZIP("gzip", 0x8b1f, 2),
    XZ("xz", 0x587a37fd, 4),
    ZSTD("zstd", 0xfd2fb528, 4),
    BZIP2("bzip2", 0x685a42, 3),
    LZ4("lz4", 0x184c2102, 4);

    private final String program;
    private final int magic;
    private final int length;

    Compression(String program, int magic, int length) {
        this.program = program;
        this.magic = magic;
        this.length = length;
    }

    /**
     * The program that undoes it.
     *
     * @param start little-endian, at least 4 bytes
     */
    static Optional<String> of(ByteBuffer start) {
        for (Compression each : values()) {
            int mask = each.length == Integer.BYTES ? -1 : (1 << Byte.SIZE * each.length) - 1;
            if ((start.getInt(0) & mask) == each.magic) {
                return Optional.of(each.program);
            }
        }
        return Optional.empty();
    }
}
