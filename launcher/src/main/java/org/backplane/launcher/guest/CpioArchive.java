package org.backplane.launcher.guest;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/**
 * Writes an initramfs archive in the "newc" format (Linux, {@code
 * Documentation/driver-api/early-userspace/buffer-format.rst}): everything belongs to root, times
 * are zero, so equal contents give equal bytes. Closing writes the trailer. Not thread-safe.
 */
public final class CpioArchive implements AutoCloseable {
    private static final String MAGIC = "070701";
    private static final String TRAILER = "TRAILER!!!";
    private static final int BLOCK = 512;

    private static final int DIRECTORY = 0040000;
    private static final int REGULAR = 0100000;
    private static final int LINK = 0120000;
    private static final int CHARACTER_DEVICE = 0020000;

    private final OutputStream out;
    private int nextInode = 1;
    private long written;

    /** Writes to the stream, and closes it when it is closed itself. */
    public CpioArchive(OutputStream out) {
        this.out = out;
    }

    /** A folder; its parents have to be added first. */
    public void folder(String path, int permissions) throws IOException {
        entry(path, DIRECTORY | permissions, new byte[0], 0, 0);
    }

    public void file(String path, int permissions, byte[] contents) throws IOException {
        entry(path, REGULAR | permissions, contents, 0, 0);
    }

    public void link(String path, String target) throws IOException {
        entry(path, LINK | 0777, target.getBytes(StandardCharsets.UTF_8), 0, 0);
    }

    public void characterDevice(String path, int permissions, int major, int minor)
            throws IOException {
        entry(path, CHARACTER_DEVICE | permissions, new byte[0], major, minor);
    }

    private void entry(String path, int mode, byte[] contents, int major, int minor)
            throws IOException {
        byte[] name = (path + '\0').getBytes(StandardCharsets.UTF_8);
        int[] fields = {
            nextInode++, mode, 0, 0, 1, 0, contents.length, 0, 0, major, minor, name.length, 0
        };
        StringBuilder header = new StringBuilder(MAGIC);
        for (int field : fields) {
            header.append(String.format(Locale.ROOT, "%08X", field));
        }
        write(header.toString().getBytes(StandardCharsets.US_ASCII));
        write(name);
        pad(4);
        write(contents);
        pad(4);
    }

    private void write(byte[] bytes) throws IOException {
        out.write(bytes);
        written += bytes.length;
    }

    private void pad(int boundary) throws IOException {
        write(new byte[(int) (-written & (boundary - 1))]);
    }

    @Override
    public void close() throws IOException {
        try (out) {
            entry(TRAILER, 0, new byte[0], 0, 0);
            pad(BLOCK);
        }
    }
}
