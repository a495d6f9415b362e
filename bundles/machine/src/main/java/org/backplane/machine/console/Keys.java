package org.backplane.machine.console;

import java.io.InputStream;
import java.io.InterruptedIOException;

/**
 * What is typed for the shell. Who types never waits: keys beyond the room there is are lost.
 * Thread-safe.
 */
final class Keys extends InputStream {
    private static final int ROOM = 1 << 16;

    // Guarded by this.
    private final byte[] ring = new byte[ROOM];
    private int head;
    private int count;
    private boolean ended;

    synchronized void typed(int octet) {
        if (count < ROOM) {
            ring[(head + count++) % ROOM] = (byte) octet;
            notifyAll();
        }
    }

    /** No more keys come. */
    synchronized void end() {
        ended = true;
        notifyAll();
    }

    @Override
    public synchronized int read() throws InterruptedIOException {
        while (count == 0) {
            if (ended) {
                return -1;
            }
            try {
                wait();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new InterruptedIOException("interrupted");
            }
        }
        int octet = ring[head] & 0xff;
        head = (head + 1) % ROOM;
        count--;
        return octet;
    }

    /** As many as are there, at least one. */
    @Override
    public synchronized int read(byte[] bytes, int offset, int length)
            throws InterruptedIOException {
        int octet = length == 0 ? -1 : read();
        if (octet < 0) {
            return length == 0 ? 0 : -1;
        }
        int n = 0;
        bytes[offset + n++] = (byte) octet;
        while (n < length && count > 0) {
            bytes[offset + n++] = (byte) read();
        }
        return n;
    }

    @Override
    public synchronized int available() {
        return count;
    }
}
