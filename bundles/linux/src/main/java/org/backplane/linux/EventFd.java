package org.backplane.linux;

import java.io.IOException;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.backplane.linux.libc.Abi;
import org.backplane.linux.libc.Host;

/**
 * An eventfd, eventfd(2), non-blocking: a counter that any thread, the kernel included, adds to,
 * and that is readable while it is not zero. Thread-safe.
 */
public final class EventFd extends Fd {
    private final ByteBuffer taken = Host.buffer(Long.BYTES);

    /** What poll(2) is asked about one that was given; empty for one made here. */
    private final Optional<ByteBuffer> question;

    private EventFd(int number, String name, boolean given) {
        super(number, name);
        question =
                given
                        ? Optional.of(
                                Host.buffer(Abi.POLLFD_BYTES)
                                        .putInt(0, number)
                                        .putShort(Abi.POLLFD_EVENTS, (short) Abi.POLLOUT))
                        : Optional.empty();
    }

    /** Makes one with its counter at zero. */
    public static EventFd open() throws LinuxException {
        int number = LIBC.eventfd(0, Abi.EFD_CLOEXEC | Abi.EFD_NONBLOCK);
        check(number, "make an eventfd");
        return new EventFd(number, "eventfd", false);
    }

    /**
     * Takes over an eventfd that another process gave, and makes it non-blocking, for the giver as
     * well. The giver can take that back, so {@link #signal} looks first whether there is room, and
     * {@link #drain} may wait for ever: what is given is to be watched, by its edges, and not read.
     *
     * @param received is this object's afterwards; stays the caller's if this throws
     * @throws LinuxException it is something else, EINVAL
     */
    public static EventFd adopt(Fd received) throws LinuxException {
        int fd = received.enter("fcntl");
        try {
            Path link = Files.readSymbolicLink(Path.of("/proc/self/fd/" + fd));
            if (!link.toString().equals("anon_inode:[eventfd]")) {
                throw new LinuxException(
                        "use %s as an eventfd, which is '%s'".formatted(received.name(), link),
                        Abi.EINVAL);
            }
            int flags = LIBC.fcntl(fd, Abi.F_GETFL, 0);
            check(flags, "ask for the flags of " + received.name());
            // One that blocks would, with its counter at the limit, hold up whoever signals.
            check(
                    LIBC.fcntl(fd, Abi.F_SETFL, flags | Abi.O_NONBLOCK),
                    "make " + received.name() + " non-blocking");
        } catch (LinuxException e) {
            throw e;
        } catch (IOException e) {
            LinuxException failure =
                    new LinuxException("tell what " + received.name() + " is", Abi.EINVAL);
            failure.initCause(e);
            throw failure;
        } finally {
            received.leave();
        }
        return new EventFd(received.detach(), received.name(), true);
    }

    /**
     * Adds one to the counter. A counter at its limit stays there: it is readable, which is all
     * that is asked for. Once closed this does nothing, because nobody can be listening: the
     * signals of a processor or a worker may come a moment after the listener went.
     *
     * <p>Does not wait. Only a giver that makes its eventfd blocking, and hits the moment between
     * the look and the write with filling it, holds up who signals it, until it reads.
     */
    public void signal() {
        if (!tryEnter()) {
            return;
        }
        try {
            while (hasRoom() && LIBC.eventfd_write(number(), 1) < 0 && Host.errno() == Abi.EINTR) {
                Thread.onSpinWait();
            }
        } finally {
            leave();
        }
    }

    private boolean hasRoom() {
        if (question.isEmpty()) {
            return true;
        }
        ByteBuffer asked = question.get();
        synchronized (asked) {
            int count;
            do {
                count = LIBC.poll(Host.address(asked), 1, 0);
            } while (count < 0 && Host.errno() == Abi.EINTR);
            // One that is beyond its limit has an error pending instead.
            return count > 0 && (asked.getShort(Abi.POLLFD_REVENTS) & Abi.POLLOUT) != 0;
        }
    }

    /** Takes the counter's value and clears it; 0 if nothing was signalled, or once closed. */
    public synchronized long drain() {
        if (!tryEnter()) {
            return 0;
        }
        try {
            taken.putLong(0, 0);
            while (LIBC.eventfd_read(number(), Host.address(taken)) < 0
                    && Host.errno() == Abi.EINTR) {
                Thread.onSpinWait();
            }
            return taken.getLong(0);
        } finally {
            Reference.reachabilityFence(taken);
            leave();
        }
    }
}
