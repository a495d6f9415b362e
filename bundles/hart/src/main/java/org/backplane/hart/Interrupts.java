package org.backplane.hart;

/**
 * The supervisor interrupts of a hart: what is pending and which goes first. Software interrupts
 * may be raised by any thread; all else belongs to the hart's.
 */
final class Interrupts {
    // Causes, and bits of sip and sie.
    static final int SOFTWARE = 1;
    static final int TIMER = 5;
    static final int EXTERNAL = 9;
    static final long SOFTWARE_BIT = 1L << SOFTWARE;
    static final long TIMER_BIT = 1L << TIMER;
    static final long EXTERNAL_BIT = 1L << EXTERNAL;
    static final long ALL = SOFTWARE_BIT | TIMER_BIT | EXTERNAL_BIT;

    /** stopi.IPRIO where no priorities can be set (AIA section 5.4.2): always 1. */
    private static final int PRIORITY = 1;

    private static final int TOP_IDENTITY_SHIFT = 16;

    private final GuestClock clock;
    private final InterruptFile file;
    private final Runnable wake;
    private volatile boolean software;
    private long timerCompare;
    private long enabled;

    /** Whether the timer was pending when last looked at. */
    private boolean timer;

    /**
     * @param wake has the hart look at its interrupts; from any thread
     */
    Interrupts(GuestClock clock, InterruptFile file, Runnable wake) {
        this.clock = clock;
        this.file = file;
        this.wake = wake;
        reset();
    }

    void reset() {
        software = false;
        timerCompare = -1;
        enabled = 0;
        timer = false;
        file.reset();
    }

    InterruptRecord save() {
        return new InterruptRecord(software, enabled, timerCompare);
    }

    /** All but the file. */
    void restore(InterruptRecord saved) {
        software = saved.software();
        enabled = saved.sie();
        timerCompare = saved.stimecmp();
        timer = false;
    }

    InterruptFile file() {
        return file;
    }

    /** An inter-processor interrupt; from any thread. */
    void raiseSoftware() {
        software = true;
        wake.run();
    }

    /** The hart's own write of sip.SSIP. */
    void software(boolean pending) {
        software = pending;
    }

    long enabled() {
        return enabled;
    }

    void enabled(long sie) {
        enabled = sie & ALL;
    }

    long timerCompare() {
        return timerCompare;
    }

    void timerCompare(long ticks) {
        timerCompare = ticks;
        look();
    }

    /** Reads the clock into what {@link #pending} says of the timer. */
    void look() {
        timer = timerCompare != -1 && Long.compareUnsigned(clock.ticks(), timerCompare) >= 0;
    }

    /** sip, the timer as of the last {@link #look}. */
    long pending() {
        return (software ? SOFTWARE_BIT : 0)
                | (timer ? TIMER_BIT : 0)
                | (file.pending() ? EXTERNAL_BIT : 0);
    }

    /** Whether an interrupt is pending that sie lets through. */
    boolean any() {
        return (pending() & enabled) != 0;
    }

    /** The cause of the first pending and enabled interrupt in the default order, or -1. */
    int first() {
        long ready = pending() & enabled;
        if ((ready & EXTERNAL_BIT) != 0) {
            return EXTERNAL;
        }
        if ((ready & SOFTWARE_BIT) != 0) {
            return SOFTWARE;
        }
        return ready != 0 ? TIMER : -1;
    }

    /** stopi (AIA section 5.4.2). */
    long top() {
        look();
        int first = first();
        return first < 0 ? 0 : (long) first << TOP_IDENTITY_SHIFT | PRIORITY;
    }

    /** Nanoseconds until the timer interrupt, if it is enabled; else a long time. */
    long nanosToTimer() {
        return (enabled & TIMER_BIT) == 0 ? Long.MAX_VALUE : clock.nanosUntil(timerCompare);
    }
}
