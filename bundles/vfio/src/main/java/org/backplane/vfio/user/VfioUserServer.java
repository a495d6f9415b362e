package org.backplane.vfio.user;

import java.io.EOFException;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.backplane.linux.Epoll;
import org.backplane.linux.EventFd;
import org.backplane.linux.LinuxException;
import org.backplane.linux.StreamListener;
import org.backplane.linux.StreamSocket;
import org.backplane.vfio.VfioDevice;
import org.backplane.vfio.VfioException;

/**
 * Serves a device over vfio-user at a Unix socket, to one client after another: who connects while
 * one is there waits until it is gone. Only this user can connect.
 *
 * <p>It has one thread, which makes all calls of the device. A client that breaks the protocol, or
 * has not proposed a version two seconds after it was taken, or is silent in the middle of a
 * message, or does not answer, is let go; the device stays as it is.
 */
public final class VfioUserServer implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(VfioUserServer.class.getName());
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    /**
     * Half of what Backplane's own client waits: one that came behind a silent one has its turn.
     */
    private static final Duration GREETING = Duration.ofSeconds(2);

    /** Until a client is looked for again after none could be taken. */
    private static final int RETRY_MILLIS = 1000;

    private static final long LISTENER = 0;
    private static final long CLIENT = 1;

    /** Tokens from here on are of eventfds that unmask a kind of interrupt. */
    private static final long RESAMPLES = 2;

    private final Path path;
    private final ServedDevice device;
    private final Duration patience;
    private final Duration greeting;
    private final StreamListener listener;
    private final Epoll epoll;
    private final ServedInterrupts interrupts;
    private final Thread thread;

    /** Written by the server's thread. */
    private volatile ServedSession session;

    private volatile boolean closed;

    /** Whether nobody listens, nor is served: the host lacked what a client needs. */
    private boolean starved;

    /** Whether that was told, and no client was taken since. */
    private boolean told;

    private VfioUserServer(
            Path path,
            ServedDevice device,
            Duration patience,
            Duration greeting,
            StreamListener listener,
            Epoll epoll) {
        this.path = path;
        this.device = device;
        this.patience = patience;
        this.greeting = greeting;
        this.listener = listener;
        this.epoll = epoll;
        interrupts = new ServedInterrupts(ServedInterrupts.of(device));
        thread = new Thread(this::run, "vfio-user " + path.getFileName());
        thread.setDaemon(true);
    }

    /**
     * Listens at a path, in place of a socket at which nobody listens any more.
     *
     * @param device wired before this returns; stays the caller's to close, after the server
     * @throws IOException somebody else serves there, or the path is of no use; one sentence
     */
    public static VfioUserServer open(Path path, ServedDevice device) throws IOException {
        return open(path, device, PATIENCE, GREETING);
    }

    /**
     * @param patience how long a message that has begun, or a reply, may take
     * @param greeting how long a client that was taken may take to propose a version
     */
    static VfioUserServer open(Path path, ServedDevice device, Duration patience, Duration greeting)
            throws IOException {
        StreamListener listener = listen(path);
        try {
            Epoll epoll = Epoll.open();
            try {
                epoll.add(listener, Epoll.READABLE, LISTENER);
                VfioUserServer server =
                        new VfioUserServer(path, device, patience, greeting, listener, epoll);
                device.wired(server.new Wires());
                server.thread.start();
                return server;
            } catch (IOException | RuntimeException e) {
                epoll.close();
                throw e;
            }
        } catch (IOException | RuntimeException e) {
            listener.close();
            throw e;
        }
    }

    private static StreamListener listen(Path path) throws IOException {
        try {
            return StreamListener.open(path, 8);
        } catch (LinuxException e) {
            if (!e.isInUse()) {
                throw e;
            }
        }
        try (StreamSocket other = StreamSocket.connect(path)) {
            throw new VfioException(
                    "Somebody serves at '%s' already; give another path.".formatted(path));
        } catch (LinuxException e) {
            if (!e.isRefused() || !StreamListener.removeStale(path)) {
                throw new VfioException(
                        "'%s' is there already and is no socket of a server that ended; give another path."
                                .formatted(path),
                        e);
            }
        }
        return StreamListener.open(path, 8);
    }

    /** Where it listens. */
    public Path path() {
        return path;
    }

    private void run() {
        while (!closed) {
            try {
                int count = epoll.await(waitMillis());
                if (starved) {
                    listen();
                }
                for (int i = 0; i < count && !closed; i++) {
                    handle(epoll.token(i));
                }
                if (count == 0) {
                    dropSilent();
                }
            } catch (IOException | RuntimeException | InternalError e) {
                if (!closed) {
                    // Of accepting, or of memory that a client cut off under other code than its
                    // device's: an error of that kind is reported some instructions late.
                    LOG.log(Level.ERROR, "serving at '" + path + "' failed", e);
                    drop("this server failed");
                }
            }
        }
        drop("this server ends");
        epoll.close();
        listener.close();
    }

    private int waitMillis() {
        if (starved) {
            return RETRY_MILLIS;
        }
        return session == null ? -1 : session.greetingMillis();
    }

    /**
     * Others wait for the device meanwhile. To be called when nothing of a client is left unread.
     */
    private void dropSilent() {
        if (session != null && session.greetingMillis() == 0) {
            drop(
                    "it has not proposed a version within the %d ms that it has for that"
                            .formatted(greeting.toMillis()));
        }
    }

    private void handle(long token) throws IOException {
        if (token == LISTENER) {
            if (session == null) {
                accept();
            }
        } else if (token == CLIENT) {
            if (session != null) {
                work();
            }
        } else {
            int irq = (int) (token - RESAMPLES);
            if (irq == VfioDevice.INTX) {
                device.interruptFinished();
            }
            interrupts.resampled(irq);
        }
    }

    private void listen() {
        try {
            epoll.add(listener, Epoll.READABLE, LISTENER);
            starved = false;
        } catch (LinuxException e) {
            starve(e);
        }
    }

    private void accept() throws IOException {
        StreamSocket socket;
        try {
            socket = listener.accept();
            if (socket == null) {
                return;
            }
        } catch (LinuxException e) {
            // Would be tried again at once, for ever: mostly there are no descriptors left.
            epoll.remove(listener);
            starve(e);
            return;
        }
        try {
            // Who else connects waits for this one to go.
            epoll.remove(listener);
            epoll.add(socket, Epoll.READABLE, CLIENT);
        } catch (LinuxException e) {
            socket.close();
            starve(e);
            return;
        }
        told = false;
        CommandHandler handler =
                new CommandHandler(
                        device, new InterruptCommands(device, interrupts, new Resamples()));
        session = new ServedSession(socket, handler, patience, greeting);
        LOG.log(Level.INFO, "a client uses the device at ''{0}''", path);
        if (closed) {
            session.shutdown();
        }
    }

    private void work() {
        try {
            session.work();
        } catch (EOFException e) {
            drop("it hung up");
        } catch (IOException e) {
            drop(e.getMessage());
        }
    }

    private void drop(String reason) {
        ServedSession gone = session;
        if (gone == null) {
            return;
        }
        LOG.log(Level.INFO, "the client of ''{0}'' is let go: {1}", path, reason);
        session = null;
        gone.close();
        if (closed) {
            return;
        }
        listen();
    }

    /** Listens later: others may have given back by then what is lacking now. */
    private void starve(LinuxException reason) {
        LOG.log(
                told ? Level.DEBUG : Level.ERROR,
                "no client can be taken, which is tried again each second: {0}; where there are too many open files, raise their limit with ''ulimit -n''",
                reason.getMessage());
        starved = true;
        told = true;
    }

    private final class Resamples implements InterruptCommands.Resamples {
        @Override
        public void watch(int irq, EventFd event) throws LinuxException {
            // Never read, for the client can make it block, or hold as much as it likes.
            epoll.add(event, Epoll.READABLE | Epoll.EDGE, RESAMPLES + irq);
        }

        @Override
        public void forget(EventFd event) {
            try {
                epoll.remove(event);
            } catch (LinuxException e) {
                LOG.log(Level.WARNING, "an eventfd of a client stays watched: {0}", e.getMessage());
            }
        }
    }

    private final class Wires implements ServedWires {
        @Override
        public boolean signal(int irq, int vector) {
            return interrupts.signal(irq, vector);
        }

        @Override
        public boolean isSet(int irq, int vector) {
            return interrupts.isSet(irq, vector);
        }

        @Override
        public void level(boolean asserted) {
            interrupts.level(asserted);
        }

        @Override
        public void readMemory(long address, byte[] to) throws VfioException {
            for (int done = 0; done < to.length; ) {
                ServedSession current = current();
                int piece = Math.min(current.mostData(), to.length - done);
                ByteBuffer payload = access(address + done, piece, 0);
                ByteBuffer reply = request(current, Wire.DMA_READ, payload, piece);
                reply.get(Wire.DMA_BYTES, to, done, piece);
                done += piece;
            }
        }

        @Override
        public void writeMemory(long address, byte[] from) throws VfioException {
            for (int done = 0; done < from.length; ) {
                ServedSession current = current();
                int piece = Math.min(current.mostData(), from.length - done);
                ByteBuffer payload = access(address + done, piece, piece);
                payload.put(Wire.DMA_BYTES, from, done, piece);
                request(current, Wire.DMA_WRITE, payload, 0);
                done += piece;
            }
        }

        private ServedSession current() throws VfioException {
            ServedSession current = session;
            if (current == null || current.mostData() == 0) {
                throw new VfioException("The device at '%s' has no client.".formatted(path));
            }
            return current;
        }

        private ByteBuffer access(long address, int count, int data) {
            ByteBuffer payload = Message.payload(Wire.DMA_BYTES + data);
            payload.putLong(Wire.DMA_ADDRESS, address);
            payload.putLong(Wire.DMA_COUNT, count);
            return payload;
        }

        private ByteBuffer request(ServedSession current, int command, ByteBuffer payload, int data)
                throws VfioException {
            Message reply = current.request(command, payload);
            if (reply.isError()) {
                throw new VfioException(
                        "The client of '%s' refuses 0x%x bytes at 0x%x: %s."
                                .formatted(
                                        path,
                                        payload.getLong(Wire.DMA_COUNT),
                                        payload.getLong(Wire.DMA_ADDRESS),
                                        LinuxException.reason(reply.errno())));
            }
            // Of a write, the specification has four bytes of count and clients send eight.
            int least = data > 0 ? Wire.DMA_BYTES + data : Wire.DMA_COUNT + Integer.BYTES;
            if (reply.payload().limit() < least
                    || reply.payload().getInt(Wire.DMA_COUNT)
                            != (int) payload.getLong(Wire.DMA_COUNT)) {
                current.shutdown();
                throw new VfioException(
                        "The client of '%s' answered %d bytes where %d were due; it is let go."
                                .formatted(path, reply.payload().limit(), least));
            }
            return reply.payload();
        }
    }

    /**
     * Lets the client go and ends the thread: no call of the device comes afterwards, unless one
     * under way does not return within ten seconds, which the log tells of with its stack. Not to
     * be called by the device.
     */
    @Override
    public void close() {
        closed = true;
        ServedSession current = session;
        if (current != null) {
            current.shutdown();
        }
        epoll.wake();
        try {
            thread.join(TimeUnit.SECONDS.toMillis(10));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (thread.isAlive()) {
            LOG.log(
                    Level.WARNING,
                    "the device at ''{0}'' does not return from {1}",
                    path,
                    Arrays.toString(thread.getStackTrace()));
        }
    }
}
