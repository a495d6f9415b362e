package org.backplane.vfio.kernel;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Makes what the kernel reads and fills: zeroed, direct, in host byte order. */
final class Structures {
    private Structures() {}

    static ByteBuffer of(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
    }

    /** One that begins with its own length, {@code argsz} or {@code size}. */
    static ByteBuffer sized(int bytes) {
        return of(bytes).putInt(0, bytes);
    }

    /** A string that a NUL ends. */
    static ByteBuffer string(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        return of(bytes.length + 1).put(0, bytes);
    }
}
