package org.backplane.vfio.user;

import java.io.EOFException;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.backplane.linux.Fd;
import org.backplane.linux.LinuxException;
import org.backplane.linux.StreamSocket;
import org.backplane.memory.Access;
import org.backplane.vfio.VfioException;

/**
 * A client's connection to a server: one request at a time, and the server's own requests answered
 * while a reply is waited for. Not thread-safe, but for {@link #shutdown}.
 *
 * <p>Once anything went wrong it is over: a reply that comes too late would be taken for another's.
 * Its socket stays open, at its end and so readable, until {@link #close}: whoever watches it
 * learns that way.
 */
final class ClientConnection implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(ClientConnection.class.getName());

    /** Requests of a server that are answered in one go; more make it readable again. */
    private static final int AT_ONCE = 64;

    /** True of a slot that is being made, too, which nobody keeps where this makes it fail. */
    private static final String RESTART =
            "see what its server says, and start it again: a slot that has the device finds it then";

    private final String name;
    private final MessageChannel channel;
    private final GuestRanges memory;
    private Capabilities server = Capabilities.DEFAULTS;
    private int lastId;
    private boolean over;

    /** Why it is over; null while it is not, or was closed. Read by any thread. */
    private volatile String end;

    private Stage stage = Stage.GREETING;

    /** How far it has come; what helps when it fails depends on that. */
    private enum Stage {
        GREETING,
        DESCRIBING,
        SERVING
    }

    private ClientConnection(String name, MessageChannel channel, GuestRanges memory) {
        this.name = name;
        this.channel = channel;
        this.memory = memory;
    }

    /**
     * Connects, and waits for nobody; {@link #agree} is to follow.
     *
     * @param memory what the server may read and write by messages
     * @throws VfioException nobody serves there
     */
    static ClientConnection open(Path path, GuestRanges memory) throws VfioException {
        StreamSocket socket;
        try {
            socket = StreamSocket.connect(path);
        } catch (LinuxException e) {
            boolean absent = e.isAbsent() || e.isRefused();
            String remedy =
                    absent
                            ? "nobody serves a device there; start its server first"
                            : "the path must be a socket that this user may use";
            String sentence =
                    path.isAbsolute()
                            ? "%s: %s.".formatted(e.getMessage(), remedy)
                            : "%s: %s; the path meant is '%s'."
                                    .formatted(e.getMessage(), remedy, path.toAbsolutePath());
            throw absent ? VfioException.absent(sentence, e) : new VfioException(sentence, e);
        }
        return new ClientConnection(
                path.toAbsolutePath().toString(),
                new MessageChannel(socket, Capabilities.OURS.mostDescriptors()),
                memory);
    }

    /**
     * Agrees on a version, before anything else is requested.
     *
     * @throws VfioException the server does not speak this one
     */
    void agree(Deadline deadline) throws VfioException {
        ByteBuffer data = Capabilities.OURS.toVersionData();
        ByteBuffer payload = Message.payload(Wire.VERSION_DATA + data.remaining());
        payload.putShort(Wire.VERSION_MAJOR, (short) Wire.MAJOR);
        payload.putShort(Wire.VERSION_MINOR, (short) Wire.MINOR);
        payload.put(Wire.VERSION_DATA, data, 0, data.remaining());
        Message reply = request(deadline, Wire.VERSION, payload, List.of(), Wire.VERSION_DATA);
        try {
            int major = Short.toUnsignedInt(reply.payload().getShort(Wire.VERSION_MAJOR));
            int minor = Short.toUnsignedInt(reply.payload().getShort(Wire.VERSION_MINOR));
            if (major != Wire.MAJOR || minor > Wire.MINOR) {
                throw new ProtocolException(
                        "version %d.%d was answered to a proposal of %d.%d"
                                .formatted(major, minor, Wire.MAJOR, Wire.MINOR));
            }
            server = Capabilities.read(reply.payload().position(Wire.VERSION_DATA).slice());
            stage = Stage.DESCRIBING;
        } catch (ProtocolException e) {
            throw lost(e);
        }
    }

    /** From now on a device was there, and is gone if the connection fails. */
    void serving() {
        stage = Stage.SERVING;
    }

    /** What the other end can take. */
    Capabilities server() {
        return server;
    }

    boolean isOver() {
        return over;
    }

    /** Readable while the server has something to say, and once the connection is over. */
    StreamSocket socket() {
        return channel.socket();
    }

    /**
     * Sends a command and waits for its reply, which brings no descriptors.
     *
     * @param deadline of the operation that this is part of; past it the connection is over
     * @param least bytes that the reply's payload must have
     * @throws VfioException the server refuses, or the connection is over, which {@link #isOver}
     *     tells apart
     */
    Message request(
            Deadline deadline,
            int command,
            ByteBuffer payload,
            List<? extends Fd> descriptors,
            int least)
            throws VfioException {
        Message reply = requestWithDescriptors(deadline, command, payload, descriptors, least);
        if (!reply.descriptors().isEmpty()) {
            reply.closeDescriptors();
            throw lost(
                    new ProtocolException(
                            "%s was answered with descriptors".formatted(Wire.name(command))));
        }
        return reply;
    }

    /** As {@link #request}; the descriptors of the reply are the caller's. */
    Message requestWithDescriptors(
            Deadline deadline,
            int command,
            ByteBuffer payload,
            List<? extends Fd> descriptors,
            int least)
            throws VfioException {
        if (over) {
            throw new VfioException(
                    "The device at '%s' is gone: %s; %s."
                            .formatted(name, absence().orElse("it was closed"), RESTART));
        }
        Message reply;
        try {
            lastId = lastId + 1 & 0xffff;
            channel.send(lastId, command, Wire.TYPE_COMMAND, 0, payload, descriptors, deadline);
            reply = awaitReply(command, deadline);
            if (!reply.isError() && reply.payload().limit() < least) {
                reply.closeDescriptors();
                throw new ProtocolException(
                        "%s was answered with %d bytes, where %d are the least"
                                .formatted(Wire.name(command), reply.payload().limit(), least));
            }
        } catch (IOException e) {
            throw lost(e);
        }
        if (reply.isError()) {
            reply.closeDescriptors();
            throw new VfioException(
                    "The device at '%s' refuses %s: %s; see what its server says, and mend that, or start another."
                            .formatted(
                                    name,
                                    Wire.name(command),
                                    LinuxException.reason(reply.errno())));
        }
        return reply;
    }

    private Message awaitReply(int command, Deadline deadline) throws IOException {
        while (channel.await(deadline.left())) {
            Message message = channel.receive(deadline);
            if (message.isReply()) {
                if (message.id() == lastId && message.command() == command) {
                    return message;
                }
                message.closeDescriptors();
                throw unasked(
                        message,
                        "came where one to %s, number %d, was due"
                                .formatted(Wire.name(command), lastId));
            }
            answer(message, deadline);
            // Who asks without end is readable for ever.
            if (deadline.passed()) {
                break;
            }
        }
        throw new SilenceException(
                "no reply to %s came within the %d ms that an operation has"
                        .formatted(Wire.name(command), deadline.whole().toMillis()));
    }

    /**
     * A reply that is to nothing that was asked here; some take what they are answered for that.
     */
    private static ProtocolException unasked(Message reply, String otherwise) {
        boolean echo = reply.command() == Wire.DMA_READ || reply.command() == Wire.DMA_WRITE;
        return new ProtocolException(
                "a reply to %s, number %d, %s"
                        .formatted(
                                Wire.name(reply.command()),
                                reply.id(),
                                echo
                                        ? "came from the server, which alone sends that command: a client's reply to it is not to be answered"
                                        : otherwise));
    }

    /**
     * Answers what the server asks for now, as far as there is time.
     *
     * @return whether the connection goes on
     */
    boolean attend(Deadline deadline) {
        if (over) {
            return false;
        }
        try {
            for (int i = 0; i < AT_ONCE && !deadline.nears() && channel.await(0); i++) {
                Message message = channel.receive(deadline);
                if (message.isReply()) {
                    message.closeDescriptors();
                    throw unasked(message, "came unasked");
                }
                answer(message, deadline);
            }
            return true;
        } catch (IOException e) {
            lost(e);
            return false;
        }
    }

    private void answer(Message request, Deadline deadline) throws IOException {
        request.closeDescriptors();
        ByteBuffer payload = request.payload();
        int errno = 0;
        ByteBuffer reply = Message.payload(0);
        boolean read = request.command() == Wire.DMA_READ;
        if (!read && request.command() != Wire.DMA_WRITE) {
            errno = Wire.EOPNOTSUPP;
        } else if (payload.limit() < Wire.DMA_BYTES) {
            errno = Wire.EINVAL;
        } else {
            long address = payload.getLong(Wire.DMA_ADDRESS);
            long count = payload.getLong(Wire.DMA_COUNT);
            int data = payload.limit() - Wire.DMA_BYTES;
            if (count <= 0 || count > Wire.MOST_DATA || data != (read ? 0 : count)) {
                errno = Wire.EINVAL;
            } else if (!memory.permits(address, count, read ? Access.READ : Access.WRITE)) {
                errno = Wire.EFAULT;
            } else {
                reply = Message.payload(Wire.DMA_BYTES + (read ? (int) count : 0));
                reply.putLong(Wire.DMA_ADDRESS, address);
                reply.putLong(Wire.DMA_COUNT, count);
                if (read) {
                    memory.read(address, reply.position(Wire.DMA_BYTES));
                } else {
                    memory.write(address, payload.position(Wire.DMA_BYTES));
                }
            }
        }
        if (request.wantsReply()) {
            int flags = Wire.TYPE_REPLY | (errno == 0 ? 0 : Wire.ERROR);
            channel.send(request.id(), request.command(), flags, errno, reply, List.of(), deadline);
        }
    }

    /** Ends the connection for a reason; who uses it tells it. */
    VfioException lost(IOException reason) {
        String why = reason instanceof EOFException ? "its server hung up" : reason.getMessage();
        String sentence =
                "The device at '%s' %s: %s; %s."
                        .formatted(
                                name,
                                stage == Stage.SERVING ? "is gone" : "cannot be used",
                                why,
                                remedy(reason));
        if (!over) {
            LOG.log(Level.DEBUG, sentence);
            end(reason instanceof ProtocolException ? why + "; " + remedy(reason) : why);
        }
        return new VfioException(sentence, reason);
    }

    private void end(String why) {
        over = true;
        end = why;
        channel.shutdown();
    }

    /** Ends the connection, which is good, with a server that is not wanted. */
    void leave() {
        if (!over) {
            end("its server was left alone");
        }
    }

    /** Why it is over, a clause; empty while it is not. */
    Optional<String> absence() {
        return Optional.ofNullable(end);
    }

    private String remedy(IOException reason) {
        if (reason instanceof LinuxException starved && starved.isStarved()) {
            return "raise this process's limit of open files with 'ulimit -n'";
        }
        if (reason instanceof ProtocolException) {
            return "mend its server, or start another";
        }
        return switch (stage) {
            case GREETING ->
                    "another machine may be using it, and most servers have one client at a time: unplug it there, or start another server";
            case DESCRIBING -> "see what its server says, and start it again";
            case SERVING -> RESTART;
        };
    }

    /** Has whoever waits here fail; any thread may. */
    void shutdown() {
        channel.shutdown();
    }

    @Override
    public void close() {
        over = true;
        channel.close();
    }
}
