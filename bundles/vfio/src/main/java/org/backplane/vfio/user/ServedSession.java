package org.backplane.vfio.user;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.backplane.linux.LinuxException;
import org.backplane.linux.StreamSocket;
import org.backplane.vfio.VfioException;

/**
 * A server's time with one client. Commands are carried out on the server's thread in the order in
 * which they came; requests to the client may be made by any thread.
 *
 * <p>The server's own thread makes them too, inside of a command, and then takes what comes from
 * the socket itself until it has its reply: commands that come meanwhile wait.
 */
final class ServedSession implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(ServedSession.class.getName());

    /**
     * Commands that may wait while a request is under way; a client that pipelines more is let go.
     */
    private static final int MOST_WAITING = 64;

    /** A request to the client. */
    private static final class Request {
        private final int command;
        private Message reply;

        Request(int command) {
            this.command = command;
        }
    }

    private final MessageChannel channel;
    private final CommandHandler handler;
    private final Thread thread = Thread.currentThread();
    private final Duration patience;
    private final Deadline greeting;
    private final Deque<Message> waiting = new ArrayDeque<>();
    private Capabilities client;
    private boolean toldOfFault;

    /** Guarded by itself; threads wait on it for replies. */
    private final Map<Integer, Request> requests = new HashMap<>();

    private int lastId;
    private boolean over;

    /**
     * To be made on the server's thread.
     *
     * @param patience how long a message that has begun, or a reply, may take
     * @param greeting how long it may take from now until the client has proposed a version
     */
    ServedSession(
            StreamSocket socket, CommandHandler handler, Duration patience, Duration greeting) {
        channel = new MessageChannel(socket, Capabilities.OURS.mostDescriptors());
        this.handler = handler;
        this.patience = patience;
        this.greeting = Deadline.in(greeting);
    }

    StreamSocket socket() {
        return channel.socket();
    }

    /** What the client has left to propose a version, rounded up; -1 once it has. */
    int greetingMillis() {
        return client == null ? (int) Math.max(0, (greeting.left() + 999_999) / 1_000_000) : -1;
    }

    /**
     * Takes what has come, and carries it out.
     *
     * @throws IOException the session is over
     */
    void work() throws IOException {
        if (!channel.await(0)) {
            return;
        }
        take(channel.receive(client == null ? greeting : Deadline.in(patience)));
        while (!waiting.isEmpty()) {
            carryOut(waiting.remove());
        }
    }

    private void take(Message message) throws IOException {
        if (message.isReply()) {
            complete(message);
        } else if (waiting.size() < MOST_WAITING) {
            waiting.add(message);
        } else {
            message.closeDescriptors();
            throw new ProtocolException(
                    "more than %d commands came while a request was under way"
                            .formatted(MOST_WAITING));
        }
    }

    private void carryOut(Message message) throws IOException {
        CommandHandler.Reply reply = CommandHandler.Reply.EMPTY;
        int errno = 0;
        try {
            if (client == null) {
                reply = CommandHandler.Reply.of(agree(message));
            } else {
                reply = handler.handle(message);
            }
        } catch (ProtocolException e) {
            throw e;
        } catch (RefusedException e) {
            LOG.log(Level.DEBUG, "refused: {0}", e.getMessage());
            errno = e.errno();
        } catch (LinuxException e) {
            LOG.log(Level.DEBUG, "refused: {0}", e.getMessage());
            errno = e.errno();
        } catch (IOException e) {
            LOG.log(Level.DEBUG, "refused: {0}", e.getMessage());
            errno = Wire.EIO;
        } catch (RuntimeException | InternalError e) {
            errno = e instanceof InternalError ? Wire.EFAULT : Wire.EIO;
            tellOfFault(message.command(), e);
        } finally {
            message.closeDescriptors();
        }
        if (message.wantsReply()) {
            boolean failed = errno != 0;
            channel.send(
                    message.id(),
                    message.command(),
                    Wire.TYPE_REPLY | (failed ? Wire.ERROR : 0),
                    errno,
                    failed ? Message.payload(0) : reply.payload(),
                    failed ? List.of() : reply.descriptors(),
                    Deadline.in(patience));
        }
    }

    /** Once for each client, which may be able to cause it as often as it likes. */
    private void tellOfFault(int command, Throwable fault) {
        LOG.log(
                toldOfFault ? Level.DEBUG : Level.ERROR,
                "the served device failed in command " + command,
                fault);
        toldOfFault = true;
    }

    private ByteBuffer agree(Message message) throws IOException {
        if (message.command() != Wire.VERSION
                || message.payload().limit() < Wire.VERSION_DATA
                || !message.descriptors().isEmpty()) {
            throw new ProtocolException("the first command is none that proposes a version");
        }
        int major = Short.toUnsignedInt(message.payload().getShort(Wire.VERSION_MAJOR));
        int minor = Short.toUnsignedInt(message.payload().getShort(Wire.VERSION_MINOR));
        if (major != Wire.MAJOR) {
            throw new ProtocolException(
                    "version %d.%d is proposed, and %d.%d spoken here"
                            .formatted(major, minor, Wire.MAJOR, Wire.MINOR));
        }
        Capabilities proposed =
                Capabilities.read(message.payload().position(Wire.VERSION_DATA).slice());
        ByteBuffer data = Capabilities.OURS.namedBy(proposed).toVersionData();
        ByteBuffer reply = Message.payload(Wire.VERSION_DATA + data.remaining());
        reply.putShort(Wire.VERSION_MAJOR, (short) Wire.MAJOR);
        reply.putShort(Wire.VERSION_MINOR, (short) Math.min(minor, Wire.MINOR));
        reply.put(Wire.VERSION_DATA, data, 0, data.remaining());
        client = proposed;
        return reply;
    }

    /** Most bytes of data that the client takes in one message. */
    int mostData() {
        return client == null ? 0 : Math.min(client.mostData(), Wire.MOST_DATA);
    }

    /** Sends the client a request and waits for the reply. */
    Message request(int command, ByteBuffer payload) throws VfioException {
        try {
            Request request = new Request(command);
            int id;
            synchronized (requests) {
                do {
                    lastId = lastId + 1 & 0xffff;
                } while (requests.containsKey(lastId));
                id = lastId;
                requests.put(id, request);
            }
            try {
                Deadline deadline = Deadline.in(patience);
                channel.send(id, command, Wire.TYPE_COMMAND, 0, payload, List.of(), deadline);
                return await(request, deadline);
            } finally {
                synchronized (requests) {
                    requests.remove(id);
                }
            }
        } catch (IOException e) {
            // The server's thread finds the socket at its end and lets the client go.
            channel.shutdown();
            throw new VfioException("The client cannot be asked: %s.".formatted(e.getMessage()), e);
        }
    }

    private Message await(Request request, Deadline deadline) throws IOException {
        if (Thread.currentThread() == thread) {
            while (request.reply == null) {
                if (!channel.await(deadline.left())) {
                    throw late(request);
                }
                take(channel.receive(deadline));
            }
            return request.reply;
        }
        synchronized (requests) {
            while (request.reply == null) {
                long left = (deadline.left() + 999_999) / 1_000_000;
                if (over) {
                    throw new ProtocolException("it is gone");
                }
                if (left <= 0) {
                    throw late(request);
                }
                try {
                    requests.wait(left);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new ProtocolException("the waiting thread was interrupted");
                }
            }
            return request.reply;
        }
    }

    private ProtocolException late(Request request) {
        return new ProtocolException(
                "no reply to command %d came within %d ms"
                        .formatted(request.command, patience.toMillis()));
    }

    private void complete(Message reply) throws ProtocolException {
        reply.closeDescriptors();
        synchronized (requests) {
            Request request = requests.get(reply.id());
            if (request == null || request.command != reply.command() || request.reply != null) {
                throw new ProtocolException(
                        "a reply to command %d, number %d, came unasked"
                                .formatted(reply.command(), reply.id()));
            }
            request.reply = reply;
            requests.notifyAll();
        }
    }

    /** Ends the connection; the server's thread finds it at its end. Any thread. */
    void shutdown() {
        channel.shutdown();
    }

    /** Gives back all that is the client's; on the server's thread. */
    @Override
    public void close() {
        synchronized (requests) {
            over = true;
            requests.notifyAll();
        }
        waiting.forEach(Message::closeDescriptors);
        waiting.clear();
        handler.release();
        channel.close();
    }
}
