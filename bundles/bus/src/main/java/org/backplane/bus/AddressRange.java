package org.backplane.bus;

/**
 * A non-empty run of addresses, [base, base + size). Addresses are non-negative: no guest of ours
 * has more than 63 address bits.
 *
 * @param base first address
 * @param size in bytes, at least 1
 */
public record AddressRange(long base, long size) {
    public AddressRange {
        if (base < 0 || size <= 0 || base > Long.MAX_VALUE - size) {
            throw new IllegalArgumentException(
                    "no address range: base 0x%x, size 0x%x".formatted(base, size));
        }
    }

    /** The first address behind the range. */
    public long end() {
        return base + size;
    }

    /** The last address of the range. */
    public long last() {
        return base + size - 1;
    }

    public boolean contains(long address) {
        return address >= base && address - base < size;
    }

    public boolean contains(AddressRange other) {
        return other.base >= base && other.end() <= end();
    }

    public boolean overlaps(AddressRange other) {
        return base < other.end() && other.base < end();
    }

    /** As the Linux kernel prints resources: {@code 0x40000000-0x4fffffff}. */
    @Override
    public String toString() {
        return "0x%x-0x%x".formatted(base, last());
    }
}
