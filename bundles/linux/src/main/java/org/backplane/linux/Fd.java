package org.backplane.linux;

/** An open file descriptor, owned. */
public class Fd implements AutoCloseable {
    private final int number;

    Fd(int number) {
        this.number = number;
    }

    public final int number() {
        return number;
    }

    @Override
    public void close() {
        throw new AssertionError("skeleton");
    }
}
