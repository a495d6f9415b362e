package org.backplane.machine.boot;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.backplane.linux.Fd;
import org.backplane.linux.OpenFlag;
import org.backplane.machine.MachineException;

/**
 * A file that goes into guest memory: a kernel, an initial RAM disk, a module. Its content is of
 * unknown origin: every look at it is checked against its end. Not thread-safe.
 */
public final class ImageFile implements AutoCloseable {
    private final String what;
    private final Path path;
    private final FileChannel channel;
    private final Fd descriptor;
    private final long size;

    private ImageFile(String what, Path path, FileChannel channel, Fd descriptor, long size) {
        this.what = what;
        this.path = path;
        this.channel = channel;
        this.descriptor = descriptor;
        this.size = size;
    }

    /**
     * Opens a regular file for reading.
     *
     * @param what it is to the user, for messages: {@code kernel}
     */
    public static ImageFile open(String what, Path path) throws MachineException {
        FileChannel channel = null;
        try {
            if (Files.exists(path) && !Files.isRegularFile(path)) {
                throw new MachineException(
                        "The %s '%s' is no file: name a file.".formatted(what, path));
            }
            channel = FileChannel.open(path, StandardOpenOption.READ);
            return new ImageFile(what, path, channel, Fd.open(path, OpenFlag.READ), channel.size());
        } catch (IOException e) {
            MachineException failure = unreadable(what, path, e);
            closeAfter(failure, channel);
            throw failure;
        }
    }

    private static void closeAfter(Exception failure, FileChannel channel) {
        if (channel != null) {
            try {
                channel.close();
            } catch (IOException e) {
                failure.addSuppressed(e);
            }
        }
    }

    private static MachineException unreadable(String what, Path path, IOException e) {
        return new MachineException(
                "The %s '%s' cannot be read: %s.".formatted(what, path, reason(e)), e);
    }

    private static String reason(IOException e) {
        if (e instanceof NoSuchFileException) {
            return "there is no such file; put it back, or name another";
        }
        return e instanceof AccessDeniedException
                ? "this user may not read it; change its mode or owner"
                : e.getMessage();
    }

    public Path path() {
        return path;
    }

    /** In bytes. */
    public long size() {
        return size;
    }

    /** Whether the file has all of that. */
    boolean holds(long offset, long length) {
        return offset >= 0 && length >= 0 && offset <= size && length <= size - offset;
    }

    /**
     * Reads a part, in the byte order of little-endian machines.
     *
     * @param part what it is, for the refusal of a file that ends before
     */
    ByteBuffer read(String part, long offset, int length) throws MachineException {
        require(part, offset, length);
        ByteBuffer bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        try {
            while (bytes.hasRemaining()) {
                if (channel.read(bytes, offset + bytes.position()) < 0) {
                    throw shrank();
                }
            }
        } catch (IOException e) {
            throw unreadable(what, path, e);
        }
        return bytes.flip();
    }

    /**
     * Reads a part to an address of this process.
     *
     * @param hostAddress of as much writable memory
     */
    public void copy(String part, long offset, long length, long hostAddress)
            throws MachineException {
        require(part, offset, length);
        try {
            for (long done = 0; done < length; ) {
                long count = descriptor.pread(hostAddress + done, length - done, offset + done);
                if (count == 0) {
                    throw shrank();
                }
                done += count;
            }
        } catch (IOException e) {
            throw unreadable(what, path, e);
        }
    }

    private void require(String part, long offset, long length) throws MachineException {
        if (!holds(offset, length)) {
            throw refused(
                    "it ends after 0x%x bytes, inside its %s (0x%x bytes at 0x%x); take a whole copy"
                            .formatted(size, part, length, offset));
        }
    }

    private MachineException shrank() {
        return refused("it shrank while it was read; leave it alone and start again");
    }

    /** The refusal of this file, for a reason that says what to do. */
    MachineException refused(String reason) {
        return new MachineException(
                "The %s '%s' cannot be loaded: %s.".formatted(what, path, reason));
    }

    @Override
    public void close() {
        descriptor.close();
        try {
            channel.close();
        } catch (IOException e) {
            // It was only read from.
            System.getLogger(ImageFile.class.getName())
                    .log(System.Logger.Level.DEBUG, () -> "closing " + path, e);
        }
    }
}
