package org.backplane.linux;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import org.backplane.linux.libc.Abi;
import org.backplane.linux.libc.Host;
import org.backplane.linux.libc.LibC;

/**
 * Waits for many descriptors at once, epoll(7). {@link #await} and the accessors of its result
 * belong to one thread; everything else may be called by any. A descriptor that is closed leaves by
 * itself.
 */
public final class Epoll implements AutoCloseable {
    /** Interest: there is something to read. */
    public static final int READABLE = Abi.EPOLLIN;

    /** Interest: there is room to write. */
    public static final int WRITABLE = Abi.EPOLLOUT;

    /** Result only: an error is pending. */
    public static final int ERROR = Abi.EPOLLERR;

    /** Result only: the other end is gone. */
    public static final int HANG_UP = Abi.EPOLLHUP;

    /** Interest: told once for each change rather than as long as it holds. */
    public static final int EDGE = Abi.EPOLLET;

    /** Interest: told once, then not until {@link #modify}. */
    public static final int ONE_SHOT = Abi.EPOLLONESHOT;

    private static final LibC LIBC = Host.LIBC;
    private static final int CAPACITY = 64;

    /** The wake-up's own token; no caller's can be equal, see {@link #add}. */
    private static final long BELL = -1;

    private final Fd instance;
    private final EventFd bell;
    private final ByteBuffer events = Host.buffer(CAPACITY * Abi.EPOLL_EVENT_BYTES);
    private final long eventsAddress = Host.address(events);
    private final long[] tokens = new long[CAPACITY];
    private final int[] ready = new int[CAPACITY];

    private Epoll(int number, EventFd bell) {
        this.bell = bell;
        this.instance =
                new Fd(number, "epoll") {
                    @Override
                    void released() {
                        // Not earlier: a bell closed under a waiting thread never wakes it.
                        bell.close();
                    }
                };
    }

    public static Epoll open() throws LinuxException {
        EventFd bell = EventFd.open();
        int number = LIBC.epoll_create1(Abi.EPOLL_CLOEXEC);
        if (number < 0) {
            LinuxException failure = LinuxException.last("make an epoll instance");
            bell.close();
            throw failure;
        }
        Epoll epoll = new Epoll(number, bell);
        try {
            epoll.control(Abi.EPOLL_CTL_ADD, "add", bell, READABLE, BELL);
        } catch (LinuxException e) {
            epoll.close();
            throw e;
        }
        return epoll;
    }

    /**
     * Watches a descriptor.
     *
     * @param interest {@link #READABLE}, {@link #WRITABLE}, {@link #EDGE}, {@link #ONE_SHOT}
     * @param token what {@link #token} gives for it, not negative
     */
    public void add(Fd descriptor, int interest, long token) throws LinuxException {
        control(Abi.EPOLL_CTL_ADD, "add", descriptor, interest, checked(token));
    }

    /** Changes interest and token. */
    public void modify(Fd descriptor, int interest, long token) throws LinuxException {
        control(Abi.EPOLL_CTL_MOD, "modify", descriptor, interest, checked(token));
    }

    /** Watches it no more; results that {@link #await} has already returned stay as they are. */
    public void remove(Fd descriptor) throws LinuxException {
        control(Abi.EPOLL_CTL_DEL, "remove", descriptor, 0, 0);
    }

    /** Readable while a descriptor that is watched is ready, or a wake-up is pending. */
    Fd descriptor() {
        return instance;
    }

    /**
     * Watches a number that another library owns, or changes what it is watched for. A number that
     * was closed meanwhile and is another file's by now is watched anew.
     *
     * @param interest bits of epoll_ctl(2)
     */
    void watch(int number, int interest, long token) throws LinuxException {
        ByteBuffer event = Host.buffer(Abi.EPOLL_EVENT_BYTES);
        event.putInt(Abi.EPOLL_EVENT_EVENTS, interest);
        event.putLong(Abi.EPOLL_EVENT_DATA, checked(token));
        int epoll = instance.enter("epoll_ctl");
        try {
            long at = Host.address(event);
            int result = LIBC.epoll_ctl(epoll, Abi.EPOLL_CTL_ADD, number, at);
            if (result < 0 && Host.errno() == Abi.EEXIST) {
                result = LIBC.epoll_ctl(epoll, Abi.EPOLL_CTL_MOD, number, at);
            }
            Fd.check(result, "watch descriptor " + number + " at an epoll instance");
        } finally {
            Reference.reachabilityFence(event);
            instance.leave();
        }
    }

    /** Watches a number no more, if it is watched. */
    void forget(int number) throws LinuxException {
        int epoll = instance.enter("epoll_ctl");
        try {
            ByteBuffer event = Host.buffer(Abi.EPOLL_EVENT_BYTES);
            if (LIBC.epoll_ctl(epoll, Abi.EPOLL_CTL_DEL, number, Host.address(event)) < 0
                    && Host.errno() != Abi.ENOENT
                    && Host.errno() != Abi.EBADF) {
                throw LinuxException.last("remove descriptor " + number + " at an epoll instance");
            }
            Reference.reachabilityFence(event);
        } finally {
            instance.leave();
        }
    }

    private static long checked(long token) {
        if (token < 0) {
            throw new IllegalArgumentException("a token is not negative: " + token);
        }
        return token;
    }

    private void control(int operation, String name, Fd descriptor, int interest, long token)
            throws LinuxException {
        ByteBuffer event = Host.buffer(Abi.EPOLL_EVENT_BYTES);
        event.putInt(Abi.EPOLL_EVENT_EVENTS, interest);
        event.putLong(Abi.EPOLL_EVENT_DATA, token);
        int epoll = instance.enter("epoll_ctl");
        try {
            int fd = descriptor.enter("epoll_ctl");
            try {
                Fd.check(
                        LIBC.epoll_ctl(epoll, operation, fd, Host.address(event)),
                        name + " " + descriptor.name() + " at an epoll instance");
            } finally {
                Reference.reachabilityFence(event);
                descriptor.leave();
            }
        } finally {
            instance.leave();
        }
    }

    /**
     * Waits until a descriptor is ready, {@link #wake} was called, or the time is over.
     *
     * @param milliseconds at most; 0 not at all, -1 for ever
     * @return how many results there are; 0 after a wake-up, the time's end, or a signal
     * @throws LinuxException this is closed
     */
    public int await(int milliseconds) throws LinuxException {
        int epoll = instance.enter("epoll_wait");
        int count;
        try {
            count = LIBC.epoll_wait(epoll, eventsAddress, CAPACITY, milliseconds);
            if (count < 0 && Host.errno() != Abi.EINTR) {
                throw LinuxException.last("wait for events");
            }
        } finally {
            instance.leave();
        }
        int results = 0;
        for (int i = 0; i < count; i++) {
            int at = i * Abi.EPOLL_EVENT_BYTES;
            long token = events.getLong(at + Abi.EPOLL_EVENT_DATA);
            if (token == BELL) {
                bell.drain();
                continue;
            }
            tokens[results] = token;
            ready[results] = events.getInt(at + Abi.EPOLL_EVENT_EVENTS);
            results++;
        }
        return results;
    }

    /** Token of a result of the last {@link #await}. */
    public long token(int result) {
        return tokens[result];
    }

    /** What a result of the last {@link #await} is ready for. */
    public int ready(int result) {
        return ready[result];
    }

    /** Ends the current or the next {@link #await}. */
    public void wake() {
        bell.signal();
    }

    /** Takes wake-ups back that no {@link #await} has seen. */
    void silence() {
        bell.drain();
    }

    /** Ends a wait under way, then closes. */
    @Override
    public void close() {
        // In this order: a thread woken before the instance counts as closed would wait again.
        instance.close();
        bell.signal();
    }
}
