package org.backplane.machine.console;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;

/** Output that can be left with its last line ended. Thread-safe. */
final class LinedOutput extends FilterOutputStream {
    private static final byte[] LINE_END = {'\r', '\n'};

    // Guarded by this.
    private boolean lineBegun;

    LinedOutput(OutputStream out) {
        super(out);
    }

    @Override
    public synchronized void write(int octet) throws IOException {
        out.write(octet);
        lineBegun = octet != '\n';
    }

    @Override
    public synchronized void write(byte[] bytes, int offset, int length) throws IOException {
        out.write(bytes, offset, length);
        if (length > 0) {
            lineBegun = bytes[offset + length - 1] != '\n';
        }
    }

    /** Ends the line that was begun, if one was. */
    synchronized void endLine() throws IOException {
        if (lineBegun) {
            write(LINE_END, 0, LINE_END.length);
        }
    }
}
