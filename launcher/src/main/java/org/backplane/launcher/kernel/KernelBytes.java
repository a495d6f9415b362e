package org.backplane.launcher.kernel;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;

/** A kernel's file, as far as it is looked at: little-endian, and its numbers are not trusted. */
record KernelBytes(FileChannel file) {
    long size() throws IOException {
        return file.size();
    }

    /**
     * What the file has of a run of bytes; past its end, less or nothing.
     *
     * @param offset from the start of the file, in bytes; unsigned
     */
    ByteBuffer read(long offset, int length) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        while (offset >= 0
                && bytes.hasRemaining()
                && file.read(bytes, offset + bytes.position()) >= 0) {
            continue;
        }
        return bytes.flip();
    }

    /** Whether a run of bytes is in the file; a number beyond 63 bits is not. */
    boolean has(long offset, long length) throws IOException {
        return offset >= 0 && length >= 0 && length <= size() && offset <= size() - length;
    }
}
