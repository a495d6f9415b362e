package org.backplane.linux;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.backplane.linux.libc.Abi;
import org.backplane.linux.libc.Host;

/**
 * A connected Unix stream socket, unix(7), non-blocking. Reading 0 bytes means that the peer hung
 * up; sending to one that did fails with EPIPE and raises no signal.
 */
public final class StreamSocket extends Fd {
    private final ByteBuffer message = Host.buffer(Abi.MSGHDR_BYTES);
    private final ByteBuffer readable = Host.buffer(Integer.BYTES);

    private StreamSocket(int number, String name) {
        super(number, name);
    }

    /**
     * Connects to whoever listens at a path.
     *
     * @throws LinuxException nobody does ({@link LinuxException#isAbsent}, {@link
     *     LinuxException#isRefused}), too many wait for that, or it is not permitted
     */
    public static StreamSocket connect(Path path) throws LinuxException {
        String attempt = "connect to '" + path + "'";
        ByteBuffer address = address(path, attempt);
        StreamSocket socket = new StreamSocket(make(attempt), "the peer at '" + path + "'");
        try {
            // On a Unix socket done at once or not at all, unix(7).
            check(LIBC.connect(socket.number(), Host.address(address), address.limit()), attempt);
        } catch (LinuxException e) {
            socket.close();
            throw e;
        } finally {
            Reference.reachabilityFence(address);
        }
        return socket;
    }

    /** One that a listener took on. */
    static StreamSocket accepted(int number, Path path) {
        return new StreamSocket(number, "the peer at '" + path + "'");
    }

    static int make(String attempt) throws LinuxException {
        int number =
                LIBC.socket(Abi.AF_UNIX, Abi.SOCK_STREAM | Abi.SOCK_CLOEXEC | Abi.SOCK_NONBLOCK, 0);
        check(number, attempt);
        return number;
    }

    /** A {@code struct sockaddr_un}; its limit is its length. */
    static ByteBuffer address(Path path, String attempt) throws LinuxException {
        ByteBuffer name = Host.string(path.toString());
        if (name.capacity() > Abi.SOCKADDR_UN_BYTES - Abi.SUN_PATH) {
            throw new LinuxException(attempt, Abi.ENAMETOOLONG);
        }
        ByteBuffer address = Host.buffer(Abi.SOCKADDR_UN_BYTES);
        address.putShort(Abi.SUN_FAMILY, (short) Abi.AF_UNIX);
        address.position(Abi.SUN_PATH).put(name).flip();
        return address;
    }

    /**
     * Sends the vector's runs, gathered in order, and raises no SIGPIPE.
     *
     * @return bytes sent, which may be fewer than all; -1 if there is no room
     */
    public synchronized long send(IoVec vector) throws LinuxException {
        int fd = enter("sendmsg");
        try {
            message.putLong(Abi.MSG_IOV, vector.address());
            message.putLong(Abi.MSG_IOVLEN, vector.count());
            long count;
            do {
                count = LIBC.sendmsg(fd, Host.address(message), Abi.MSG_NOSIGNAL);
            } while (count < 0 && Host.errno() == Abi.EINTR);
            if (count < 0 && Host.errno() != Abi.EAGAIN) {
                throw LinuxException.last("send %d bytes to %s".formatted(vector.bytes(), name()));
            }
            return count;
        } finally {
            Reference.reachabilityFence(vector);
            leave();
        }
    }

    /** Bytes that a read would give now, unix(7), SIOCINQ. */
    public int available() throws LinuxException {
        int fd = enter("ioctl");
        // Not this object's lock, under which another thread sends.
        synchronized (readable) {
            try {
                check(
                        LIBC.ioctl(fd, Abi.SIOCINQ, Host.address(readable)),
                        "ask what there is to read from " + name());
                return readable.getInt(0);
            } finally {
                leave();
            }
        }
    }
}
