package org.backplane.pci;

/**
 * What an MSI capability is like: offsets in bytes from its start, and bits (PCI 3.0, section
 * 6.8.1).
 *
 * @param vectors messages that it can ask for: 1, 2, 4, 8, 16 or 32
 * @param wide whether it can send to 64-bit addresses
 * @param maskable whether it has mask and pending bits
 */
public record MsiLayout(int vectors, boolean wide, boolean maskable) {
    public static final int ID = 0x05;
    public static final int CONTROL = 2;
    public static final int ADDRESS = 4;
    public static final int UPPER_ADDRESS = 8;

    public static final int CONTROL_ENABLE = 1 << 0;
    static final int CONTROL_CAPABLE_SHIFT = 1;
    public static final int CONTROL_ENABLED_SHIFT = 4;
    static final int CONTROL_ENABLED_MASK = 0b111;
    static final int CONTROL_WIDE = 1 << 7;
    static final int CONTROL_MASKABLE = 1 << 8;

    public MsiLayout {
        if (Integer.bitCount(vectors) != 1 || vectors < 1 || vectors > 32) {
            throw new IllegalArgumentException("no number of MSI vectors: " + vectors);
        }
    }

    public static MsiLayout of(PciShape.Msi shape) {
        return new MsiLayout(shape.vectors(), shape.wide(), shape.maskable());
    }

    /** Two bytes. */
    public int data() {
        return wide ? 12 : 8;
    }

    /** Where the mask bits are; there are some. */
    public int mask() {
        return data() + 4;
    }

    int pending() {
        return data() + 8;
    }

    /** In bytes, rounded up to a double word. */
    public int length() {
        return maskable ? data() + 12 : data() + 4;
    }

    /** One bit a vector. */
    public int vectorBits() {
        return (int) (-1L >>> 64 - vectors);
    }

    /**
     * Lays the capability down; the pointer to the next one is the caller's.
     *
     * @param at offset in the space, a multiple of four
     */
    void define(ConfigSpace space, int at) {
        int control =
                Integer.numberOfTrailingZeros(vectors) << CONTROL_CAPABLE_SHIFT
                        | (wide ? CONTROL_WIDE : 0)
                        | (maskable ? CONTROL_MASKABLE : 0);
        space.define(at + Type0Header.CAPABILITY_ID, 1, ID, 0);
        space.define(
                at + CONTROL,
                2,
                control,
                CONTROL_ENABLE | CONTROL_ENABLED_MASK << CONTROL_ENABLED_SHIFT);
        space.define(at + ADDRESS, 4, 0, ~0b11);
        if (wide) {
            space.define(at + UPPER_ADDRESS, 4, 0, -1);
        }
        space.define(at + data(), 2, 0, 0xffff);
        if (maskable) {
            space.define(at + mask(), 4, 0, vectorBits());
            space.defineDriven(at + pending(), 4, vectorBits());
        }
    }
}
