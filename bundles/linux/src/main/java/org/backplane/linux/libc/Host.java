package org.backplane.linux.libc;

import com.kenai.jffi.LastError;
import com.kenai.jffi.MemoryIO;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;

/** The loaded C library, and what a call to it needs besides: errno, strings and buffers. */
public final class Host {
    /** Bound once for the process; constant, so no state. */
    public static final LibC LIBC = bind();

    private static LibC bind() {
        long start = System.nanoTime();
        LibC library = new LibC();
        long took = (System.nanoTime() - start) / 1000;
        System.getLogger(Host.class.getName())
                .log(Level.INFO, "the C library was bound (" + took + " us)");
        return library;
    }

    private Host() {}

    /** {@code errno} as the calling thread's last call left it. */
    public static int errno() {
        return LastError.getInstance().get();
    }

    /** Zeroed memory outside of the heap, in host byte order; freed with the last reference. */
    public static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
    }

    /** Address of a direct buffer's first byte; valid while the buffer is reachable. */
    public static long address(ByteBuffer direct) {
        return MemoryIO.getInstance().getDirectBufferAddress(direct);
    }

    /** Copies between addresses; the runs must not overlap. */
    public static void copy(long from, long to, long bytes) {
        MemoryIO.getInstance().copyMemory(from, to, bytes);
    }

    /** A 32-bit value in host byte order, at a multiple of four. */
    public static int readInt(long address) {
        return MemoryIO.getInstance().getInt(address);
    }

    /** As {@link #readInt}. */
    public static void writeInt(long address, int value) {
        MemoryIO.getInstance().putInt(address, value);
    }

    /** A string that a NUL ends, as ISO 8859-1. */
    public static String text(long address) {
        byte[] bytes = MemoryIO.getInstance().getZeroTerminatedByteArray(address);
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    /** A string that a NUL ends, in the encoding of this process's locale. */
    static String message(long address) {
        return new String(MemoryIO.getInstance().getZeroTerminatedByteArray(address), encoding());
    }

    private static Charset encoding() {
        return Charset.forName(System.getProperty("sun.jnu.encoding", "UTF-8"));
    }

    /**
     * A NUL-terminated string in the encoding that this JVM decoded file names with, so that a name
     * from the command line goes back to the kernel byte for byte.
     *
     * @throws IllegalArgumentException the string holds a NUL
     */
    public static ByteBuffer string(String value) {
        if (value.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("a string for the kernel cannot hold a NUL");
        }
        byte[] bytes = value.getBytes(encoding());
        return buffer(bytes.length + 1).put(0, bytes);
    }
}
