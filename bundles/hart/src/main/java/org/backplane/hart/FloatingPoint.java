package org.backplane.hart;

import static org.backplane.hart.FloatFormat.DOUBLE;
import static org.backplane.hart.FloatFormat.SINGLE;

/**
 * The F and D extensions' arithmetic (RISC-V unprivileged ISA, chapters "F" and "D"; IEEE 754-2019)
 * on raw bits. Methods bear the instructions' names with the formats as suffix: {@code S} single
 * ({@code int} bits, unboxed), {@code D} double ({@code long} bits), {@code W Wu L Lu} integers.
 * Every NaN result is the canonical one; tininess is detected after rounding.
 *
 * <p>One instance belongs to one hart and its thread; nothing allocates. Rounding modes are the
 * numbers of the {@code rm} field, 0 to 4: the caller resolves DYN and refuses 5 and 6.
 */
public final class FloatingPoint extends FloatConversions {
    public static final int INVALID = 0x10;
    public static final int DIVIDE_BY_ZERO = 0x08;
    public static final int OVERFLOW = 0x04;
    public static final int UNDERFLOW = 0x02;
    public static final int INEXACT = 0x01;

    public static final int RNE = 0;
    public static final int RTZ = 1;
    public static final int RDN = 2;
    public static final int RUP = 3;
    public static final int RMM = 4;

    public static final int CANONICAL_NAN_S = 0x7fc00000;
    public static final long CANONICAL_NAN_D = 0x7ff8000000000000L;

    private static final int SIGN_S = 0x80000000;
    private static final int INFINITY_S = 0x7f800000;
    private static final int MIN_NORMAL_S = 0x00800000;
    private static final int QUIET_S = 0x00400000;

    /** 2^126 in single: below it a sum and the terms of its error cannot overflow. */
    private static final int SAFE_SUM_S = 0x7e800000;

    private static final long SIGN_D = Long.MIN_VALUE;
    private static final long INFINITY_D = 0x7ff0000000000000L;
    private static final long MIN_NORMAL_D = 0x0010000000000000L;
    private static final long QUIET_D = 0x0008000000000000L;
    private static final long FRACTION_D = 0x000fffffffffffffL;

    /** 2^1022 in double. */
    private static final long SAFE_SUM_D = 0x7fd0000000000000L;

    /** A single in a 64-bit register: the upper half all ones. */
    public static long box(int single) {
        return single | 0xffffffff00000000L;
    }

    /** The single in a 64-bit register; the canonical NaN if it is not boxed. */
    public static int unbox(long register) {
        return (register >> 32) == -1 ? (int) register : CANONICAL_NAN_S;
    }

    // Single: sums, products, quotients, roots.

    public int faddS(int a, int b, int rm) {
        if ((a & ~SIGN_S) < SAFE_SUM_S && (b & ~SIGN_S) < SAFE_SUM_S) {
            float x = Float.intBitsToFloat(a);
            float y = Float.intBitsToFloat(b);
            float sum = x + y;
            // Knuth's TwoSum: the error is exact for every pair that cannot overflow, and a sum in
            // the subnormal range has none.
            float part = sum - x;
            float error = (x - (sum - part)) + (y - part);
            if (error == 0 ? rm == RNE || sum != 0 : rm == RNE) {
                if (error != 0) {
                    flags |= INEXACT;
                }
                return Float.floatToRawIntBits(sum);
            }
        }
        return softS(soft.add(SINGLE, wide(a), wide(b), rm));
    }

    public int fsubS(int a, int b, int rm) {
        // A NaN's sign is of no account: the result is canonical.
        return faddS(a, b ^ SIGN_S, rm);
    }

    public int fmulS(int a, int b, int rm) {
        // 24 by 24 bits, exponents in range: the product is exact in double.
        double product = (double) Float.intBitsToFloat(a) * Float.intBitsToFloat(b);
        float rounded = (float) product;
        if (rounded == product || nearestS(rounded, rm)) {
            return Float.floatToRawIntBits(rounded);
        }
        return softS(soft.multiply(SINGLE, wide(a), wide(b), rm));
    }

    public int fdivS(int a, int b, int rm) {
        float x = Float.intBitsToFloat(a);
        float y = Float.intBitsToFloat(b);
        float quotient = x / y;
        // The check product is exact in double. It equals the dividend for an infinite dividend
        // too, and never (NaN) for a divisor that is zero or infinite.
        if ((double) quotient * y == x || nearestS(quotient, rm)) {
            return Float.floatToRawIntBits(quotient);
        }
        return softS(soft.divide(SINGLE, wide(a), wide(b), rm));
    }

    public int fsqrtS(int a, int rm) {
        float x = Float.intBitsToFloat(a);
        // 53 bits are more than 2 * 24 + 1: rounding the double root again rounds the real one.
        float root = (float) Math.sqrt(x);
        if ((double) root * root == x || nearestS(root, rm)) {
            return Float.floatToRawIntBits(root);
        }
        return softS(soft.squareRoot(SINGLE, wide(a), rm));
    }

    /** {@code a * b + c}. */
    public int fmaddS(int a, int b, int c, int rm) {
        if (rm == RNE
                && (a & ~SIGN_S) < INFINITY_S
                && (b & ~SIGN_S) < INFINITY_S
                && (c & ~SIGN_S) < INFINITY_S) {
            double product = (double) Float.intBitsToFloat(a) * Float.intBitsToFloat(b);
            double addend = Float.intBitsToFloat(c);
            double sum = product + addend;
            double part = sum - product;
            double error = (product - (sum - part)) + (addend - part);
            if (error != 0) {
                // Rounding to odd keeps the second rounding, to 24 bits, from seeing a tie that is
                // none.
                long bits = Double.doubleToRawLongBits(sum);
                if ((bits & 1) == 0) {
                    sum = Double.longBitsToDouble((error > 0) == (sum > 0) ? bits + 1 : bits - 1);
                }
            }
            float rounded = (float) sum;
            if (rounded == sum || nearestS(rounded, rm)) {
                return Float.floatToRawIntBits(rounded);
            }
        }
        return softS(soft.multiplyAdd(SINGLE, wide(a), wide(b), wide(c), rm));
    }

    /** {@code a * b - c}. */
    public int fmsubS(int a, int b, int c, int rm) {
        return fmaddS(a, b, c ^ SIGN_S, rm);
    }

    /** {@code -(a * b) + c}. */
    public int fnmsubS(int a, int b, int c, int rm) {
        return fmaddS(a ^ SIGN_S, b, c, rm);
    }

    /** {@code -(a * b) - c}. */
    public int fnmaddS(int a, int b, int c, int rm) {
        return fmaddS(a ^ SIGN_S, b, c ^ SIGN_S, rm);
    }

    // Double: sums, products, quotients, roots.

    public long faddD(long a, long b, int rm) {
        if ((a & ~SIGN_D) < SAFE_SUM_D && (b & ~SIGN_D) < SAFE_SUM_D) {
            double x = Double.longBitsToDouble(a);
            double y = Double.longBitsToDouble(b);
            double sum = x + y;
            double part = sum - x;
            double error = (x - (sum - part)) + (y - part);
            if (error == 0 ? rm == RNE || sum != 0 : rm == RNE) {
                if (error != 0) {
                    flags |= INEXACT;
                }
                return Double.doubleToRawLongBits(sum);
            }
        }
        return soft(soft.add(DOUBLE, a, b, rm));
    }

    public long fsubD(long a, long b, int rm) {
        return faddD(a, b ^ SIGN_D, rm);
    }

    public long fmulD(long a, long b, int rm) {
        long bits =
                Double.doubleToRawLongBits(Double.longBitsToDouble(a) * Double.longBitsToDouble(b));
        if (normal(a) && normal(b) && aboveMinNormal(bits)) {
            // The product of the 53-bit significands has 105 or 106 bits and is exact if all below
            // the leading 53 are zero. One that rounds up to a power of two reads as the longer:
            // no harm, being inexact it ends on a one further up.
            int zeros =
                    Long.numberOfTrailingZeros(significand(a))
                            + Long.numberOfTrailingZeros(significand(b));
            int carry = exponent(bits) - exponent(a) - exponent(b) + DOUBLE.bias;
            if (nearestD(zeros >= 52 + carry, rm)) {
                return bits;
            }
        }
        return soft(soft.multiply(DOUBLE, a, b, rm));
    }

    public long fdivD(long a, long b, int rm) {
        long bits =
                Double.doubleToRawLongBits(Double.longBitsToDouble(a) / Double.longBitsToDouble(b));
        if (normal(a) && normal(b) && aboveMinNormal(bits)) {
            // quotient * divisor is nearer to the dividend than 2^53 in units of its last place, so
            // their low 64 bits tell whether they are equal.
            int shift = 52 + exponent(a) - exponent(bits) - exponent(b) + DOUBLE.bias;
            boolean exact = significand(bits) * significand(b) == significand(a) << shift;
            if (nearestD(exact, rm)) {
                return bits;
            }
        }
        return soft(soft.divide(DOUBLE, a, b, rm));
    }

    public long fsqrtD(long a, int rm) {
        if (a >= MIN_NORMAL_D && a < INFINITY_D) {
            long bits = Double.doubleToRawLongBits(Math.sqrt(Double.longBitsToDouble(a)));
            // As with the quotient: the low 64 bits of the square tell.
            int shift = 52 + exponent(a) - 2 * exponent(bits) + DOUBLE.bias;
            boolean exact = significand(bits) * significand(bits) == significand(a) << shift;
            if (nearestD(exact, rm)) {
                return bits;
            }
        }
        return soft(soft.squareRoot(DOUBLE, a, rm));
    }

    /** {@code a * b + c}. */
    public long fmaddD(long a, long b, long c, int rm) {
        // Math.fma is slow, and allocates, where the host lacks the instruction.
        return soft(soft.multiplyAdd(DOUBLE, a, b, c, rm));
    }

    /** {@code a * b - c}. */
    public long fmsubD(long a, long b, long c, int rm) {
        return fmaddD(a, b, c ^ SIGN_D, rm);
    }

    /** {@code -(a * b) + c}. */
    public long fnmsubD(long a, long b, long c, int rm) {
        return fmaddD(a ^ SIGN_D, b, c, rm);
    }

    /** {@code -(a * b) - c}. */
    public long fnmaddD(long a, long b, long c, int rm) {
        return fmaddD(a ^ SIGN_D, b, c ^ SIGN_D, rm);
    }

    // Single: choice, comparison, signs, classes.

    /** IEEE 754-2019 minimumNumber: a NaN loses to a number, -0 is below +0. */
    public int fminS(int a, int b) {
        if (nanS(a) || nanS(b)) {
            return numberS(a, b);
        }
        return beforeS(b, a) ? b : a;
    }

    /** IEEE 754-2019 maximumNumber. */
    public int fmaxS(int a, int b) {
        if (nanS(a) || nanS(b)) {
            return numberS(a, b);
        }
        return beforeS(a, b) ? b : a;
    }

    public static int fsgnjS(int a, int b) {
        return a & ~SIGN_S | b & SIGN_S;
    }

    public static int fsgnjnS(int a, int b) {
        return a & ~SIGN_S | ~b & SIGN_S;
    }

    public static int fsgnjxS(int a, int b) {
        return a ^ b & SIGN_S;
    }

    /** 1 or 0; quiet: only a signalling NaN is invalid. */
    public int feqS(int a, int b) {
        if (signallingS(a) || signallingS(b)) {
            flags |= INVALID;
        }
        return Float.intBitsToFloat(a) == Float.intBitsToFloat(b) ? 1 : 0;
    }

    /** 1 or 0; any NaN is invalid. */
    public int fltS(int a, int b) {
        if (nanS(a) || nanS(b)) {
            flags |= INVALID;
            return 0;
        }
        return Float.intBitsToFloat(a) < Float.intBitsToFloat(b) ? 1 : 0;
    }

    /** 1 or 0; any NaN is invalid. */
    public int fleS(int a, int b) {
        if (nanS(a) || nanS(b)) {
            flags |= INVALID;
            return 0;
        }
        return Float.intBitsToFloat(a) <= Float.intBitsToFloat(b) ? 1 : 0;
    }

    /** One bit of ten, as the section on the classify instruction numbers them. */
    public static int fclassS(int a) {
        int magnitude = a & ~SIGN_S;
        if (magnitude > INFINITY_S) {
            return (a & QUIET_S) != 0 ? 1 << 9 : 1 << 8;
        }
        int rank; // distance from zero
        if (magnitude == INFINITY_S) {
            rank = 3;
        } else if (magnitude >= MIN_NORMAL_S) {
            rank = 2;
        } else {
            rank = magnitude != 0 ? 1 : 0;
        }
        return a < 0 ? 1 << (3 - rank) : 1 << (4 + rank);
    }

    private int numberS(int a, int b) {
        if (signallingS(a) || signallingS(b)) {
            flags |= INVALID;
        }
        if (!nanS(a)) {
            return a;
        }
        return nanS(b) ? CANONICAL_NAN_S : b;
    }

    /** Order of numbers with -0 before +0: of the bits as sign and magnitude. */
    private static boolean beforeS(int a, int b) {
        return (a ^ (a >> 31 & ~SIGN_S)) < (b ^ (b >> 31 & ~SIGN_S));
    }

    private static boolean nanS(int a) {
        return (a & ~SIGN_S) > INFINITY_S;
    }

    private static boolean signallingS(int a) {
        return nanS(a) && (a & QUIET_S) == 0;
    }

    // Double: choice, comparison, signs, classes.

    /** IEEE 754-2019 minimumNumber: a NaN loses to a number, -0 is below +0. */
    public long fminD(long a, long b) {
        if (nanD(a) || nanD(b)) {
            return numberD(a, b);
        }
        return beforeD(b, a) ? b : a;
    }

    /** IEEE 754-2019 maximumNumber. */
    public long fmaxD(long a, long b) {
        if (nanD(a) || nanD(b)) {
            return numberD(a, b);
        }
        return beforeD(a, b) ? b : a;
    }

    public static long fsgnjD(long a, long b) {
        return a & ~SIGN_D | b & SIGN_D;
    }

    public static long fsgnjnD(long a, long b) {
        return a & ~SIGN_D | ~b & SIGN_D;
    }

    public static long fsgnjxD(long a, long b) {
        return a ^ b & SIGN_D;
    }

    /** 1 or 0; quiet: only a signalling NaN is invalid. */
    public int feqD(long a, long b) {
        if (signallingD(a) || signallingD(b)) {
            flags |= INVALID;
        }
        return Double.longBitsToDouble(a) == Double.longBitsToDouble(b) ? 1 : 0;
    }

    /** 1 or 0; any NaN is invalid. */
    public int fltD(long a, long b) {
        if (nanD(a) || nanD(b)) {
            flags |= INVALID;
            return 0;
        }
        return Double.longBitsToDouble(a) < Double.longBitsToDouble(b) ? 1 : 0;
    }

    /** 1 or 0; any NaN is invalid. */
    public int fleD(long a, long b) {
        if (nanD(a) || nanD(b)) {
            flags |= INVALID;
            return 0;
        }
        return Double.longBitsToDouble(a) <= Double.longBitsToDouble(b) ? 1 : 0;
    }

    /** One bit of ten, as the section on the classify instruction numbers them. */
    public static int fclassD(long a) {
        long magnitude = a & ~SIGN_D;
        if (magnitude > INFINITY_D) {
            return (a & QUIET_D) != 0 ? 1 << 9 : 1 << 8;
        }
        int rank; // distance from zero
        if (magnitude == INFINITY_D) {
            rank = 3;
        } else if (magnitude >= MIN_NORMAL_D) {
            rank = 2;
        } else {
            rank = magnitude != 0 ? 1 : 0;
        }
        return a < 0 ? 1 << (3 - rank) : 1 << (4 + rank);
    }

    private long numberD(long a, long b) {
        if (signallingD(a) || signallingD(b)) {
            flags |= INVALID;
        }
        if (!nanD(a)) {
            return a;
        }
        return nanD(b) ? CANONICAL_NAN_D : b;
    }

    /** Order of numbers with -0 before +0: of the bits as sign and magnitude. */
    private static boolean beforeD(long a, long b) {
        return (a ^ (a >> 63 & ~SIGN_D)) < (b ^ (b >> 63 & ~SIGN_D));
    }

    private static boolean nanD(long a) {
        return (a & ~SIGN_D) > INFINITY_D;
    }

    private static boolean signallingD(long a) {
        return nanD(a) && (a & QUIET_D) == 0;
    }

    private static boolean normal(long a) {
        long biased = a & INFINITY_D;
        return biased != 0 && biased != INFINITY_D;
    }

    private static boolean aboveMinNormal(long a) {
        long magnitude = a & ~SIGN_D;
        return magnitude > MIN_NORMAL_D && magnitude < INFINITY_D;
    }

    /** Of a normal number: 53 bits. */
    private static long significand(long a) {
        return a & FRACTION_D | MIN_NORMAL_D;
    }

    /** Of a normal number, biased. */
    private static int exponent(long a) {
        return (int) (a >>> 52) & 0x7ff;
    }
}
