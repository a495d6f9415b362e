package org.backplane.hart;

import static org.backplane.hart.FloatingPoint.DIVIDE_BY_ZERO;
import static org.backplane.hart.FloatingPoint.INEXACT;
import static org.backplane.hart.FloatingPoint.INVALID;
import static org.backplane.hart.FloatingPoint.OVERFLOW;
import static org.backplane.hart.FloatingPoint.RDN;
import static org.backplane.hart.FloatingPoint.RMM;
import static org.backplane.hart.FloatingPoint.RNE;
import static org.backplane.hart.FloatingPoint.RUP;
import static org.backplane.hart.FloatingPoint.UNDERFLOW;

/**
 * IEEE 754-2019 arithmetic in integers, for every operand, rounding mode and flag, in either
 * format. Results are rounded once, from a significand that is exact or has its lost part standing
 * in as one sticky bit far below the rounding position.
 *
 * <p>Working form of a number: a significand with its leading one at bit 62 and an unbiased
 * exponent; its value is {@code significand / 2^62 * 2^exponent}. One thread.
 */
final class SoftFloat {
    private static final int QUOTIENT_STEP = 10;
    private static final int ROOT_BITS = 58;

    private int raised;

    /** The flags that operations raised since the last call. */
    int takeFlags() {
        int flags = raised;
        raised = 0;
        return flags;
    }

    long add(FloatFormat f, long a, long b, int rm) {
        if (f.nan(a) || f.nan(b)) {
            return quieten(f, f.signalling(a) || f.signalling(b));
        }
        boolean negative = f.negative(a);
        boolean opposed = negative != f.negative(b);
        if (f.infinite(a)) {
            return opposed && f.infinite(b) ? quieten(f, true) : a;
        }
        if (f.infinite(b)) {
            return b;
        }
        if (f.zero(b)) {
            return f.zero(a) && opposed ? cancelled(f, rm) : a;
        }
        if (f.zero(a)) {
            return b;
        }
        if (f.magnitude(a) < f.magnitude(b)) {
            return addOrdered(f, b, a, opposed, rm);
        }
        return addOrdered(f, a, b, opposed, rm);
    }

    /** The sum of two finite numbers other than zero, the first of no lesser magnitude. */
    private long addOrdered(FloatFormat f, long a, long b, boolean opposed, int rm) {
        int exponent = f.exponent(a);
        long small = shiftRightSticky(f.significand(b), exponent - f.exponent(b));
        long sum = opposed ? f.significand(a) - small : f.significand(a) + small;
        return sum == 0 ? cancelled(f, rm) : normalise(f, f.negative(a), exponent, sum, rm);
    }

    long multiply(FloatFormat f, long a, long b, int rm) {
        if (f.nan(a) || f.nan(b)) {
            return quieten(f, f.signalling(a) || f.signalling(b));
        }
        boolean negative = f.negative(a) != f.negative(b);
        if (f.infinite(a) || f.infinite(b)) {
            return f.zero(a) || f.zero(b) ? quieten(f, true) : f.signed(negative, f.infinity);
        }
        if (f.zero(a) || f.zero(b)) {
            return f.signed(negative, 0);
        }
        long x = f.significand(a);
        long y = f.significand(b);
        long low = x * y;
        long top = Math.multiplyHigh(x, y) << 2 | low >>> 62 | (low << 2 != 0 ? 1 : 0);
        return normalise(f, negative, f.exponent(a) + f.exponent(b), top, rm);
    }

    long divide(FloatFormat f, long a, long b, int rm) {
        if (f.nan(a) || f.nan(b)) {
            return quieten(f, f.signalling(a) || f.signalling(b));
        }
        boolean negative = f.negative(a) != f.negative(b);
        if (f.infinite(a)) {
            return f.infinite(b) ? quieten(f, true) : f.signed(negative, f.infinity);
        }
        if (f.infinite(b)) {
            return f.signed(negative, 0);
        }
        if (f.zero(b)) {
            if (f.zero(a)) {
                return quieten(f, true);
            }
            raised |= DIVIDE_BY_ZERO;
            return f.signed(negative, f.infinity);
        }
        if (f.zero(a)) {
            return f.signed(negative, 0);
        }
        int exponent = f.exponent(a) - f.exponent(b);
        // 53 bits hold either format's significand and leave room for one step's digits.
        long dividend = f.significand(a) >>> QUOTIENT_STEP;
        long divisor = f.significand(b) >>> QUOTIENT_STEP;
        if (dividend < divisor) {
            dividend <<= 1;
            exponent--;
        }
        long quotient = 1;
        long remainder = dividend - divisor;
        for (int bits = 0; bits < 60; bits += QUOTIENT_STEP) {
            remainder <<= QUOTIENT_STEP;
            quotient = quotient << QUOTIENT_STEP | remainder / divisor;
            remainder %= divisor;
        }
        long sticky = remainder != 0 ? 1 : 0;
        return round(f, negative, exponent, quotient << 2 | sticky, rm);
    }

    long squareRoot(FloatFormat f, long a, int rm) {
        if (f.nan(a)) {
            return quieten(f, f.signalling(a));
        }
        if (f.zero(a)) {
            return a;
        }
        if (f.negative(a)) {
            return quieten(f, true);
        }
        if (f.infinite(a)) {
            return a;
        }
        int exponent = f.exponent(a);
        long radicand = f.significand(a) << (exponent & 1);
        long root = 0;
        long remainder = 0;
        for (int i = 0; i < ROOT_BITS; i++) {
            remainder = remainder << 2 | radicand >>> 62;
            radicand <<= 2;
            long trial = root << 2 | 1;
            root <<= 1;
            if (remainder >= trial) {
                remainder -= trial;
                root |= 1;
            }
        }
        long significand = root << (63 - ROOT_BITS) | (remainder != 0 ? 1 : 0);
        return round(f, false, exponent >> 1, significand, rm);
    }

    /** {@code a * b + c}, rounded once. */
    long multiplyAdd(FloatFormat f, long a, long b, long c, int rm) {
        boolean undefined = f.infinite(a) && f.zero(b) || f.zero(a) && f.infinite(b);
        if (undefined || f.nan(a) || f.nan(b) || f.nan(c)) {
            // RISC-V raises the flag for infinity times zero even beside a quiet NaN addend.
            boolean invalid = undefined || f.signalling(a) || f.signalling(b) || f.signalling(c);
            return quieten(f, invalid);
        }
        boolean negative = f.negative(a) != f.negative(b);
        boolean opposed = negative != f.negative(c);
        if (f.infinite(a) || f.infinite(b)) {
            return f.infinite(c) && opposed ? quieten(f, true) : f.signed(negative, f.infinity);
        }
        if (f.infinite(c)) {
            return c;
        }
        if (f.zero(a) || f.zero(b)) {
            return f.zero(c) && opposed ? cancelled(f, rm) : c;
        }
        return f.zero(c)
                ? multiply(f, a, b, rm)
                : multiplyAddFinite(f, a, b, c, negative, opposed, rm);
    }

    /**
     * The product is exact in 128 bits, the addend placed in the same scale; what alignment shifts
     * out is at least 20 bits below the lower of the two, hence never matters but as sticky.
     */
    private long multiplyAddFinite(
            FloatFormat f, long a, long b, long c, boolean negative, boolean opposed, int rm) {
        long x = f.significand(a);
        long y = f.significand(b);
        long z = f.significand(c);
        long productHigh = Math.multiplyHigh(x, y);
        long productLow = x * y;
        long addendHigh = z >>> 2;
        long addendLow = z << 62;
        int exponent = f.exponent(a) + f.exponent(b);
        int distance = exponent - f.exponent(c);
        if (distance > 0) {
            addendLow = shiftRightStickyLow(addendHigh, addendLow, distance);
            addendHigh = distance < 64 ? addendHigh >>> distance : 0;
        } else if (distance < 0) {
            exponent = f.exponent(c);
            productLow = shiftRightStickyLow(productHigh, productLow, -distance);
            productHigh = -distance < 64 ? productHigh >>> -distance : 0;
        }
        long high;
        long low;
        boolean negativeSum = negative;
        if (!opposed) {
            low = productLow + addendLow;
            high = productHigh + addendHigh + (Long.compareUnsigned(low, productLow) < 0 ? 1 : 0);
        } else {
            low = productLow - addendLow;
            high =
                    productHigh
                            - addendHigh
                            - (Long.compareUnsigned(productLow, addendLow) < 0 ? 1 : 0);
            if (high < 0) {
                low = -low;
                high = ~high + (low == 0 ? 1 : 0);
                negativeSum = !negative;
            }
        }
        if ((high | low) == 0) {
            return cancelled(f, rm);
        }
        if (high == 0) {
            return normalise(f, negativeSum, exponent - 62, low, rm);
        }
        int left = Long.numberOfLeadingZeros(high) - 1;
        if (left > 0) {
            high = high << left | low >>> (64 - left);
            low <<= left;
        }
        long significand = high | (low != 0 ? 1 : 0);
        return round(f, negativeSum, exponent + 2 - left, significand, rm);
    }

    long convert(FloatFormat from, FloatFormat to, long a, int rm) {
        if (from.nan(a)) {
            return quieten(to, from.signalling(a));
        }
        boolean negative = from.negative(a);
        if (from.infinite(a)) {
            return to.signed(negative, to.infinity);
        }
        if (from.zero(a)) {
            return to.signed(negative, 0);
        }
        return round(to, negative, from.exponent(a), from.significand(a), rm);
    }

    /**
     * @param magnitude unsigned
     */
    long fromInteger(FloatFormat f, boolean negative, long magnitude, int rm) {
        return magnitude == 0 ? 0 : normalise(f, negative, 62, magnitude, rm);
    }

    /**
     * Out of range and NaN raise invalid and nothing else, and give the nearest bound, NaN the
     * upper (unprivileged ISA, section "Single-Precision Floating-Point Conversion").
     *
     * @param min lowest result
     * @param max highest result, unsigned if {@code min} is 0
     */
    long toInteger(FloatFormat f, long a, int rm, long min, long max) {
        if (f.zero(a)) {
            return 0;
        }
        boolean negative = f.negative(a) && !f.nan(a);
        int exponent = f.exponent(a);
        if (exponent > 63) {
            return outOfRange(negative ? min : max);
        }
        long significand = f.significand(a);
        long whole;
        long rest; // what is behind the point, its half at bit 63
        if (exponent >= 62) {
            whole = significand << (exponent - 62);
            rest = 0;
        } else if (exponent >= 0) {
            whole = significand >>> (62 - exponent);
            rest = significand << (exponent + 2);
        } else {
            whole = 0;
            rest = exponent == -1 ? significand << 1 : 1;
        }
        if (roundsUp(negative, (whole & 1) != 0, rest, rm)) {
            whole++;
        }
        if (Long.compareUnsigned(whole, negative ? -min : max) > 0) {
            return outOfRange(negative ? min : max);
        }
        if (rest != 0) {
            raised |= INEXACT;
        }
        return negative ? -whole : whole;
    }

    private long outOfRange(long bound) {
        raised |= INVALID;
        return bound;
    }

    private static boolean roundsUp(boolean negative, boolean odd, long rest, int rm) {
        switch (rm) {
            case RNE:
                return rest < 0 && (odd || rest << 1 != 0);
            case RMM:
                return rest < 0;
            case RUP:
                return !negative && rest != 0;
            case RDN:
                return negative && rest != 0;
            default:
                return false;
        }
    }

    private long quieten(FloatFormat f, boolean invalid) {
        if (invalid) {
            raised |= INVALID;
        }
        return f.canonicalNan;
    }

    /** The zero that an exact sum of opposed signs is (IEEE 754-2019, section 6.3). */
    private static long cancelled(FloatFormat f, int rm) {
        return f.signed(rm == RDN, 0);
    }

    /** Rounds a significand whose leading one is anywhere, bit 63 included. */
    private long normalise(
            FloatFormat f, boolean negative, int exponent, long significand, int rm) {
        int left = Long.numberOfLeadingZeros(significand) - 1;
        long placed = left < 0 ? shiftRightSticky(significand, 1) : significand << left;
        return round(f, negative, exponent - left, placed, rm);
    }

    private long round(FloatFormat f, boolean negative, int exponent, long significand, int rm) {
        int dropped = 62 - f.fractionBits;
        long below = (1L << dropped) - 1;
        long half = 1L << (dropped - 1);
        long increment;
        switch (rm) {
            case RNE:
            case RMM:
                increment = half;
                break;
            case RUP:
                increment = negative ? 0 : below;
                break;
            case RDN:
                increment = negative ? below : 0;
                break;
            default:
                increment = 0;
                break;
        }
        int scale = exponent;
        long exact = significand;
        boolean tiny = false;
        if (exponent < f.minExponent) {
            // Tiny after rounding: not so if the full precision would carry up to the least normal.
            tiny = exponent < f.minExponent - 1 || significand + increment >= 0;
            exact = shiftRightSticky(significand, f.minExponent - exponent);
            scale = f.minExponent;
        }
        long lost = exact & below;
        long rounded = (exact + increment) >>> dropped;
        if (rm == RNE && lost == half) {
            rounded &= ~1L;
        }
        long bits = scale > f.bias ? f.infinity : f.pack(scale, rounded);
        if (bits >= f.infinity) {
            raised |= OVERFLOW | INEXACT;
            return f.signed(negative, increment == 0 ? f.infinity - 1 : f.infinity);
        }
        if (lost != 0) {
            raised |= tiny ? UNDERFLOW | INEXACT : INEXACT;
        }
        return f.signed(negative, bits);
    }

    private static long shiftRightSticky(long value, int distance) {
        if (distance == 0) {
            return value;
        }
        if (distance > 63) {
            return value != 0 ? 1 : 0;
        }
        return value >>> distance | (value << -distance != 0 ? 1 : 0);
    }

    /** The low half of a 128-bit value shifted right by 1 or more. */
    private static long shiftRightStickyLow(long high, long low, int distance) {
        if (distance >= 64) {
            return shiftRightSticky(high, distance - 64) | (low != 0 ? 1 : 0);
        }
        return high << -distance | low >>> distance | (low << -distance != 0 ? 1 : 0);
    }
}
