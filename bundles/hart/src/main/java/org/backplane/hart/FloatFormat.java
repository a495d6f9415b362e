package org.backplane.hart;

/**
 * A binary interchange format of IEEE 754-2019, section 3.4; its bits stand in the low end of a
 * {@code long}.
 */
enum FloatFormat {
    SINGLE(8, 23),
    DOUBLE(11, 52);

    final int fractionBits;
    final int bias;

    /** Exponent of the smallest normal number, unbiased. */
    final int minExponent;

    final long sign;
    final long infinity;

    /** The bit that a NaN has set if it is quiet. */
    final long quiet;

    final long canonicalNan;

    private final long fraction;
    private final long hidden;

    FloatFormat(int exponentBits, int fractionBits) {
        this.fractionBits = fractionBits;
        bias = (1 << (exponentBits - 1)) - 1;
        minExponent = 1 - bias;
        sign = 1L << (exponentBits + fractionBits);
        infinity = ((1L << exponentBits) - 1) << fractionBits;
        quiet = 1L << (fractionBits - 1);
        canonicalNan = infinity | quiet;
        hidden = 1L << fractionBits;
        fraction = hidden - 1;
    }

    boolean negative(long bits) {
        return (bits & sign) != 0;
    }

    long magnitude(long bits) {
        return bits & (sign - 1);
    }

    boolean zero(long bits) {
        return magnitude(bits) == 0;
    }

    boolean infinite(long bits) {
        return magnitude(bits) == infinity;
    }

    boolean nan(long bits) {
        return magnitude(bits) > infinity;
    }

    boolean signalling(long bits) {
        return nan(bits) && (bits & quiet) == 0;
    }

    /** Bits of a zero, infinity or other magnitude with a sign. */
    long signed(boolean negative, long magnitude) {
        return negative ? magnitude | sign : magnitude;
    }

    /** Significand of a finite number other than zero, its leading one at bit 62. */
    long significand(long bits) {
        long low = bits & fraction;
        if ((bits & infinity) == 0) {
            return low << (Long.numberOfLeadingZeros(low) - 1);
        }
        return (low | hidden) << (62 - fractionBits);
    }

    /** The power of two that goes with {@link #significand} read as a number from 1 to 2. */
    int exponent(long bits) {
        int biased = (int) ((bits & infinity) >>> fractionBits);
        if (biased == 0) {
            int leading = 63 - Long.numberOfLeadingZeros(bits & fraction);
            return minExponent - fractionBits + leading;
        }
        return biased - bias;
    }

    /**
     * Bits of a number whose significand has its leading one at the hidden bit's place or, carried,
     * one above.
     */
    long pack(int exponent, long significand) {
        return ((long) (exponent + bias - 1) << fractionBits) + significand;
    }
}
