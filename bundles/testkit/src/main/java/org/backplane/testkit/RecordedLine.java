package org.backplane.testkit;

import org.backplane.device.context.InterruptLine;

/** An interrupt line that remembers. Thread-safe. */
public final class RecordedLine implements InterruptLine {
    /** The source of a line that was not asked for by number. */
    public static final int ANY = -1;

    private final int source;
    private final Runnable closing;
    private boolean high;
    private int rises;
    private boolean closed;

    RecordedLine(int source, Runnable closing) {
        this.source = source;
        this.closing = closing;
    }

    /** The number that the device asked for, or {@link #ANY}. */
    public int source() {
        return source;
    }

    @Override
    public synchronized void set(boolean level) {
        if (closed) {
            return;
        }
        if (level && !high) {
            rises++;
        }
        high = level;
    }

    public synchronized boolean high() {
        return high;
    }

    /** How often it went from low to high. */
    public synchronized int rises() {
        return rises;
    }

    @Override
    public void close() {
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
            high = false;
        }
        closing.run();
    }
}
