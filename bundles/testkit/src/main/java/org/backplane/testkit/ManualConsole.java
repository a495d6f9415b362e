package org.backplane.testkit;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import org.backplane.device.context.Console;
import org.backplane.device.context.Lease;

/** A console whose host end is the test. Input callbacks run on the thread that types. */
public final class ManualConsole implements Console {
    private final ByteArrayOutputStream output = new ByteArrayOutputStream();
    private final Deque<Integer> typed = new ArrayDeque<>();
    private Runnable arrived;

    @Override
    public synchronized void write(int octet) {
        output.write(octet);
    }

    @Override
    public synchronized int read() {
        return typed.isEmpty() ? -1 : typed.remove();
    }

    @Override
    public synchronized Lease onInput(Runnable callback) {
        if (arrived != null) {
            throw new IllegalStateException("the console has a callback already");
        }
        arrived = callback;
        return () -> forget(callback);
    }

    /** Types bytes and runs the callback once, as a worker would. */
    public void type(String text) {
        Runnable callback;
        synchronized (this) {
            for (byte octet : text.getBytes(StandardCharsets.ISO_8859_1)) {
                typed.add(octet & 0xff);
            }
            callback = arrived;
        }
        if (callback != null) {
            callback.run();
        }
    }

    /** What the device sent so far, one character a byte. */
    public synchronized String output() {
        return output.toString(StandardCharsets.ISO_8859_1);
    }

    /** Bytes typed that the device has not read yet. */
    public synchronized int unread() {
        return typed.size();
    }

    private synchronized void forget(Runnable callback) {
        if (arrived == callback) {
            arrived = null;
        }
    }
}
