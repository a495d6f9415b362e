package org.backplane.virtio;

/** A field of 64 bits that a driver reaches as two of 32 (virtio 1.2, section 4.1.3.1). */
final class Halves {
    private static final long LOW = 0xffff_ffffL;

    private Halves() {}

    /**
     * @param which 0 the lower, 1 the upper; others have no bits
     */
    static long get(long whole, int which) {
        return switch (which) {
            case 0 -> whole & LOW;
            case 1 -> whole >>> 32;
            default -> 0;
        };
    }

    /**
     * @param which 0 the lower, 1 the upper
     */
    static long set(long whole, int which, long value) {
        return which == 0 ? (whole & ~LOW) | (value & LOW) : (whole & LOW) | value << 32;
    }
}
