package org.backplane.bench;

import java.util.Arrays;
import java.util.Collection;

/**
 * Times of one kind, in nanoseconds. Percentiles are of the nearest rank: a value that occurred.
 */
final class Samples {
    private final long[] sorted;

    private Samples(long[] sorted) {
        this.sorted = sorted;
    }

    static Samples of(Collection<Long> nanoseconds) {
        long[] values = nanoseconds.stream().mapToLong(Long::longValue).toArray();
        Arrays.sort(values);
        return new Samples(values);
    }

    int count() {
        return sorted.length;
    }

    boolean isEmpty() {
        return sorted.length == 0;
    }

    /**
     * The smallest value that as many percent of all do not exceed.
     *
     * @throws IllegalStateException if there are no values
     */
    long percentile(int percent) {
        if (isEmpty()) {
            throw new IllegalStateException("no values, no percentile");
        }
        int rank = (int) Math.ceil(percent / 100.0 * sorted.length);
        return sorted[Math.max(rank, 1) - 1];
    }

    long worst() {
        return percentile(100);
    }
}
