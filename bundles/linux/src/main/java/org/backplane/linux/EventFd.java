package org.backplane.linux;

/** An eventfd, eventfd(2), non-blocking. */
public final class EventFd extends Fd {
    EventFd(int number) {
        super(number);
    }

    /** Adds one to the counter; safe from any thread. */
    public void signal() {
        throw new AssertionError("skeleton");
    }

    /** Takes the counter's value and clears it. */
    public long drain() {
        throw new AssertionError("skeleton");
    }
}
