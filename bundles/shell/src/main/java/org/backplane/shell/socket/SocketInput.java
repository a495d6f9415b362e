package org.backplane.shell.socket;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.backplane.shell.command.ShellException;

/**
 * What a client has sent and nobody has read: lines for the shell, bytes for a command that reads.
 * Holds a bounded number of bytes; who offers more waits. Thread-safe.
 */
final class SocketInput extends InputStream {
    private static final int ROOM = 1 << 16;

    private final byte[] ring = new byte[ROOM];
    private int head;
    private int count;
    private boolean ended;

    /** Adds bytes, waiting while there is no room; drops them after the end. */
    synchronized void offer(ByteBuffer bytes) {
        while (bytes.hasRemaining() && !ended) {
            if (count == ROOM) {
                try {
                    wait();
                } catch (InterruptedException stop) {
                    Thread.currentThread().interrupt();
                    ended = true;
                }
            } else {
                ring[(head + count++) % ROOM] = bytes.get();
                notifyAll();
            }
        }
    }

    /**
     * No more bytes will come; those that are there can still be read.
     *
     * @param goodbye a line, or null
     * @return whether that line is the last one
     */
    synchronized boolean end(String goodbye) {
        ended = true;
        notifyAll();
        return goodbye != null && pending().stripTrailing().endsWith("\n" + goodbye);
    }

    private String pending() {
        byte[] bytes = new byte[count];
        for (int i = 0; i < count; i++) {
            bytes[i] = ring[(head + i) % ROOM];
        }
        return "\n" + new String(bytes, StandardCharsets.UTF_8);
    }

    @Override
    public synchronized int read() throws IOException {
        while (count == 0) {
            if (ended) {
                return -1;
            }
            try {
                wait();
            } catch (InterruptedException stop) {
                Thread.currentThread().interrupt();
                throw new InterruptedIOException("the command was interrupted");
            }
        }
        int octet = ring[head] & 0xff;
        head = (head + 1) % ROOM;
        count--;
        notifyAll();
        return octet;
    }

    @Override
    public synchronized int read(byte[] bytes, int offset, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        int octet = read();
        if (octet < 0) {
            return -1;
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

    /**
     * The next line without its end, or null after the last.
     *
     * @throws ShellException a line is longer than there is room for
     */
    String line() throws ShellException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        try {
            int octet = read();
            if (octet < 0) {
                return null;
            }
            for (; octet >= 0 && octet != '\n'; octet = read()) {
                if (line.size() == ROOM) {
                    throw new ShellException("The line is longer than %d bytes.".formatted(ROOM));
                }
                line.write(octet);
            }
        } catch (IOException interrupted) {
            return null;
        }
        String text = line.toString(StandardCharsets.UTF_8);
        return text.endsWith("\r") ? text.substring(0, text.length() - 1) : text;
    }
}
