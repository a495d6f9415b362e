package org.backplane.testkit.vfio;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A capability in configuration space.
 *
 * @param id of the capability; of an extended one with the version in bits 16 to 19
 * @param offset 0x40 to 0xfc, of an extended one from 0x100 on; a multiple of 4
 * @param body what is behind the header, of 2 bytes or, for an extended one, 4
 * @param writable mask of the body's writable bits; shorter than the body: the rest is fixed
 */
public record CapabilityDescription(int id, int offset, byte[] body, byte[] writable) {
    private static final int EXPRESS = 0x10;
    private static final int MSI = 0x05;
    private static final int MSIX = 0x11;

    /** A capability whose body a driver can only read. */
    public static CapabilityDescription fixed(int id, int offset, byte... body) {
        return new CapabilityDescription(id, offset, body, new byte[0]);
    }

    private static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /**
     * Message signalled interrupts (PCI 3.0, 6.8.1).
     *
     * @param vectors 1 to 32, a power of two
     */
    public static CapabilityDescription msi(
            int offset, int vectors, boolean wide, boolean maskable) {
        int bytes = 8 + (wide ? 4 : 0) + (maskable ? 10 : 0);
        ByteBuffer body = buffer(bytes);
        int log = Integer.numberOfTrailingZeros(vectors);
        body.putShort(0, (short) (log << 1 | (wide ? 0x80 : 0) | (maskable ? 0x100 : 0)));
        ByteBuffer writable = buffer(bytes);
        writable.putShort(0, (short) 0x71);
        writable.putInt(2, -4);
        if (wide) {
            writable.putInt(6, -1);
        }
        int data = wide ? 10 : 6;
        writable.putShort(data, (short) -1);
        if (maskable) {
            writable.putInt(data + 4, vectors == 32 ? -1 : (1 << vectors) - 1);
        }
        return new CapabilityDescription(MSI, offset, body.array(), writable.array());
    }

    /**
     * MSI-X (PCI 3.0, 6.8.2).
     *
     * @param vectors 1 to 2,048
     */
    public static CapabilityDescription msix(
            int offset, int vectors, int tableBar, int table, int pbaBar, int pba) {
        ByteBuffer body = buffer(10);
        body.putShort(0, (short) (vectors - 1));
        body.putInt(2, table | tableBar);
        body.putInt(6, pba | pbaBar);
        byte[] writable = {0, (byte) 0xc0};
        return new CapabilityDescription(MSIX, offset, body.array(), writable);
    }

    /** An endpoint of PCI Express, one lane of 2.5 GT/s (PCI Express 4.0, 7.5.3), 60 bytes. */
    public static CapabilityDescription express(int offset) {
        ByteBuffer body = buffer(58);
        body.putShort(0, (short) 2);
        // Device capabilities: 256 bytes of payload, role-based error reporting.
        body.putInt(2, 0x8001);
        // Device control: relaxed ordering and no snoop, 512 bytes a read.
        body.putShort(6, (short) 0x2810);
        // Link capabilities and status: x1, 2.5 GT/s.
        body.putInt(10, 0x11);
        body.putShort(16, (short) 0x11);
        ByteBuffer writable = buffer(8);
        writable.putShort(6, (short) 0x7fff);
        return new CapabilityDescription(EXPRESS, offset, body.array(), writable.array());
    }

    boolean isExtended() {
        return offset >= 0x100;
    }

    int vectors() {
        int control = body.length < 2 ? 0 : body[0] & 0xff | (body[1] & 0xff) << 8;
        return switch (id) {
            case MSI -> 1 << (control >> 1 & 7);
            case MSIX -> (control & 0x7ff) + 1;
            default -> 0;
        };
    }

    boolean isMsi() {
        return !isExtended() && id == MSI;
    }

    boolean isMsix() {
        return !isExtended() && id == MSIX;
    }
}
