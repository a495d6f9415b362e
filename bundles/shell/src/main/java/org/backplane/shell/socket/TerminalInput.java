package org.backplane.shell.socket;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;
import org.backplane.machine.terminal.TerminalSize;

/**
 * What is typed at a client's terminal, without the changes of its size that are told in between:
 * the byte 0xFF, which UTF-8 has no use for, {@code COLUMNS ROWS} and a line feed. Read by one
 * thread.
 */
final class TerminalInput extends InputStream {
    private static final int SIZE_FOLLOWS = 0xff;
    private static final int LONGEST = 16;

    private final InputStream from;
    private volatile Consumer<TerminalSize> resize = size -> {};

    TerminalInput(InputStream from) {
        this.from = from;
    }

    /** Who is told of a new size; called by the reading thread. */
    void onResize(Consumer<TerminalSize> told) {
        resize = told;
    }

    @Override
    public int read() throws IOException {
        int octet = from.read();
        while (octet == SIZE_FOLLOWS) {
            readSize();
            octet = from.read();
        }
        return octet;
    }

    /** As many as are there, at least one. */
    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        int count = 0;
        int octet = read();
        while (octet >= 0) {
            bytes[offset + count++] = (byte) octet;
            if (count == length || from.available() == 0) {
                return count;
            }
            octet = from.read();
            if (octet == SIZE_FOLLOWS) {
                // What was typed before it must not wait for what is typed after.
                readSize();
                return count;
            }
        }
        return count == 0 ? -1 : count;
    }

    private void readSize() throws IOException {
        StringBuilder text = new StringBuilder();
        int octet = from.read();
        while (octet >= 0 && octet != '\n' && text.length() < LONGEST) {
            text.append(new String(new byte[] {(byte) octet}, StandardCharsets.US_ASCII));
            octet = from.read();
        }
        TerminalWords.size(text.toString()).ifPresent(resize);
    }
}
