package org.backplane.hart;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.util.stream.LongStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.RandomDistribution;

class FloatingPointTest {
    private static final int NV = FloatingPoint.INVALID;
    private static final int DZ = FloatingPoint.DIVIDE_BY_ZERO;
    private static final int OF = FloatingPoint.OVERFLOW;
    private static final int UF = FloatingPoint.UNDERFLOW;
    private static final int NX = FloatingPoint.INEXACT;

    private static final int SIGNALLING_S = 0x7f800001;
    private static final long SIGNALLING_D = 0x7ff0000000000001L;

    private final FloatingPoint fp = new FloatingPoint();

    @Example
    void nanResultsAreCanonical() {
        assertEquals(0x7fc00000, fp.faddS(0xffc12345, s(1), 0));
        assertEquals(0, fp.flags());
        assertEquals(0x7fc00000, fp.fmulS(SIGNALLING_S, s(1), 0));
        assertEquals(NV, fp.flags());
        assertEquals(FloatingPoint.CANONICAL_NAN_D, fp.fsqrtD(d(-1), 0));
    }

    @Example
    void readsAnUnboxedSingleAsNan() {
        assertEquals(0x7fc00000, FloatingPoint.unbox(0x3f800000L));
        assertEquals(s(1), FloatingPoint.unbox(FloatingPoint.box(s(1))));
        assertEquals(s(-1), FloatingPoint.unbox(FloatingPoint.box(s(-1))));
    }

    @Example
    void flagsAccumulateUntilWritten() {
        fp.fdivD(d(1), d(0), 0);
        fp.fdivD(d(1), d(3), 0);
        assertEquals(DZ | NX, fp.flags());
        fp.flags(UF);
        fp.faddD(d(1), d(2), 0);
        assertEquals(UF, fp.flags());
    }

    @Example
    void zeroByZeroIsInvalidAndNotADivisionByZero() {
        fp.fdivS(s(0), s(-0f), 0);
        assertEquals(NV, fp.flags());
    }

    @Example
    void infinityTimesZeroIsInvalidEvenBesideAQuietNan() {
        int infinity = s(Float.POSITIVE_INFINITY);
        assertEquals(0x7fc00000, fp.fmaddS(infinity, s(0), 0x7fc00000, 0));
        assertEquals(NV, fp.flags());
    }

    @Example
    void overflowGoesWhereTheRoundingModePoints() {
        long max = d(Double.MAX_VALUE);
        long infinity = d(Double.POSITIVE_INFINITY);
        assertEquals(infinity, fp.faddD(max, max, FloatingPoint.RNE));
        assertEquals(max, fp.faddD(max, max, FloatingPoint.RTZ));
        assertEquals(max, fp.faddD(max, max, FloatingPoint.RDN));
        assertEquals(infinity, fp.faddD(max, max, FloatingPoint.RUP));
        assertEquals(infinity, fp.faddD(max, max, FloatingPoint.RMM));
        assertEquals(OF | NX, fp.flags());
    }

    @Example
    void resultRoundedUpToTheLeastNormalIsNotTiny() {
        // (1 - 2^-24) 2^-126 needs 24 bits: exact with an unbounded exponent, hence tiny.
        long half = 0x3f000000;
        int justBelow = 0x00ffffff; // (2 - 2^-23) 2^-126
        assertEquals(0x00800000, fp.fmulS(justBelow, (int) half, 0));
        assertEquals(UF | NX, fp.flags());
        fp.flags(0);
        // (1 - 2^-25) 2^-126 rounds to 2^-126 in 24 bits: not tiny.
        assertEquals(0x00800000, fp.fcvtSD(d(0x1.fffffep-127 + 0x1p-151), 0));
        assertEquals(NX, fp.flags());
    }

    @Example
    void cancellationGivesMinusZeroOnlyWhenRoundingDown() {
        for (int rm = 0; rm <= 4; rm++) {
            double expected = rm == FloatingPoint.RDN ? -0.0 : 0.0;
            assertEquals(d(expected), fp.fsubD(d(1), d(1), rm));
        }
    }

    @Example
    void minimumAndMaximumOrderTheZeroesAndPreferNumbers() {
        assertEquals(s(-0f), fp.fminS(s(0), s(-0f)));
        assertEquals(s(0), fp.fmaxS(s(-0f), s(0)));
        assertEquals(s(5), fp.fminS(0x7fc00000, s(5)));
        assertEquals(0, fp.flags());
        assertEquals(d(5), fp.fmaxD(d(5), SIGNALLING_D));
        assertEquals(NV, fp.flags());
        assertEquals(FloatingPoint.CANONICAL_NAN_D, fp.fmaxD(-1L, -1L));
    }

    @Example
    void equalityIsQuietAndOrderSignals() {
        int quiet = 0x7fc00000;
        assertEquals(0, fp.feqS(quiet, quiet));
        assertEquals(0, fp.flags());
        fp.feqS(SIGNALLING_S, s(1));
        assertEquals(NV, fp.flags());
        fp.flags(0);
        assertEquals(0, fp.fleS(quiet, s(1)));
        assertEquals(NV, fp.flags());
    }

    @Example
    void classifiesEveryKind() {
        long[] kinds = {
            d(Double.NEGATIVE_INFINITY),
            d(-1),
            d(-Double.MIN_VALUE),
            d(-0.0),
            d(0.0),
            d(Double.MIN_VALUE),
            d(1),
            d(Double.POSITIVE_INFINITY),
            SIGNALLING_D,
            FloatingPoint.CANONICAL_NAN_D
        };
        for (int kind = 0; kind < kinds.length; kind++) {
            assertEquals(1 << kind, FloatingPoint.fclassD(kinds[kind]));
        }
    }

    @Example
    void conversionsSaturateAndRaiseInvalidAlone() {
        assertEquals(Integer.MAX_VALUE, fp.fcvtWD(d(0x1p31), 1));
        assertEquals(Integer.MIN_VALUE, fp.fcvtWD(d(-0x1p31 - 1), 1));
        assertEquals(0, fp.fcvtWuD(d(-1), 1));
        assertEquals(-1, fp.fcvtWuD(d(0x1p32), 1));
        assertEquals(Long.MAX_VALUE, fp.fcvtLS(s(0x1p63f), 1));
        assertEquals(-1L, fp.fcvtLuS(0xffc00000, 1));
        assertEquals(Long.MIN_VALUE, fp.fcvtLD(d(Double.NEGATIVE_INFINITY), 1));
        assertEquals(NV, fp.flags());
    }

    @Example
    void minusOneHalfTruncatedIsAnInexactUnsignedZero() {
        assertEquals(0, fp.fcvtWuD(d(-0.5), FloatingPoint.RTZ));
        assertEquals(NX, fp.flags());
        fp.flags(0);
        assertEquals(0, fp.fcvtWuD(d(-0.5), FloatingPoint.RDN));
        assertEquals(NV, fp.flags());
    }

    @Example
    void mayRoundOutOfRange() {
        assertEquals(Integer.MAX_VALUE, fp.fcvtWD(d(0x1p31 - 0.5), FloatingPoint.RNE));
        assertEquals(NV, fp.flags());
        fp.flags(0);
        assertEquals(Integer.MAX_VALUE, fp.fcvtWD(d(0x1p31 - 0.5), FloatingPoint.RTZ));
        assertEquals(NX, fp.flags());
    }

    /** Java's own arithmetic answers only where the integers would say the same. */
    @Property(tries = 4_000, edgeCases = EdgeCasesMode.NONE)
    void shortCutsAgreeWithIntegerArithmetic(
            @ForAll("doubles") long a, @ForAll("doubles") long b, @ForAll("modes") int rm) {
        SoftFloat soft = new SoftFloat();
        FloatFormat f = FloatFormat.DOUBLE;
        agree(soft.add(f, a, b, rm), fp.faddD(a, b, rm), soft);
        agree(soft.multiply(f, a, b, rm), fp.fmulD(a, b, rm), soft);
        agree(soft.divide(f, a, b, rm), fp.fdivD(a, b, rm), soft);
        agree(soft.squareRoot(f, a, rm), fp.fsqrtD(a, rm), soft);
        agree(soft.convert(f, FloatFormat.SINGLE, a, rm), fp.fcvtSD(a, rm) & 0xffffffffL, soft);
        agree(soft.toInteger(f, a, rm, 0, -1), fp.fcvtLuD(a, rm), soft);
        agree(soft.fromInteger(f, false, a, rm), fp.fcvtDLu(a, rm), soft);
    }

    @Property(tries = 4_000, edgeCases = EdgeCasesMode.NONE)
    void shortCutsAgreeWithIntegerArithmeticInSingle(
            @ForAll("singles") int x,
            @ForAll("singles") int y,
            @ForAll("singles") int z,
            @ForAll("modes") int rm) {
        SoftFloat soft = new SoftFloat();
        FloatFormat f = FloatFormat.SINGLE;
        long a = x & 0xffffffffL;
        long b = y & 0xffffffffL;
        long c = z & 0xffffffffL;
        agree(soft.add(f, a, b, rm), fp.faddS(x, y, rm) & 0xffffffffL, soft);
        agree(soft.multiply(f, a, b, rm), fp.fmulS(x, y, rm) & 0xffffffffL, soft);
        agree(soft.divide(f, a, b, rm), fp.fdivS(x, y, rm) & 0xffffffffL, soft);
        agree(soft.squareRoot(f, a, rm), fp.fsqrtS(x, rm) & 0xffffffffL, soft);
        agree(soft.multiplyAdd(f, a, b, c, rm), fp.fmaddS(x, y, z, rm) & 0xffffffffL, soft);
        agree(soft.fromInteger(f, false, a, rm), fp.fcvtSWu(x, rm) & 0xffffffffL, soft);
    }

    private void agree(long integers, long shortCut, SoftFloat soft) {
        assertEquals(Long.toHexString(integers), Long.toHexString(shortCut));
        assertEquals(soft.takeFlags(), fp.flags());
        fp.flags(0);
    }

    /** The exact value of a sum of a product lies where the five results say it does. */
    @Property(tries = 1_500, edgeCases = EdgeCasesMode.NONE)
    void resultsEncloseTheExactValue(
            @ForAll("finite") double a, @ForAll("finite") double b, @ForAll("finite") double c) {
        fp.flags(0);
        BigDecimal exact = new BigDecimal(a).multiply(new BigDecimal(b)).add(new BigDecimal(c));
        double down = fused(a, b, c, FloatingPoint.RDN);
        double up = fused(a, b, c, FloatingPoint.RUP);
        // Zeroes compare as equal here; their signs have a test of their own.
        assertTrue((exact.signum() < 0 ? up : down) == fused(a, b, c, FloatingPoint.RTZ));
        boolean inexact = (fp.flags() & NX) != 0;
        if (down == up) {
            assertEquals(0, exact.compareTo(new BigDecimal(down)));
            assertFalse(inexact);
            return;
        }
        assertTrue(inexact);
        assertEquals(up, Math.nextUp(down));
        if (Double.isInfinite(down) || Double.isInfinite(up)) {
            return;
        }
        BigDecimal fromDown = exact.subtract(new BigDecimal(down));
        BigDecimal toUp = new BigDecimal(up).subtract(exact);
        assertTrue(fromDown.signum() > 0 && toUp.signum() > 0);
        int nearer = fromDown.compareTo(toUp);
        double even = (d(down) & 1) == 0 ? down : up;
        double away = exact.signum() > 0 ? up : down;
        assertEquals(nearer < 0 ? down : nearer > 0 ? up : even, fused(a, b, c, FloatingPoint.RNE));
        assertEquals(nearer < 0 ? down : nearer > 0 ? up : away, fused(a, b, c, FloatingPoint.RMM));
    }

    private double fused(double a, double b, double c, int rm) {
        return Double.longBitsToDouble(fp.fmaddD(d(a), d(b), d(c), rm));
    }

    @Provide
    Arbitrary<Long> doubles() {
        Arbitrary<Long> any = Arbitraries.longs().withDistribution(RandomDistribution.uniform());
        Arbitrary<Long> corner = corners(Operation.Format.DOUBLE);
        return Arbitraries.oneOf(any, corner, finite().map(FloatingPointTest::d));
    }

    @Provide
    Arbitrary<Integer> singles() {
        Arbitrary<Integer> any =
                Arbitraries.integers().withDistribution(RandomDistribution.uniform());
        Arbitrary<Integer> corner = corners(Operation.Format.SINGLE).map(Long::intValue);
        return Arbitraries.oneOf(any, corner, finite().map(value -> s(value.floatValue())));
    }

    private static Arbitrary<Long> corners(Operation.Format format) {
        return Arbitraries.of(LongStream.of(Operands.corners(format)).boxed().toList());
    }

    @Provide
    Arbitrary<Double> finite() {
        // Few bits and exponents near each other: ties and cancellation are common.
        Arbitrary<Double> near =
                Combinators.combine(
                                Arbitraries.longs().between(-(1L << 54), 1L << 54),
                                Arbitraries.integers().between(-60, 60))
                        .as((i, e) -> Math.scalb((double) i, e));
        Arbitrary<Double> any =
                Arbitraries.longs().map(Double::longBitsToDouble).filter(Double::isFinite);
        return Arbitraries.oneOf(near, any);
    }

    @Provide
    Arbitrary<Integer> modes() {
        return Arbitraries.integers().between(0, 4);
    }

    private static int s(float value) {
        return Float.floatToRawIntBits(value);
    }

    private static long d(double value) {
        return Double.doubleToRawLongBits(value);
    }
}
