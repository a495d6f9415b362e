package org.backplane.linux;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.lang.ref.Reference;
import java.net.Inet4Address;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.backplane.linux.libc.Abi;
import org.backplane.linux.libc.Host;
import org.backplane.linux.slirp.LibSlirp;
import org.backplane.linux.slirp.SlirpAbi;
import org.backplane.linux.slirp.SlirpCallbacks;

/**
 * A network of one guest behind the host's own sockets: libslirp. The guest is 10.0.2.15 by DHCP,
 * the gateway, which is also the host's loopback, 10.0.2.2, and a name server that asks the host's
 * 10.0.2.3; with IPv6, fec0::/64, fec0::2 and fec0::3.
 *
 * <p>Thread-safe; libslirp is not, so every call is made under one lock, and its callbacks come
 * under it. Frames for the guest are copied into a queue when libslirp makes them, whichever thread
 * that is, and taken from there: nothing native ever calls a device, and nothing is lost while one
 * device takes another's place. While the queue is more than half full nothing is read from the
 * host's sockets, so that a slow guest slows its peers rather than losing frames.
 */
public final class Slirp implements FramePort {
    /** The least MTU that libslirp takes, in bytes. */
    public static final int LEAST_MTU = 68;

    /** The greatest MTU that libslirp takes, in bytes. */
    public static final int GREATEST_MTU = 65521;

    /** Bounds what waits for a guest that takes nothing; touched only as far as it is used. */
    private static final int QUEUE_BYTES = 4 << 20;

    private static final int NEEDED_MAJOR = 4;
    private static final int NEEDED_MINOR = 7;
    private static final long MILLISECOND = 1_000_000;

    private static final System.Logger LOG = System.getLogger(Slirp.class.getName());

    /** Expires on {@link #now}, in milliseconds. */
    private record Timer(int id, long opaque, long expiry) {}

    private final String name;
    private final LibSlirp library;

    /** Sockets have their numbers for tokens. */
    private final Readiness readiness;

    private final SlirpCallbacks callbacks;
    private final FrameQueue frames;
    private final ByteBuffer scratch = Host.buffer(LONGEST);
    private final ByteBuffer timeout = Host.buffer(Integer.BYTES);
    private final Map<Long, Timer> timers = new HashMap<>();
    private long lastTimer;
    private long stack;

    /** What epoll waits for, and what it found, by descriptor. */
    private int[] watched = new int[256];

    private int[] found = new int[256];

    /** The round of {@link #arm} in which libslirp last asked for a descriptor. */
    private int[] wanted = new int[256];

    private int round;

    /** Descriptors as libslirp's indices count them. */
    private int[] polled = new int[64];

    private int polledCount;

    /** When the alarm is set for, {@link Long#MAX_VALUE} if it is not. */
    private long alarm = Long.MAX_VALUE;

    /** Something happened since {@link #arm}: libslirp may want other descriptors. */
    private boolean dirty;

    private boolean closed;
    private long lost;
    private long guestErrors;

    private Slirp(String name, LibSlirp library, Readiness readiness, FrameQueue frames) {
        this.name = name;
        this.library = library;
        this.readiness = readiness;
        this.frames = frames;
        callbacks = new SlirpCallbacks(new Calls());
    }

    /**
     * Makes a network with nobody in it yet.
     *
     * @param name for messages
     * @param mtu of the guest's interface, {@link #LEAST_MTU} to {@link #GREATEST_MTU}
     * @throws IllegalArgumentException the MTU is out of these
     * @throws LibraryException libslirp is missing or older than 4.7
     * @throws IOException the host lacks descriptors or memory
     */
    public static Slirp open(String name, int mtu) throws IOException {
        return open(name, mtu, LibSlirp.SONAME);
    }

    static Slirp open(String name, int mtu, String soname) throws IOException {
        if (mtu < LEAST_MTU || mtu > GREATEST_MTU) {
            throw new IllegalArgumentException("libslirp takes no MTU of " + mtu);
        }
        LibSlirp library = load(soname);
        Readiness readiness = Readiness.open();
        Slirp slirp;
        try {
            slirp = new Slirp(name, library, readiness, new FrameQueue(QUEUE_BYTES));
        } catch (LinuxException e) {
            readiness.close();
            throw e;
        }
        try {
            slirp.begin(mtu);
        } catch (IOException | RuntimeException e) {
            slirp.close();
            throw e;
        }
        return slirp;
    }

    private static LibSlirp load(String soname) throws LibraryException {
        LibSlirp library;
        String version;
        try {
            library = LibSlirp.load(soname);
            version = library.slirp_version_string();
        } catch (UnsatisfiedLinkError e) {
            throw new LibraryException("the library " + soname + " is missing or broken", e);
        }
        String[] parts = version.split("\\.");
        try {
            int major = Integer.parseInt(parts[0]);
            if (major > NEEDED_MAJOR
                    || major == NEEDED_MAJOR && Integer.parseInt(parts[1]) >= NEEDED_MINOR) {
                return library;
            }
        } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
            throw new LibraryException(
                    "the version of %s is '%s', which nobody knows".formatted(soname, version), e);
        }
        throw new LibraryException(
                "the version of %s is %s, and %d.%d is the oldest that will do"
                        .formatted(soname, version, NEEDED_MAJOR, NEEDED_MINOR),
                null);
    }

    private synchronized void begin(int mtu) throws IOException {
        ByteBuffer config = config(mtu);
        stack = library.slirp_new(Host.address(config), callbacks.table(), 0);
        Reference.reachabilityFence(config);
        if (stack == 0) {
            throw new IOException("libslirp makes no network with an MTU of " + mtu + " bytes");
        }
        arm();
    }

    /** The network of QEMU's {@code -netdev user}, which guests and their users know. */
    private static ByteBuffer config(int mtu) {
        ByteBuffer config = Host.buffer(SlirpAbi.CONFIG_BYTES);
        config.putInt(SlirpAbi.VERSION, SlirpAbi.CONFIG_VERSION);
        config.put(SlirpAbi.IN_ENABLED, (byte) 1);
        config.put(SlirpAbi.VNETWORK, new byte[] {10, 0, 2, 0});
        config.put(SlirpAbi.VNETMASK, new byte[] {-1, -1, -1, 0});
        config.put(SlirpAbi.VHOST, new byte[] {10, 0, 2, 2});
        config.put(SlirpAbi.VDHCP_START, new byte[] {10, 0, 2, 15});
        config.put(SlirpAbi.VNAMESERVER, new byte[] {10, 0, 2, 3});
        config.put(SlirpAbi.IN6_ENABLED, (byte) 1);
        config.put(SlirpAbi.VPREFIX_ADDR6, siteLocal(0));
        config.put(SlirpAbi.VPREFIX_LEN, (byte) 64);
        config.put(SlirpAbi.VHOST6, siteLocal(2));
        config.put(SlirpAbi.VNAMESERVER6, siteLocal(3));
        config.putLong(SlirpAbi.IF_MTU, mtu);
        config.putLong(SlirpAbi.IF_MRU, mtu);
        return config;
    }

    private static byte[] siteLocal(int host) {
        byte[] address = new byte[16];
        address[0] = (byte) 0xfe;
        address[1] = (byte) 0xc0;
        address[15] = (byte) host;
        return address;
    }

    /**
     * Has a port of the host lead to one of the guest, until the network is closed.
     *
     * @throws LinuxException the host does not permit it, or somebody listens there already
     */
    public synchronized void forward(HostForward forward) throws LinuxException {
        if (closed) {
            throw LinuxException.closed("forward a port of " + name);
        }
        int result =
                library.slirp_add_hostfwd(
                        stack,
                        forward.protocol() == HostForward.Protocol.UDP ? 1 : 0,
                        networkOrder(forward.hostAddress()),
                        forward.hostPort(),
                        networkOrder(forward.guestAddress()),
                        forward.guestPort());
        if (result < 0) {
            throw LinuxException.last(
                    "listen at %s:%d for the guest's port %d"
                            .formatted(
                                    forward.hostAddress().getHostAddress(),
                                    forward.hostPort(),
                                    forward.guestPort()));
        }
        dirty = true;
        ring();
    }

    private static int networkOrder(Inet4Address address) {
        return ByteBuffer.wrap(address.getAddress()).order(ByteOrder.nativeOrder()).getInt();
    }

    @Override
    public Fd readiness() {
        return readiness.descriptor();
    }

    @Override
    public synchronized void work() {
        if (closed || frames.isHalfFull()) {
            return;
        }
        try {
            int count = readiness.poll();
            for (int i = 0; i < count; i++) {
                if (readiness.takeAlarm(i)) {
                    alarm = Long.MAX_VALUE;
                } else {
                    found[(int) readiness.token(i)] = readiness.ready(i);
                }
            }
            expire();
            library.slirp_pollfds_poll(stack, 0, callbacks.events(), 0);
            arm();
        } catch (LinuxException e) {
            // Numbers and addresses are our own: this host has run out of memory or watches.
            LOG.log(Level.WARNING, "{0}: {1}", name, e.getMessage());
        }
    }

    private void expire() {
        long milliseconds = now() / MILLISECOND;
        for (Map.Entry<Long, Timer> entry : List.copyOf(timers.entrySet())) {
            Timer timer = entry.getValue();
            if (timer.expiry() <= milliseconds) {
                timers.put(entry.getKey(), new Timer(timer.id(), timer.opaque(), Long.MAX_VALUE));
                library.slirp_handle_timer(stack, timer.id(), timer.opaque());
            }
        }
    }

    /** Has epoll wait for what libslirp wants by now, and for its time-outs. */
    private void arm() throws LinuxException {
        dirty = false;
        Arrays.fill(found, 0);
        int before = polledCount;
        int[] earlier = before == 0 ? new int[0] : Arrays.copyOf(polled, before);
        polledCount = 0;
        round++;
        // Unsigned: as long as can be said.
        timeout.putInt(0, -1);
        library.slirp_pollfds_fill(stack, Host.address(timeout), callbacks.addPoll(), 0);
        for (int descriptor : earlier) {
            if (wanted[descriptor] != round && watched[descriptor] != 0) {
                unwatch(descriptor);
            }
        }
        long soonest = Integer.toUnsignedLong(timeout.getInt(0));
        long at = soonest == 0xffff_ffffL ? Long.MAX_VALUE : now() + soonest * MILLISECOND;
        for (Timer timer : timers.values()) {
            if (timer.expiry() != Long.MAX_VALUE) {
                at = Math.min(at, timer.expiry() * MILLISECOND);
            }
        }
        // An alarm that comes early does no harm; setting one for each frame would.
        if (at < alarm) {
            readiness.alarm(Math.max(1, at - now()));
            alarm = at;
        }
        ring();
    }

    private void unwatch(int descriptor) {
        watched[descriptor] = 0;
        try {
            readiness.forget(descriptor);
        } catch (LinuxException e) {
            LOG.log(Level.WARNING, "{0}: {1}", name, e.getMessage());
        }
    }

    /** Makes {@link #readiness} readable if there is something to receive or to do. */
    private void ring() {
        readiness.ring(dirty || !frames.isEmpty());
    }

    @Override
    public synchronized int next() {
        return closed ? -1 : frames.next();
    }

    @Override
    public synchronized int receive(IoVec into) {
        int length = next();
        if (length < 0) {
            return -1;
        }
        if (length > into.bytes()) {
            skip();
            return 0;
        }
        into.fill(frames.address(), length);
        frames.drop();
        ring();
        return length;
    }

    @Override
    public synchronized void skip() {
        if (next() >= 0) {
            frames.drop();
            lost++;
            ring();
        }
    }

    @Override
    public synchronized boolean send(IoVec frame) {
        if (closed || frame.bytes() > LONGEST) {
            lost++;
            return true;
        }
        int length = (int) frame.bytes();
        if (frame.count() == 1) {
            library.slirp_input(stack, frame.front(), length);
        } else {
            frame.gather(Host.address(scratch), length);
            library.slirp_input(stack, Host.address(scratch), length);
        }
        dirty = true;
        ring();
        return true;
    }

    @Override
    public Optional<Fd> room() {
        return Optional.empty();
    }

    @Override
    public boolean flush() {
        return true;
    }

    @Override
    public synchronized long lost() {
        return lost;
    }

    /** Ends all connections. Nothing is called back any more once this has returned. */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        if (stack != 0) {
            library.slirp_cleanup(stack);
            stack = 0;
        }
        callbacks.close();
        frames.close();
        readiness.close();
    }

    private static long now() {
        return System.nanoTime();
    }

    private static int[] reaching(int[] array, int index) {
        return index < array.length
                ? array
                : Arrays.copyOf(array, Math.max(index + 1, array.length * 2));
    }

    /** What libslirp asks of us; under this object's lock. */
    private final class Calls implements SlirpCallbacks.Application {
        @Override
        public void sendPacket(long address, long length) {
            if (length <= LONGEST && frames.offer(address, (int) length)) {
                return;
            }
            lost++;
            if (Long.bitCount(lost) == 1) {
                LOG.log(
                        Level.DEBUG,
                        () -> "%s: the guest takes no frames, %d are lost".formatted(name, lost));
            }
        }

        @Override
        public void guestError(long message) {
            // As often as the guest likes: every power of two is told.
            guestErrors++;
            if (Long.bitCount(guestErrors) == 1) {
                LOG.log(
                        Level.DEBUG,
                        () ->
                                "%s: %s (%d so far)"
                                        .formatted(name, Host.text(message), guestErrors));
            }
        }

        @Override
        public long clock() {
            return now();
        }

        @Override
        public long timerNew(int id, long opaque) {
            timers.put(++lastTimer, new Timer(id, opaque, Long.MAX_VALUE));
            return lastTimer;
        }

        @Override
        public void timerFree(long timer) {
            timers.remove(timer);
        }

        @Override
        public void timerMod(long timer, long milliseconds) {
            timers.computeIfPresent(
                    timer, (key, was) -> new Timer(was.id(), was.opaque(), milliseconds));
            dirty = true;
        }

        @Override
        public void unregisterPollFd(int descriptor) {
            if (descriptor >= 0 && descriptor < watched.length) {
                found[descriptor] = 0;
                if (watched[descriptor] != 0) {
                    unwatch(descriptor);
                }
            }
        }

        @Override
        public void notifyWork() {
            dirty = true;
        }

        @Override
        public int addPoll(int descriptor, int events) {
            watched = reaching(watched, descriptor);
            found = reaching(found, descriptor);
            wanted = reaching(wanted, descriptor);
            polled = reaching(polled, polledCount);
            wanted[descriptor] = round;
            int interest = interest(events);
            if (watched[descriptor] != interest) {
                try {
                    readiness.watch(descriptor, interest, descriptor);
                    watched[descriptor] = interest;
                } catch (LinuxException e) {
                    LOG.log(Level.WARNING, "{0}: {1}", name, e.getMessage());
                }
            }
            polled[polledCount] = descriptor;
            return polledCount++;
        }

        @Override
        public int events(int index) {
            if (index < 0 || index >= polledCount) {
                return 0;
            }
            int ready = found[polled[index]];
            return (ready & Abi.EPOLLIN) / Abi.EPOLLIN * SlirpAbi.SLIRP_POLL_IN
                    | (ready & Abi.EPOLLOUT) / Abi.EPOLLOUT * SlirpAbi.SLIRP_POLL_OUT
                    | (ready & Abi.EPOLLPRI) / Abi.EPOLLPRI * SlirpAbi.SLIRP_POLL_PRI
                    | (ready & Abi.EPOLLERR) / Abi.EPOLLERR * SlirpAbi.SLIRP_POLL_ERR
                    | (ready & Abi.EPOLLHUP) / Abi.EPOLLHUP * SlirpAbi.SLIRP_POLL_HUP;
        }

        private int interest(int events) {
            return (events & SlirpAbi.SLIRP_POLL_IN) / SlirpAbi.SLIRP_POLL_IN * Abi.EPOLLIN
                    | (events & SlirpAbi.SLIRP_POLL_OUT) / SlirpAbi.SLIRP_POLL_OUT * Abi.EPOLLOUT
                    | (events & SlirpAbi.SLIRP_POLL_PRI) / SlirpAbi.SLIRP_POLL_PRI * Abi.EPOLLPRI
                    | Abi.EPOLLERR
                    | Abi.EPOLLHUP;
        }
    }
}
