package org.backplane.shell.socket;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;

/**
 * What goes to a client. Once the client is gone everything is dropped, for the streams of commands
 * swallow errors and would go on for ever. Leaves out the byte 0, which begins the trailer.
 * Thread-safe.
 *
 * <p>The streams that java.nio.channels.Channels makes of a channel hold one lock for both
 * directions on JDK 17: a reader that waits would stop every writer.
 */
final class SocketOutput extends OutputStream {
    private final SocketChannel channel;
    private final Runnable vanished;
    private boolean gone;

    /** Takes what to do, once, when the client is gone. */
    SocketOutput(SocketChannel channel, Runnable vanished) {
        this.channel = channel;
        this.vanished = vanished;
    }

    @Override
    public void write(int octet) {
        write(new byte[] {(byte) octet});
    }

    @Override
    public void write(byte[] bytes) {
        write(bytes, 0, bytes.length);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
        ByteBuffer clean = ByteBuffer.allocate(length);
        for (int i = offset; i < offset + length; i++) {
            if (bytes[i] != 0) {
                clean.put(bytes[i]);
            }
        }
        send(clean.flip());
    }

    /** The byte 0 and a text. */
    void trailer(String text) {
        send(StandardCharsets.UTF_8.encode("\0" + text));
    }

    private void send(ByteBuffer bytes) {
        if (!sent(bytes)) {
            vanished.run();
        }
    }

    private synchronized boolean sent(ByteBuffer bytes) {
        try {
            while (!gone && bytes.hasRemaining()) {
                channel.write(bytes);
            }
            return true;
        } catch (IOException broken) {
            gone = true;
            return false;
        }
    }

    @Override
    public void flush() {
        // Nothing is held back.
    }
}
