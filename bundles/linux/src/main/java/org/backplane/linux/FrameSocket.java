package org.backplane.linux;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.backplane.linux.libc.Abi;

/**
 * Ethernet frames over a Unix stream socket, each behind its length in 32 bits, big-endian: what
 * QEMU's {@code -netdev stream} and passt speak. There is one peer at a time. It is connected to at
 * the path or, where nobody listens, waited for there; one that hangs up is picked up again when it
 * is back, whoever of the two listens by then. Without a peer frames are lost.
 *
 * <p>A frame goes between the caller's memory and the socket without a copy, except for one that
 * has come in half and one that the socket took in half. Which part that is belongs to the
 * connection, not to a device, so it is kept here ({@link FrameStream}).
 *
 * <p>A peer that does not read slows the sender down for a second; from then on frames are lost
 * until it reads again.
 */
public final class FrameSocket implements FramePort {
    private static final System.Logger LOG = System.getLogger(FrameSocket.class.getName());

    private static final long RETRY = 1_000_000_000L;
    private static final long PATIENCE = 1_000_000_000L;
    private static final long LISTENER = 0;
    private static final long PEER = 1;

    private final String name;
    private final Path path;
    private final boolean listens;
    private final FrameStream.Buffers buffers = new FrameStream.Buffers();
    private final AtomicLong lost = new AtomicLong();

    /** Held for receiving and for {@link #work}; taken before {@link #sending}. */
    private final Object receiving = new Object();

    /** Of receiving, with the time to look for a peer as its alarm. */
    private final Readiness readiness;

    private StreamListener listener;

    /** What was last said about having no peer, so that it is said once. */
    private String told = "";

    /** How many lost frames have been told of. */
    private long toldLost;

    private final Object sending = new Object();

    /** Of sending, with the end of patience as its alarm. */
    private final Readiness room;

    /** Since when the peer takes nothing, 0 if it does. */
    private long blockedSince;

    /** Written under {@link #sending}; null if there is nobody. */
    private volatile FrameStream peer;

    private volatile boolean closed;

    private FrameSocket(
            String name, Path path, boolean listens, Readiness readiness, Readiness room) {
        this.name = name;
        this.path = path;
        this.listens = listens;
        this.readiness = readiness;
        this.room = room;
    }

    /**
     * Connects, or listens, or has a first try at it behind it.
     *
     * @param name for messages
     * @param listens whether to listen where nobody does, rather than to try until somebody does
     * @throws IOException the path is of no use to a socket; that there is no peer is no reason
     */
    public static FrameSocket open(String name, Path path, boolean listens) throws IOException {
        Readiness readiness = Readiness.open();
        Readiness room;
        try {
            room = Readiness.open();
        } catch (LinuxException e) {
            readiness.close();
            throw e;
        }
        FrameSocket socket = new FrameSocket(name, path, listens, readiness, room);
        try {
            synchronized (socket.receiving) {
                socket.seek();
            }
        } catch (IOException e) {
            socket.close();
            throw e;
        }
        return socket;
    }

    @Override
    public Fd readiness() {
        return readiness.descriptor();
    }

    @Override
    public void work() {
        synchronized (receiving) {
            if (closed) {
                return;
            }
            try {
                int count = readiness.poll();
                for (int i = 0; i < count; i++) {
                    readiness.takeAlarm(i);
                }
                if (peer == null) {
                    seek();
                }
            } catch (IOException e) {
                tell(Level.WARNING, e.getMessage());
                again();
            }
        }
    }

    /** Looks for a peer, once, and sees to it that the next look comes. */
    private void seek() throws IOException {
        StreamSocket found = listener == null ? null : listener.accept();
        if (found == null && listener != null && !listener.isReachable()) {
            // Somebody else listens at the path, or nobody can come by it any more.
            listener.close();
            listener = null;
        }
        if (found == null && listener == null) {
            found = connect();
        }
        if (found != null) {
            attach(found);
        } else {
            again();
        }
    }

    private StreamSocket connect() throws IOException {
        try {
            return StreamSocket.connect(path);
        } catch (LinuxException e) {
            if (!e.isAbsent() && !e.isRefused() && e.errno() != Abi.EAGAIN) {
                throw e;
            }
            if (listens && e.errno() != Abi.EAGAIN) {
                listen();
            } else {
                tellFirst("looks every second for somebody who listens at '" + path + "'");
            }
            return null;
        }
    }

    private void listen() throws IOException {
        if (!StreamListener.removeStale(path)) {
            throw new IOException("'" + path + "' is there already and is no socket");
        }
        try {
            listener = StreamListener.open(path, 1);
        } catch (LinuxException e) {
            if (!e.isInUse()) {
                throw e;
            }
            // Another was quicker: there is somebody to connect to, the next time.
            return;
        }
        readiness.add(listener, Epoll.READABLE, LISTENER);
        tellFirst("waits for a peer at '" + path + "'");
    }

    private void attach(StreamSocket socket) throws LinuxException {
        try {
            readiness.add(socket, Epoll.READABLE, PEER);
            if (listener != null) {
                // Who else connects waits for this one to go.
                readiness.remove(listener);
            }
            readiness.alarm(0);
        } catch (LinuxException e) {
            socket.close();
            throw e;
        }
        synchronized (sending) {
            blockedSince = 0;
            peer = new FrameStream(socket, buffers);
        }
        long now = lost.get();
        String cost = now == toldLost ? "" : "; %d frames were lost".formatted(now - toldLost);
        toldLost = now;
        tell(Level.INFO, "the peer at '" + path + "' is there" + cost);
    }

    /** Lets go of a peer; whoever noticed first. Not to be called under {@link #sending}. */
    private void lose(FrameStream gone, String reason) {
        synchronized (receiving) {
            synchronized (sending) {
                if (peer != gone) {
                    return;
                }
                peer = null;
                gone.socket().close();
                if (gone.hasRest()) {
                    lost.incrementAndGet();
                }
                blockedSince = 0;
                // A sender that was refused is not to wait for one that is gone.
                room.ring(true);
            }
            told = reason;
            LOG.log(
                    Level.WARNING,
                    "{0}: the peer at ''{1}'' {2}; frames are lost until there is one again",
                    name,
                    path,
                    reason);
            again();
        }
    }

    private void again() {
        try {
            if (listener != null && peer == null) {
                readiness.watch(listener.number(), Epoll.READABLE, LISTENER);
            }
            readiness.alarm(RETRY);
        } catch (LinuxException e) {
            LOG.log(Level.WARNING, "{0}: {1}", name, e.getMessage());
        }
    }

    /** What goes without saying once a peer that was there has been reported gone. */
    private void tellFirst(String what) {
        if (told.isEmpty()) {
            tell(Level.INFO, what);
        }
    }

    private void tell(Level level, String what) {
        if (!what.equals(told)) {
            told = what;
            LOG.log(level, "{0}: {1}", name, what);
        }
    }

    @Override
    public int next() {
        synchronized (receiving) {
            FrameStream from = peer;
            if (from == null) {
                return -1;
            }
            try {
                return from.next();
            } catch (IOException e) {
                lose(from, reason(e));
                return -1;
            }
        }
    }

    @Override
    public int receive(IoVec into) {
        synchronized (receiving) {
            int length = next();
            FrameStream from = peer;
            if (length < 0 || from == null) {
                return -1;
            }
            try {
                if (length > into.bytes()) {
                    lost.incrementAndGet();
                    from.skip();
                    return 0;
                }
                from.receive(into);
                return length;
            } catch (IOException e) {
                lost.incrementAndGet();
                lose(from, reason(e));
                return 0;
            }
        }
    }

    @Override
    public void skip() {
        synchronized (receiving) {
            FrameStream from = peer;
            if (next() < 0 || from == null) {
                return;
            }
            lost.incrementAndGet();
            try {
                from.skip();
            } catch (IOException e) {
                lose(from, reason(e));
            }
        }
    }

    @Override
    public boolean send(IoVec frame) {
        FrameStream to;
        String reason;
        synchronized (sending) {
            to = peer;
            if (to == null || frame.bytes() == 0 || frame.bytes() > LONGEST) {
                lost.incrementAndGet();
                return true;
            }
            try {
                if (to.send(frame)) {
                    waitForRoom(to.hasRest());
                    return true;
                }
                waitForRoom(true);
                if (isPatient()) {
                    return false;
                }
                lost.incrementAndGet();
                return true;
            } catch (IOException e) {
                lost.incrementAndGet();
                reason = reason(e);
            }
        }
        lose(to, reason);
        return true;
    }

    @Override
    public Optional<Fd> room() {
        return Optional.of(room.descriptor());
    }

    @Override
    public boolean flush() {
        FrameStream to;
        String reason;
        synchronized (sending) {
            if (closed) {
                return true;
            }
            to = peer;
            try {
                int count = room.poll();
                boolean writable = false;
                for (int i = 0; i < count; i++) {
                    writable |= !room.takeAlarm(i);
                }
                if (to == null || blockedSince == 0) {
                    return true;
                }
                // Where nothing is left to be sent, only the kernel knows whether there is room.
                boolean flushed = writable && to.flush();
                waitForRoom(!flushed);
                return flushed || !isPatient();
            } catch (IOException e) {
                reason = reason(e);
            }
        }
        lose(to, reason);
        return true;
    }

    private void waitForRoom(boolean blocked) throws LinuxException {
        if (blocked == (blockedSince != 0)) {
            return;
        }
        int number = peer.socket().number();
        if (blocked) {
            blockedSince = System.nanoTime();
            room.watch(number, Epoll.WRITABLE, PEER);
            room.alarm(PATIENCE);
        } else {
            blockedSince = 0;
            room.forget(number);
            room.alarm(0);
        }
    }

    private boolean isPatient() {
        return System.nanoTime() - blockedSince < PATIENCE;
    }

    private static String reason(IOException e) {
        if (e instanceof LinuxException
                && (((LinuxException) e).errno() == Abi.ECONNRESET
                        || ((LinuxException) e).errno() == Abi.EPIPE)) {
            return "hung up";
        }
        return e instanceof LinuxException ? "failed: " + e.getMessage() : e.getMessage();
    }

    @Override
    public long lost() {
        return lost.get();
    }

    /** Hangs up, and listens no more. */
    @Override
    public void close() {
        synchronized (receiving) {
            synchronized (sending) {
                closed = true;
                if (peer != null) {
                    peer.socket().close();
                    peer = null;
                }
                if (listener != null) {
                    listener.close();
                    listener = null;
                }
                readiness.close();
                room.close();
            }
        }
    }
}
