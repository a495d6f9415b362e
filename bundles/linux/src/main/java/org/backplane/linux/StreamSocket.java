package org.backplane.linux;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.backplane.linux.libc.Abi;
import org.backplane.linux.libc.Host;

/**
 * A connected Unix stream socket, unix(7), non-blocking. Reading 0 bytes means that the peer hung
 * up; sending to one that did fails with EPIPE and raises no signal.
 *
 * <p>Descriptors travel with bytes (SCM_RIGHTS): those sent together arrive with the first of their
 * bytes. One thread may send while another receives.
 */
public final class StreamSocket extends Fd {
    /** Most descriptors that one call sends, SCM_MAX_FD of the kernel. */
    public static final int MOST_DESCRIPTORS = 253;

    private final ByteBuffer message = Host.buffer(Abi.MSGHDR_BYTES);
    private final ByteBuffer incoming = Host.buffer(Abi.MSGHDR_BYTES);
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
        return send(vector, 0, 0);
    }

    /**
     * Sends the vector's runs and with their first byte descriptors, of which the peer gets its
     * own. Otherwise as {@link #send(IoVec)}.
     *
     * @param descriptors at most {@link #MOST_DESCRIPTORS}; they stay the caller's
     */
    public synchronized long send(IoVec vector, List<? extends Fd> descriptors)
            throws LinuxException {
        if (descriptors.isEmpty()) {
            return send(vector);
        }
        int length = Abi.CMSGHDR_BYTES + descriptors.size() * Integer.BYTES;
        ByteBuffer control = Host.buffer(length);
        control.putLong(0, length);
        control.putInt(Abi.CMSG_LEVEL, Abi.SOL_SOCKET);
        control.putInt(Abi.CMSG_TYPE, Abi.SCM_RIGHTS);
        int entered = 0;
        try {
            for (Fd descriptor : descriptors) {
                int number = descriptor.enter("send to " + name());
                control.putInt(Abi.CMSGHDR_BYTES + entered * Integer.BYTES, number);
                entered++;
            }
            return send(vector, Host.address(control), length);
        } finally {
            Reference.reachabilityFence(control);
            for (Fd descriptor : descriptors.subList(0, entered)) {
                descriptor.leave();
            }
        }
    }

    private long send(IoVec vector, long control, long length) throws LinuxException {
        int fd = enter("sendmsg");
        try {
            message.putLong(Abi.MSG_IOV, vector.address());
            message.putLong(Abi.MSG_IOVLEN, vector.count());
            message.putLong(Abi.MSG_CONTROL, control);
            message.putLong(Abi.MSG_CONTROLLEN, length);
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

    /**
     * Receives into the vector's runs, in order, and takes what descriptors came with the bytes;
     * they are closed on exec. A call takes bytes up to and with the first that came with
     * descriptors.
     *
     * @param descriptors to which those that came are added; they are the caller's
     * @param most how many may come; 0 to {@link #MOST_DESCRIPTORS}
     * @return bytes received, 0 at the end, -1 if there is nothing
     * @throws LinuxException with EMSGSIZE: more descriptors came; with EMFILE: more than this
     *     process may have open. None of them stays open, and the bytes are lost
     */
    public long receive(IoVec vector, List<Fd> descriptors, int most) throws LinuxException {
        // Without padding at its end, in which one descriptor more could come unseen.
        int length = most == 0 ? 0 : Abi.CMSGHDR_BYTES + most * Integer.BYTES;
        ByteBuffer control = Host.buffer(length);
        int fd = enter("recvmsg");
        // Not this object's lock, under which another thread sends.
        synchronized (incoming) {
            try {
                incoming.putLong(Abi.MSG_IOV, vector.address());
                incoming.putLong(Abi.MSG_IOVLEN, vector.count());
                incoming.putLong(Abi.MSG_CONTROL, length == 0 ? 0 : Host.address(control));
                incoming.putLong(Abi.MSG_CONTROLLEN, length);
                long count;
                do {
                    count = LIBC.recvmsg(fd, Host.address(incoming), Abi.MSG_CMSG_CLOEXEC);
                } while (count < 0 && Host.errno() == Abi.EINTR);
                if (count < 0 && Host.errno() == Abi.EAGAIN) {
                    return -1;
                }
                check(count < 0 ? -1 : 0, "receive from " + name());
                take(control, (int) incoming.getLong(Abi.MSG_CONTROLLEN), most, descriptors);
                return count;
            } finally {
                Reference.reachabilityFence(vector);
                leave();
            }
        }
    }

    private void take(ByteBuffer control, int length, int most, List<Fd> descriptors)
            throws LinuxException {
        List<Fd> taken = new ArrayList<>();
        int at = 0;
        while (at + Abi.CMSGHDR_BYTES <= length) {
            int end = Math.min(length, at + (int) control.getLong(at));
            if (control.getInt(at + Abi.CMSG_LEVEL) == Abi.SOL_SOCKET
                    && control.getInt(at + Abi.CMSG_TYPE) == Abi.SCM_RIGHTS) {
                for (int i = at + Abi.CMSGHDR_BYTES; i + Integer.BYTES <= end; i += Integer.BYTES) {
                    taken.add(new Fd(control.getInt(i), "a descriptor of " + name()));
                }
            }
            // Headers begin at multiples of eight.
            at = Math.max(at + Abi.CMSGHDR_BYTES, (end + 7) & -8);
        }
        if ((incoming.getInt(Abi.MSG_FLAGS) & Abi.MSG_CTRUNC) != 0) {
            taken.forEach(Fd::close);
            // The kernel stops where the room ends, or earlier at one that it cannot open.
            boolean full = taken.size() >= most;
            throw new LinuxException(
                    "receive from %s: more descriptors came than %s"
                            .formatted(name(), full ? "are expected" : "can be opened"),
                    full ? Abi.EMSGSIZE : Abi.EMFILE);
        }
        descriptors.addAll(taken);
    }

    /**
     * Waits until there is something to read or the peer is gone, poll(2).
     *
     * @param nanoseconds at most; 0 or less not at all
     * @return whether there is
     */
    public boolean awaitReadable(long nanoseconds) throws LinuxException {
        return await(Abi.POLLIN, nanoseconds);
    }

    /** Waits until there is room to send or the peer is gone, as {@link #awaitReadable}. */
    public boolean awaitWritable(long nanoseconds) throws LinuxException {
        return await(Abi.POLLOUT, nanoseconds);
    }

    private boolean await(int events, long nanoseconds) throws LinuxException {
        ByteBuffer descriptor = Host.buffer(Abi.POLLFD_BYTES);
        long deadline = System.nanoTime() + Math.max(0, nanoseconds);
        int fd = enter("poll");
        try {
            descriptor.putInt(0, fd);
            descriptor.putShort(Abi.POLLFD_EVENTS, (short) events);
            int count;
            do {
                // Rounded up, so that what is left below a millisecond is no busy loop.
                long left = (Math.max(0, deadline - System.nanoTime()) + 999_999) / 1_000_000;
                int milliseconds = (int) Math.min(Integer.MAX_VALUE, left);
                count = LIBC.poll(Host.address(descriptor), 1, milliseconds);
            } while (count < 0 && Host.errno() == Abi.EINTR);
            check(count, "wait for " + name());
            return count > 0;
        } finally {
            Reference.reachabilityFence(descriptor);
            leave();
        }
    }

    /**
     * Ends the connection in both directions: whoever waits here returns, and the peer reads the
     * end. The descriptor stays open. Does nothing where it has ended already.
     */
    public void shutdown() {
        if (tryEnter()) {
            // ENOTCONN, the only failure of a socket, is what is wanted.
            LIBC.shutdown(number(), Abi.SHUT_RDWR);
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
