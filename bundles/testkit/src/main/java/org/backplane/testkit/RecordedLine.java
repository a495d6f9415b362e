package org.backplane.testkit;

import org.backplane.device.context.InterruptLine;

/** An interrupt line that remembers. Thread-safe. */
public final class RecordedLine implements InterruptLine {
    private final Runnable closing;
    private boolean high;
    private int rises;
    private boolean closed;

    RecordedLine(Runnable closing) {
        this.closing = closing;
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
