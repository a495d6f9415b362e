package org.backplane.shell.terminal;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import org.backplane.machine.terminal.TerminalLine;
import org.backplane.machine.terminal.TerminalSize;

/** The far end of a session: types, and waits for what is shown. */
final class TypedTerminal implements AutoCloseable {
    private final PipedOutputStream keys = new PipedOutputStream();
    private final PipedInputStream typed;
    private final ByteArrayOutputStream shown = new ByteArrayOutputStream();
    private int seen;

    TypedTerminal() throws IOException {
        typed = new PipedInputStream(keys, 1 << 16);
    }

    TerminalLine line(String type, Optional<Path> folder) {
        return new TerminalLine(typed, new Shown(), type, new TerminalSize(80, 24), folder);
    }

    private final class Shown extends OutputStream {
        @Override
        public void write(int octet) {
            write(new byte[] {(byte) octet}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) {
            synchronized (shown) {
                shown.write(bytes, offset, length);
                shown.notifyAll();
            }
        }
    }

    void type(String text) throws IOException {
        keys.write(text.getBytes(StandardCharsets.UTF_8));
        keys.flush();
    }

    /** Waits until that is shown after what was waited for before. */
    void await(String text) throws InterruptedException {
        synchronized (shown) {
            int at = all().indexOf(text, seen);
            while (at < 0) {
                try {
                    shown.wait();
                } catch (InterruptedException stop) {
                    throw new InterruptedException(
                            "no '%s' after %d of: %s".formatted(text, seen, all()));
                }
                at = all().indexOf(text, seen);
            }
            seen = at + text.length();
        }
    }

    String all() {
        synchronized (shown) {
            return shown.toString(StandardCharsets.UTF_8);
        }
    }

    /** What was shown since the last text that was waited for. */
    String rest() {
        synchronized (shown) {
            return all().substring(seen);
        }
    }

    @Override
    public void close() throws IOException {
        keys.close();
    }
}
