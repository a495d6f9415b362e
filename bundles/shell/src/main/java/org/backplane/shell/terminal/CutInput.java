package org.backplane.shell.terminal;

import java.io.IOException;
import java.io.InputStream;

/**
 * An input that can be cut off from where it comes from, and that never closes it: what is typed
 * after a command was interrupted is not for that command. Thread-safe.
 */
final class CutInput extends InputStream {
    private final InputStream from;
    // Guarded by this.
    private boolean cut;
    private int inside;

    CutInput(InputStream from) {
        this.from = from;
    }

    /** Nothing is read any more by who is not in a read. */
    synchronized void cut() {
        cut = true;
    }

    /** Waits until those who read have left; they were interrupted. */
    synchronized void awaitLeft() {
        boolean interrupted = false;
        while (inside > 0) {
            try {
                wait();
            } catch (InterruptedException again) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        int count = read(one, 0, 1);
        return count < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
        synchronized (this) {
            if (cut) {
                return -1;
            }
            inside++;
        }
        try {
            return from.read(bytes, offset, length);
        } finally {
            synchronized (this) {
                inside--;
                notifyAll();
            }
        }
    }

    @Override
    public int available() throws IOException {
        synchronized (this) {
            if (cut) {
                return 0;
            }
        }
        return from.available();
    }

    @Override
    public void close() {
        // Whoever opened what is behind it closes that.
    }
}
