package org.backplane.machine.acpi;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A system description table that grows: its header (ACPI 6.5, section 5.2.6), fields behind it.
 * Used by one thread.
 */
final class DescriptionTable {
    static final int HEADER_BYTES = 36;
    static final String OEM = "BACKPL";
    private static final String OEM_TABLE = "BACKPLNE";
    private static final String CREATOR = "BKPL";
    private static final int LENGTH = 4;
    private static final int CHECKSUM = 9;

    private ByteBuffer table = ByteBuffer.allocate(256).order(ByteOrder.LITTLE_ENDIAN);

    /**
     * @param signature four letters
     * @param revision of the table's layout
     */
    DescriptionTable(String signature, int revision) {
        text(signature).u32(0).u8(revision).u8(0).text(OEM).text(OEM_TABLE).u32(1);
        text(CREATOR).u32(1);
    }

    /** Bytes written up to now: the offset of the next field. */
    int length() {
        return table.position();
    }

    DescriptionTable u8(int value) {
        room(1).put((byte) value);
        return this;
    }

    DescriptionTable u16(int value) {
        room(2).putShort((short) value);
        return this;
    }

    /** The low 32 bits. */
    DescriptionTable u32(long value) {
        room(4).putInt((int) value);
        return this;
    }

    DescriptionTable u64(long value) {
        room(8).putLong(value);
        return this;
    }

    DescriptionTable zeros(int count) {
        return bytes(new byte[count]);
    }

    DescriptionTable text(String ascii) {
        return bytes(ascii.getBytes(StandardCharsets.US_ASCII));
    }

    DescriptionTable bytes(byte[] bytes) {
        room(bytes.length).put(bytes);
        return this;
    }

    /**
     * A generic address in I/O space (section 5.2.3.2).
     *
     * @param bits width of the register
     * @param access widest access: 1 for a byte, 2 for two, 3 for four
     */
    DescriptionTable port(long address, int bits, int access) {
        return u8(1).u8(bits).u8(0).u8(access).u64(address);
    }

    /** The table with its length and checksum. */
    byte[] build() {
        byte[] built = Arrays.copyOf(table.array(), length());
        ByteBuffer.wrap(built).order(ByteOrder.LITTLE_ENDIAN).putInt(LENGTH, built.length);
        built[CHECKSUM] = checksum(built, 0, built.length);
        return built;
    }

    /** What has to be added so that the bytes have the sum 0; the checksum itself counts as 0. */
    static byte checksum(byte[] bytes, int from, int to) {
        int sum = 0;
        for (int i = from; i < to; i++) {
            sum += bytes[i];
        }
        return (byte) -sum;
    }

    private ByteBuffer room(int bytes) {
        if (table.remaining() < bytes) {
            int capacity = Math.max(2 * table.capacity(), table.position() + bytes);
            table =
                    ByteBuffer.allocate(capacity)
                            .order(ByteOrder.LITTLE_ENDIAN)
                            .put(table.array(), 0, table.position());
        }
        return table;
    }
}
