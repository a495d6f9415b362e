package org.backplane.shell.map;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * How many columns each of a row's parts gets: at least one, all together exactly the row's.
 *
 * @param linear whether columns are in proportion to sizes; otherwise to their logarithms
 * @param bytesPerColumn of a linear row, rounded
 */
record Widths(int[] columns, boolean linear, long bytesPerColumn) {
    /** A part whose fair share is less than this is hidden by a linear scale. */
    private static final double VISIBLE = 0.5;

    /**
     * Divides a row. Linear if that hides nothing, else by the logarithm of the sizes.
     *
     * @param parts no more than there are columns
     */
    static Widths of(List<Part> parts, int columns) {
        double[] sizes = parts.stream().mapToDouble(Widths::size).toArray();
        double all = Arrays.stream(sizes).sum();
        double smallest =
                IntStream.range(0, sizes.length)
                        .filter(i -> !parts.get(i).isHole())
                        .mapToDouble(i -> sizes[i])
                        .min()
                        .orElse(all);
        boolean linear = smallest / all * columns >= VISIBLE;
        double least = Arrays.stream(sizes).min().orElse(1);
        double[] weights =
                linear
                        ? sizes
                        : Arrays.stream(sizes)
                                .map(size -> 1 + Math.log(size / least) / Math.log(2))
                                .toArray();
        return new Widths(divided(weights, columns), linear, Math.round(all / columns));
    }

    /** Unsigned: a part may reach over the upper half of the addresses. */
    private static double size(Part part) {
        long size = part.range().size();
        return size >= 0 ? size : size + 0x1p64;
    }

    /** One column for each and the rest by weight, what is left over to the largest remainders. */
    private static int[] divided(double[] weights, int columns) {
        double all = Arrays.stream(weights).sum();
        int[] given = new int[weights.length];
        double[] wanted = new double[weights.length];
        int left = columns;
        for (int i = 0; i < weights.length; i++) {
            wanted[i] = weights[i] / all * columns;
            given[i] = Math.max(1, (int) wanted[i]);
            left -= given[i];
        }
        for (; left != 0; left -= Integer.signum(left)) {
            int step = Integer.signum(left);
            int best = -1;
            for (int i = 0; i < given.length; i++) {
                boolean may = step > 0 || given[i] > 1;
                double need = step * (wanted[i] - given[i]);
                if (may && (best < 0 || need > step * (wanted[best] - given[best]))) {
                    best = i;
                }
            }
            given[best] += step;
        }
        return given;
    }
}
