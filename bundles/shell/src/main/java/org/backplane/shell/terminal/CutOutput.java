package org.backplane.shell.terminal;

import java.io.IOException;
import java.io.OutputStream;

/** An output that can be cut off from where it goes, and that never closes it. Thread-safe. */
final class CutOutput extends OutputStream {
    private final OutputStream to;
    private volatile boolean cut;

    CutOutput(OutputStream to) {
        this.to = to;
    }

    /** Everything is dropped from now on. */
    void cut() {
        cut = true;
    }

    @Override
    public void write(int octet) throws IOException {
        if (!cut) {
            to.write(octet);
        }
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
        if (!cut) {
            to.write(bytes, offset, length);
        }
    }

    @Override
    public void flush() throws IOException {
        if (!cut) {
            to.flush();
        }
    }

    @Override
    public void close() {
        // Whoever opened what is behind it closes that.
    }
}
