package org.backplane.hart;

/**
 * The F and D extensions' arithmetic (RISC-V unprivileged ISA, chapters "F" and "D"; IEEE 754-2019)
 * on raw bits. Methods bear the instructions' names with the formats as suffix: {@code S} single
 * ({@code int} bits, unboxed), {@code D} double ({@code long} bits), {@code W Wu L Lu} integers.
 * Every NaN result is the canonical one; tininess is detected after rounding.
 *
 * <p>One instance belongs to one hart and its thread; nothing allocates. Rounding modes are the
 * numbers of the {@code rm} field, 0 to 4: the caller resolves DYN and refuses 5 and 6.
 */
public final class FloatingPoint {
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

    /** The accrued exception flags, as in the low five bits of fcsr. */
    public int flags() {
        throw new AssertionError("skeleton");
    }

    public void flags(int fflags) {
        throw new AssertionError("skeleton");
    }

    /** A single in a 64-bit register: the upper half all ones. */
    public static long box(int single) {
        return single | 0xffffffff00000000L;
    }

    /** The single in a 64-bit register; the canonical NaN if it is not boxed. */
    public static int unbox(long register) {
        return (register >> 32) == -1 ? (int) register : CANONICAL_NAN_S;
    }

    public int faddS(int a, int b, int rm) {
        throw new AssertionError("skeleton");
    }

    public int fsubS(int a, int b, int rm) {
        throw new AssertionError("skeleton");
    }

    public int fmulS(int a, int b, int rm) {
        throw new AssertionError("skeleton");
    }

    public int fdivS(int a, int b, int rm) {
        throw new AssertionError("skeleton");
    }

    public int fsqrtS(int a, int rm) {
        throw new AssertionError("skeleton");
    }

    public int fmaddS(int a, int b, int c, int rm) {
        throw new AssertionError("skeleton");
    }

    public int fmsubS(int a, int b, int c, int rm) {
        throw new AssertionError("skeleton");
    }

    public int fnmsubS(int a, int b, int c, int rm) {
        throw new AssertionError("skeleton");
    }

    public int fnmaddS(int a, int b, int c, int rm) {
        throw new AssertionError("skeleton");
    }

    public int fminS(int a, int b) {
        throw new AssertionError("skeleton");
    }

    public int fmaxS(int a, int b) {
        throw new AssertionError("skeleton");
    }

    public static int fsgnjS(int a, int b) {
        throw new AssertionError("skeleton");
    }

    public static int fsgnjnS(int a, int b) {
        throw new AssertionError("skeleton");
    }

    public static int fsgnjxS(int a, int b) {
        throw new AssertionError("skeleton");
    }

    public int feqS(int a, int b) {
        throw new AssertionError("skeleton");
    }

    public int fltS(int a, int b) {
        throw new AssertionError("skeleton");
    }

    public int fleS(int a, int b) {
        throw new AssertionError("skeleton");
    }

    public static int fclassS(int a) {
        throw new AssertionError("skeleton");
    }

    public int fcvtWS(int a, int rm) {
        throw new AssertionError("skeleton");
    }

    public int fcvtSW(int a, int rm) {
        throw new AssertionError("skeleton");
    }

    public int fcvtWuS(int a, int rm) {
        throw new AssertionError("skeleton");
    }

    public int fcvtSWu(int a, int rm) {
        throw new AssertionError("skeleton");
    }

    public long fcvtLS(int a, int rm) {
        throw new AssertionError("skeleton");
    }

    public int fcvtSL(long a, int rm) {
        throw new AssertionError("skeleton");
    }

    public long fcvtLuS(int a, int rm) {
        throw new AssertionError("skeleton");
    }

    public int fcvtSLu(long a, int rm) {
        throw new AssertionError("skeleton");
    }

    public long faddD(long a, long b, int rm) {
        throw new AssertionError("skeleton");
    }

    public long fsubD(long a, long b, int rm) {
        throw new AssertionError("skeleton");
    }

    public long fmulD(long a, long b, int rm) {
        throw new AssertionError("skeleton");
    }

    public long fdivD(long a, long b, int rm) {
        throw new AssertionError("skeleton");
    }

    public long fsqrtD(long a, int rm) {
        throw new AssertionError("skeleton");
    }

    public long fmaddD(long a, long b, long c, int rm) {
        throw new AssertionError("skeleton");
    }

    public long fmsubD(long a, long b, long c, int rm) {
        throw new AssertionError("skeleton");
    }

    public long fnmsubD(long a, long b, long c, int rm) {
        throw new AssertionError("skeleton");
    }

    public long fnmaddD(long a, long b, long c, int rm) {
        throw new AssertionError("skeleton");
    }

    public long fminD(long a, long b) {
        throw new AssertionError("skeleton");
    }

    public long fmaxD(long a, long b) {
        throw new AssertionError("skeleton");
    }

    public static long fsgnjD(long a, long b) {
        throw new AssertionError("skeleton");
    }

    public static long fsgnjnD(long a, long b) {
        throw new AssertionError("skeleton");
    }

    public static long fsgnjxD(long a, long b) {
        throw new AssertionError("skeleton");
    }

    public int feqD(long a, long b) {
        throw new AssertionError("skeleton");
    }

    public int fltD(long a, long b) {
        throw new AssertionError("skeleton");
    }

    public int fleD(long a, long b) {
        throw new AssertionError("skeleton");
    }

    public static int fclassD(long a) {
        throw new AssertionError("skeleton");
    }

    public int fcvtWD(long a, int rm) {
        throw new AssertionError("skeleton");
    }

    public long fcvtDW(int a, int rm) {
        throw new AssertionError("skeleton");
    }

    public int fcvtWuD(long a, int rm) {
        throw new AssertionError("skeleton");
    }

    public long fcvtDWu(int a, int rm) {
        throw new AssertionError("skeleton");
    }

    public long fcvtLD(long a, int rm) {
        throw new AssertionError("skeleton");
    }

    public long fcvtDL(long a, int rm) {
        throw new AssertionError("skeleton");
    }

    public long fcvtLuD(long a, int rm) {
        throw new AssertionError("skeleton");
    }

    public long fcvtDLu(long a, int rm) {
        throw new AssertionError("skeleton");
    }

    public int fcvtSD(long a, int rm) {
        throw new AssertionError("skeleton");
    }

    public long fcvtDS(int a) {
        throw new AssertionError("skeleton");
    }
}
