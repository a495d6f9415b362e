package org.backplane.linux;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import org.backplane.linux.libc.Abi;
import org.backplane.linux.libc.Host;

/**
 * A Unix stream socket that listens at a path, unix(7), non-blocking. Its file is removed when it
 * is closed, unless another's has taken its place.
 */
public final class StreamListener extends Fd {
    private static final System.Logger LOG = System.getLogger(StreamListener.class.getName());

    private final Path path;

    /** What tells this listener's file from a later one at the same path. */
    private final Object key;

    private StreamListener(int number, Path path, Object key) {
        super(number, "the socket '" + path + "'");
        this.path = path;
        this.key = key;
    }

    /**
     * Listens. Only this user can connect.
     *
     * @param waiting how many may wait to be accepted
     * @throws LinuxException there is a file already ({@link LinuxException#isInUse}), or the
     *     folder does not permit one
     */
    public static StreamListener open(Path path, int waiting) throws LinuxException {
        String attempt = "listen at '" + path + "'";
        ByteBuffer address = StreamSocket.address(path, attempt);
        int number = StreamSocket.make(attempt);
        try {
            // The socket's file is made with its mode, less the process's umask.
            check(LIBC.fchmod(number, 0600), attempt);
            check(LIBC.bind(number, Host.address(address), address.limit()), attempt);
            check(LIBC.listen(number, waiting), attempt);
        } catch (LinuxException e) {
            LIBC.close(number);
            throw e;
        } finally {
            Reference.reachabilityFence(address);
        }
        return new StreamListener(number, path, key(path));
    }

    /**
     * Removes the file of a socket at which nobody listens any more.
     *
     * @return false if there is a file that is no socket, which stays
     */
    public static boolean removeStale(Path path) throws IOException {
        try {
            int mode = (Integer) Files.getAttribute(path, "unix:mode");
            if ((mode & Abi.S_IFMT) != Abi.S_IFSOCK) {
                return false;
            }
        } catch (NoSuchFileException e) {
            return true;
        }
        Files.deleteIfExists(path);
        return true;
    }

    /** Takes on one who connected; null if nobody waits. */
    public StreamSocket accept() throws LinuxException {
        int fd = enter("accept");
        try {
            int number;
            do {
                number = LIBC.accept4(fd, 0, 0, Abi.SOCK_CLOEXEC | Abi.SOCK_NONBLOCK);
            } while (number < 0 && Host.errno() == Abi.EINTR);
            if (number < 0 && Host.errno() == Abi.EAGAIN) {
                return null;
            }
            check(number, "accept at " + name());
            return StreamSocket.accepted(number, path);
        } finally {
            leave();
        }
    }

    /** Whether whoever connects to the path still comes here. */
    public boolean isReachable() {
        return key != null && key.equals(key(path));
    }

    private static Object key(Path path) {
        try {
            return Files.readAttributes(path, BasicFileAttributes.class).fileKey();
        } catch (IOException e) {
            LOG.log(Level.DEBUG, () -> "'%s' is gone: %s".formatted(path, e));
            return null;
        }
    }

    @Override
    public void close() {
        if (isOpen() && isReachable()) {
            try {
                Files.deleteIfExists(path);
            } catch (IOException e) {
                LOG.log(Level.WARNING, "the socket ''{0}'' stays: {1}", path, e.getMessage());
            }
        }
        super.close();
    }
}
