package org.backplane.testkit;

import org.backplane.device.context.Watch;
import org.backplane.linux.Fd;

/** A watch that the test fires. */
final class ManualWatch implements Watch {
    private final Fd descriptor;
    private final boolean reading;
    private final Runnable work;
    private final Runnable closed;
    private volatile boolean active;

    ManualWatch(Fd descriptor, boolean reading, Runnable work, Runnable closed) {
        this.descriptor = descriptor;
        this.reading = reading;
        this.work = work;
        this.closed = closed;
        active = reading;
    }

    Fd descriptor() {
        return descriptor;
    }

    boolean waits(Fd forDescriptor, boolean toRead) {
        return active && reading == toRead && descriptor == forDescriptor;
    }

    /** Unless it was suspended since it was found waiting. */
    void run() {
        if (active) {
            work.run();
        }
    }

    @Override
    public void suspend() {
        active = false;
    }

    @Override
    public void resume() {
        active = true;
    }

    @Override
    public void close() {
        active = false;
        closed.run();
    }
}
