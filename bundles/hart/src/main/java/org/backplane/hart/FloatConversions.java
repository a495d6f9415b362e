package org.backplane.hart;

import static org.backplane.hart.FloatFormat.DOUBLE;
import static org.backplane.hart.FloatFormat.SINGLE;
import static org.backplane.hart.FloatingPoint.INEXACT;
import static org.backplane.hart.FloatingPoint.RNE;
import static org.backplane.hart.FloatingPoint.RTZ;

/**
 * The conversions of {@link FloatingPoint}, its flags, and what decides whether Java's own
 * arithmetic may answer.
 *
 * <p>Java computes in either format with round to nearest, ties to even, and no flags (Java
 * language, section 15.4). Its result is used where an exact test on it proves which flags belong
 * to it; everything else goes to {@link SoftFloat}. A result that is exact, and no zero from a sum,
 * is right in every rounding mode. An inexact one is right in round to nearest, and raises inexact
 * alone if it is finite and larger than the smallest normal number: no overflow, and not tiny
 * whatever the exact value was. Each test's proof stands beside it.
 */
abstract sealed class FloatConversions permits FloatingPoint {
    private static final double TWO_31 = 0x1p31;
    private static final double TWO_32 = 0x1p32;
    private static final double TWO_63 = 0x1p63;
    private static final long UNSIGNED_WORD = 0xffffffffL;

    final SoftFloat soft = new SoftFloat();
    int flags;

    /** The accrued exception flags, as in the low five bits of fcsr. */
    public final int flags() {
        return flags;
    }

    public final void flags(int fflags) {
        flags = fflags & 0x1f;
    }

    // Single to integers: Java's cast truncates.

    public final int fcvtWS(int a, int rm) {
        double x = Float.intBitsToFloat(a);
        if (Math.abs(x) < TWO_31) {
            int truncated = (int) x;
            if (truncates(truncated == x, rm)) {
                return truncated;
            }
        }
        return (int)
                soft(soft.toInteger(SINGLE, wide(a), rm, Integer.MIN_VALUE, Integer.MAX_VALUE));
    }

    public final int fcvtWuS(int a, int rm) {
        double x = Float.intBitsToFloat(a);
        if (x >= 0 && x < TWO_32) {
            long truncated = (long) x;
            if (truncates(truncated == x, rm)) {
                return (int) truncated;
            }
        }
        return (int) soft(soft.toInteger(SINGLE, wide(a), rm, 0, UNSIGNED_WORD));
    }

    public final long fcvtLS(int a, int rm) {
        double x = Float.intBitsToFloat(a);
        if (Math.abs(x) < TWO_63) {
            long truncated = (long) x;
            if (truncates(truncated == x, rm)) {
                return truncated;
            }
        }
        return soft(soft.toInteger(SINGLE, wide(a), rm, Long.MIN_VALUE, Long.MAX_VALUE));
    }

    public final long fcvtLuS(int a, int rm) {
        double x = Float.intBitsToFloat(a);
        if (x >= 0 && x < TWO_63) {
            long truncated = (long) x;
            if (truncates(truncated == x, rm)) {
                return truncated;
            }
        }
        return soft(soft.toInteger(SINGLE, wide(a), rm, 0, -1));
    }

    // Double to integers: Java's cast truncates.

    public final int fcvtWD(long a, int rm) {
        double x = Double.longBitsToDouble(a);
        if (Math.abs(x) < TWO_31) {
            int truncated = (int) x;
            if (truncates(truncated == x, rm)) {
                return truncated;
            }
        }
        return (int) soft(soft.toInteger(DOUBLE, a, rm, Integer.MIN_VALUE, Integer.MAX_VALUE));
    }

    public final int fcvtWuD(long a, int rm) {
        double x = Double.longBitsToDouble(a);
        if (x >= 0 && x < TWO_32) {
            long truncated = (long) x;
            if (truncates(truncated == x, rm)) {
                return (int) truncated;
            }
        }
        return (int) soft(soft.toInteger(DOUBLE, a, rm, 0, UNSIGNED_WORD));
    }

    public final long fcvtLD(long a, int rm) {
        double x = Double.longBitsToDouble(a);
        if (Math.abs(x) < TWO_63) {
            long truncated = (long) x;
            if (truncates(truncated == x, rm)) {
                return truncated;
            }
        }
        return soft(soft.toInteger(DOUBLE, a, rm, Long.MIN_VALUE, Long.MAX_VALUE));
    }

    public final long fcvtLuD(long a, int rm) {
        double x = Double.longBitsToDouble(a);
        if (x >= 0 && x < TWO_63) {
            long truncated = (long) x;
            if (truncates(truncated == x, rm)) {
                return truncated;
            }
        }
        return soft(soft.toInteger(DOUBLE, a, rm, 0, -1));
    }

    // Integers to single and double.

    public final int fcvtSW(int a, int rm) {
        return fcvtSL(a, rm);
    }

    public final int fcvtSWu(int a, int rm) {
        return fcvtSL(a & UNSIGNED_WORD, rm);
    }

    public final int fcvtSL(long a, int rm) {
        // Short of the ends, where the cast back would saturate to the very value that was lost.
        if (a < Long.MAX_VALUE >> 1 && a > Long.MIN_VALUE >> 1) {
            float rounded = a;
            if (nearestD((long) rounded == a, rm)) {
                return Float.floatToRawIntBits(rounded);
            }
        }
        return softS(soft.fromInteger(SINGLE, a < 0, Math.abs(a), rm));
    }

    public final int fcvtSLu(long a, int rm) {
        return a >= 0 ? fcvtSL(a, rm) : softS(soft.fromInteger(SINGLE, false, a, rm));
    }

    /** Exact: the rounding mode is without effect. */
    public final long fcvtDW(int a, int rm) {
        return Double.doubleToRawLongBits(a);
    }

    /** Exact: the rounding mode is without effect. */
    public final long fcvtDWu(int a, int rm) {
        return Double.doubleToRawLongBits(a & UNSIGNED_WORD);
    }

    public final long fcvtDL(long a, int rm) {
        if (a < Long.MAX_VALUE >> 1 && a > Long.MIN_VALUE >> 1) {
            double rounded = a;
            if (nearestD((long) rounded == a, rm)) {
                return Double.doubleToRawLongBits(rounded);
            }
        }
        return soft(soft.fromInteger(DOUBLE, a < 0, Math.abs(a), rm));
    }

    public final long fcvtDLu(long a, int rm) {
        return a >= 0 ? fcvtDL(a, rm) : soft(soft.fromInteger(DOUBLE, false, a, rm));
    }

    // Between the two.

    public final int fcvtSD(long a, int rm) {
        double x = Double.longBitsToDouble(a);
        float rounded = (float) x;
        if (rounded == x || nearestS(rounded, rm)) {
            return Float.floatToRawIntBits(rounded);
        }
        return softS(soft.convert(DOUBLE, SINGLE, a, rm));
    }

    /** Exact. */
    public final long fcvtDS(int a) {
        if (Float.isNaN(Float.intBitsToFloat(a))) {
            return soft(soft.convert(SINGLE, DOUBLE, wide(a), RNE));
        }
        return Double.doubleToRawLongBits(Float.intBitsToFloat(a));
    }

    /** Whether an inexact result to nearest may stand; raises its flag. False for NaN. */
    final boolean nearestS(float rounded, int rm) {
        float magnitude = Math.abs(rounded);
        if (rm == RNE && magnitude > Float.MIN_NORMAL && magnitude <= Float.MAX_VALUE) {
            flags |= INEXACT;
            return true;
        }
        return false;
    }

    /** Whether a result to nearest may stand, exact or not; raises its flag. */
    final boolean nearestD(boolean exact, int rm) {
        if (exact) {
            return true;
        }
        if (rm == RNE) {
            flags |= INEXACT;
            return true;
        }
        return false;
    }

    /** Whether a truncated result may stand, exact or not; raises its flag. */
    private boolean truncates(boolean exact, int rm) {
        if (exact) {
            return true;
        }
        if (rm == RTZ) {
            flags |= INEXACT;
            return true;
        }
        return false;
    }

    static long wide(int single) {
        return single & UNSIGNED_WORD;
    }

    final long soft(long result) {
        flags |= soft.takeFlags();
        return result;
    }

    final int softS(long result) {
        return (int) soft(result);
    }
}
