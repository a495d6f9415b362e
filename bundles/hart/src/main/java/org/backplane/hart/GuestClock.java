package org.backplane.hart;

/** Guest time, which stands still between {@link #stop} and {@link #start}. Thread-safe. */
final class GuestClock {
    private static final long NANOS = 1_000_000_000L;

    /**
     * @param origin what to take from {@link System#nanoTime}; while stopped, guest time itself
     */
    private record State(boolean stopped, long origin) {}

    private final long frequency;
    private volatile State state = new State(false, System.nanoTime());

    /**
     * @param frequency of the {@code time} CSR, in Hz
     */
    GuestClock(long frequency) {
        this.frequency = frequency;
    }

    /** Nanoseconds since the VM was made, without pauses. */
    long nanos() {
        State now = state;
        return now.stopped ? now.origin : System.nanoTime() - now.origin;
    }

    /** The {@code time} CSR. */
    long ticks() {
        long nanos = nanos();
        return nanos / NANOS * frequency + nanos % NANOS * frequency / NANOS;
    }

    /**
     * Nanoseconds until {@code time} reaches a value, at least 0 and at most a day, after which one
     * may ask again.
     */
    long nanosUntil(long ticks) {
        long now = ticks();
        long left = ticks - now;
        if (Long.compareUnsigned(ticks, now) <= 0) {
            return 0;
        }
        long day = 86_400;
        if (left < 0 || left / frequency >= day) {
            return day * NANOS;
        }
        return left / frequency * NANOS + (left % frequency * NANOS + frequency - 1) / frequency;
    }

    boolean stopped() {
        return state.stopped;
    }

    /** Stops guest time at a value. */
    synchronized void stopAt(long nanos) {
        state = new State(true, nanos);
    }

    synchronized void stop() {
        if (!state.stopped) {
            state = new State(true, System.nanoTime() - state.origin);
        }
    }

    synchronized void start() {
        if (state.stopped) {
            state = new State(false, System.nanoTime() - state.origin);
        }
    }
}
