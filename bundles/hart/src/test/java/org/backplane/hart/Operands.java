package org.backplane.hart;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Operands worth trying: every special value and the neighbourhoods where rounding is decided. */
final class Operands {
    private final Random random;

    Operands(long seed) {
        random = new Random(seed);
    }

    /** Rows of three operands and a value for fcsr: corners with each other, then drawn ones. */
    long[][] rows(Operation op, int drawn) {
        long[] corners = corners(op.format());
        List<long[]> rows = new ArrayList<>();
        int second = op.sources().length() > 1 ? corners.length : 1;
        for (long a : corners) {
            for (int i = 0; i < second; i++) {
                rows.add(row(op, a, corners[i], corners[random.nextInt(corners.length)]));
            }
        }
        for (int i = 0; i < drawn; i++) {
            long a = draw(op.format());
            long b = random.nextInt(4) == 0 ? near(op.format(), a) : draw(op.format());
            long c = draw(op.format());
            if (op.sources().length() == 3 && random.nextBoolean()) {
                c = nearProduct(op.format(), a, b);
            }
            rows.add(row(op, a, b, c));
        }
        return rows.toArray(long[][]::new);
    }

    private long[] row(Operation op, long a, long b, long c) {
        int rounding = random.nextInt(5);
        // As often as not inexact is set beforehand, as it is in most programs.
        int flags = random.nextBoolean() ? random.nextInt(32) : 0;
        long fcsr = (long) rounding << 5 | flags;
        if (op.format() != Operation.Format.SINGLE) {
            return new long[] {a, b, c, fcsr};
        }
        return new long[] {boxed(a), boxed(b), boxed(c), fcsr};
    }

    /** Boxed nearly always; else something that has to be read as the canonical NaN. */
    private long boxed(long single) {
        switch (random.nextInt(64)) {
            case 0:
                return single & 0xffffffffL;
            case 1:
                return single ^ 1L << (32 + random.nextInt(32));
            default:
                return FloatingPoint.box((int) single);
        }
    }

    private long draw(Operation.Format format) {
        switch (format) {
            case SINGLE:
                return drawFloat(23, 8);
            case DOUBLE:
                return drawFloat(52, 11);
            default:
                long any = random.nextLong() >> random.nextInt(64);
                return random.nextInt(8) == 0 ? tie(any) : any;
        }
    }

    /**
     * An integer whose bits end in a half, or next to one, of a single's or double's last place.
     */
    private long tie(long any) {
        int position = random.nextBoolean() ? 38 : 9;
        long cut = any & -1L << position + 1 | 1L << position;
        return cut + random.nextInt(3) - 1;
    }

    private long drawFloat(int fractionBits, int exponentBits) {
        int bias = (1 << exponentBits - 1) - 1;
        long exponent;
        switch (random.nextInt(4)) {
            case 0:
                exponent = random.nextInt(2 << exponentBits - 1);
                break;
            case 1:
                exponent = bias + random.nextInt(140) - 70;
                break;
            case 2:
                // Products and quotients of these end near the least normal number.
                exponent = bias / 2 + random.nextInt(9) - 4;
                break;
            default:
                exponent = bias + random.nextInt(9) - 4;
                break;
        }
        long fraction = random.nextLong() & (1L << fractionBits) - 1;
        switch (random.nextInt(4)) {
            case 0:
                fraction &= -1L << random.nextInt(fractionBits + 1);
                break;
            case 1:
                fraction |= (1L << random.nextInt(fractionBits + 1)) - 1;
                break;
            default:
                break;
        }
        fraction &= (1L << fractionBits) - 1;
        long sign = random.nextLong() & 1;
        return sign << exponentBits + fractionBits | exponent << fractionBits | fraction;
    }

    private long near(Operation.Format format, long bits) {
        long sign = format == Operation.Format.SINGLE ? 1L << 31 : 1L << 63;
        long moved = bits + random.nextInt(9) - 4;
        return random.nextBoolean() ? moved ^ sign : moved;
    }

    /** An addend that cancels most of a product. */
    private long nearProduct(Operation.Format format, long a, long b) {
        if (format == Operation.Format.SINGLE) {
            float product = Float.intBitsToFloat((int) a) * Float.intBitsToFloat((int) b);
            return near(format, Float.floatToRawIntBits(-product) & 0xffffffffL);
        }
        double product = Double.longBitsToDouble(a) * Double.longBitsToDouble(b);
        return near(format, Double.doubleToRawLongBits(-product));
    }

    static long[] corners(Operation.Format format) {
        List<Long> values = new ArrayList<>();
        switch (format) {
            case SINGLE:
                floats(values, 23, 8);
                break;
            case DOUBLE:
                floats(values, 52, 11);
                break;
            default:
                for (int bit : new int[] {0, 1, 23, 24, 25, 31, 32, 52, 53, 54, 62, 63}) {
                    for (int off = -2; off <= 2; off++) {
                        values.add((1L << bit) + off);
                        values.add(-(1L << bit) + off);
                    }
                }
                break;
        }
        return values.stream().mapToLong(Long::longValue).distinct().toArray();
    }

    private static void floats(List<Long> values, int fractionBits, int exponentBits) {
        int bias = (1 << exponentBits - 1) - 1;
        long one = (long) bias << fractionBits;
        long ulp = 1L << fractionBits;
        long infinity = (2L * bias + 1) << fractionBits;
        long quiet = 1L << fractionBits - 1;
        List<Long> positive = new ArrayList<>();
        positive.addAll(List.of(0L, 1L, 2L, quiet, ulp - 1, ulp, ulp + 1, 2 * ulp));
        positive.addAll(List.of(one - 1, one, one + 1, one + quiet, one - ulp, one + ulp));
        positive.addAll(List.of(infinity - 1, infinity - ulp, infinity));
        positive.addAll(List.of(infinity | 1, infinity | quiet, infinity | quiet | 5));
        positive.add(one + ulp + quiet); // 3
        // Where the integer formats end, and halves near them.
        for (int power : new int[] {31, 32, 63, 64}) {
            long bits = one + power * ulp;
            positive.addAll(List.of(bits - 1, bits, bits + 1));
        }
        for (long value : positive) {
            values.add(value);
            values.add(value | 1L << exponentBits + fractionBits);
        }
    }
}
