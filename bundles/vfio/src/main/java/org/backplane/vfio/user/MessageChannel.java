package org.backplane.vfio.user;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.backplane.linux.Fd;
import org.backplane.linux.IoVec;
import org.backplane.linux.LinuxException;
import org.backplane.linux.StreamSocket;

/**
 * Messages on a stream socket. A message is sent and received whole or the connection is over: an
 * exception leaves nothing that could go on. Sending is thread-safe; one thread at a time receives.
 *
 * <p>A message is read in two calls, header first: one that takes more than it needs could take
 * descriptors of the message behind, and nothing tells whose they are.
 */
final class MessageChannel implements AutoCloseable {
    private final StreamSocket socket;
    private final int mostDescriptors;
    private final ByteBuffer header = buffer(Wire.HEADER_BYTES);

    /** Grown to the longest message sent and received; the addresses go to the kernel. */
    private ByteBuffer out = buffer(512);

    private ByteBuffer in = buffer(512);

    /**
     * @param mostDescriptors how many a message may bring
     */
    MessageChannel(StreamSocket socket, int mostDescriptors) {
        this.socket = socket;
        this.mostDescriptors = mostDescriptors;
    }

    private static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    StreamSocket socket() {
        return socket;
    }

    /**
     * Sends a message; the payload is all of the buffer up to its limit.
     *
     * @param deadline until when the peer has to have read enough of it
     */
    synchronized void send(
            int id,
            int command,
            int flags,
            int errno,
            ByteBuffer payload,
            List<? extends Fd> descriptors,
            Deadline deadline)
            throws IOException {
        int size = Wire.HEADER_BYTES + payload.limit();
        if (out.capacity() < size) {
            out = buffer(size);
        }
        out.putShort(Wire.ID, (short) id);
        out.putShort(Wire.COMMAND, (short) command);
        out.putInt(Wire.SIZE, size);
        out.putInt(Wire.FLAGS, flags);
        out.putInt(Wire.ERRNO, errno);
        out.put(Wire.HEADER_BYTES, payload, 0, payload.limit());
        IoVec vector = new IoVec(1);
        vector.add(out, 0, size);
        List<? extends Fd> unsent = descriptors;
        while (vector.bytes() > 0) {
            long sent = socket.send(vector, unsent);
            if (sent > 0) {
                vector.advance(sent);
                unsent = List.of();
            } else if (!socket.awaitWritable(deadline.left())) {
                throw new SilenceException("%s does not read".formatted(socket.name()));
            }
        }
    }

    /** Waits for a message to begin, or for the end; false if neither came in time. */
    boolean await(long nanoseconds) throws IOException {
        return socket.awaitReadable(nanoseconds);
    }

    /**
     * Receives a message.
     *
     * @param deadline until when it has to have come, all of it
     * @throws EOFException the peer has hung up between messages
     */
    Message receive(Deadline deadline) throws IOException {
        List<Fd> descriptors = new ArrayList<>();
        try {
            fill(header, Wire.HEADER_BYTES, descriptors, deadline);
            int size = header.getInt(Wire.SIZE);
            if (size < Wire.HEADER_BYTES || size > Wire.HEADER_BYTES + Wire.MOST_PAYLOAD) {
                throw new ProtocolException(
                        "%s sent a message of %d bytes, where %d to %d are possible"
                                .formatted(
                                        socket.name(),
                                        Integer.toUnsignedLong(size),
                                        Wire.HEADER_BYTES,
                                        Wire.HEADER_BYTES + Wire.MOST_PAYLOAD));
            }
            int flags = header.getInt(Wire.FLAGS);
            int type = flags & Wire.TYPE_MASK;
            if (type != Wire.TYPE_COMMAND && type != Wire.TYPE_REPLY) {
                throw new ProtocolException(
                        "%s sent a message of the unknown type %d".formatted(socket.name(), type));
            }
            int length = size - Wire.HEADER_BYTES;
            if (in.capacity() < length) {
                in = buffer(length);
            }
            fill(in, length, descriptors, deadline);
            ByteBuffer payload = Message.payload(length);
            payload.put(0, in, 0, length);
            return new Message(
                    Short.toUnsignedInt(header.getShort(Wire.ID)),
                    Short.toUnsignedInt(header.getShort(Wire.COMMAND)),
                    flags,
                    header.getInt(Wire.ERRNO),
                    payload,
                    descriptors);
        } catch (IOException | RuntimeException e) {
            descriptors.forEach(Fd::close);
            throw e;
        }
    }

    private void fill(ByteBuffer buffer, int length, List<Fd> descriptors, Deadline deadline)
            throws IOException {
        IoVec vector = new IoVec(1);
        vector.add(buffer, 0, length);
        while (vector.bytes() > 0) {
            long count = receive(vector, descriptors);
            if (count > 0) {
                vector.advance(count);
            } else if (count == 0) {
                if (buffer == header && vector.bytes() == length) {
                    throw new EOFException(socket.name() + " hung up");
                }
                throw new ProtocolException(
                        "%s hung up inside of a message".formatted(socket.name()));
            } else if (!socket.awaitReadable(deadline.left())) {
                throw new SilenceException(
                        "%s stopped inside of a message".formatted(socket.name()));
            }
        }
    }

    private long receive(IoVec vector, List<Fd> descriptors) throws IOException {
        try {
            return socket.receive(vector, descriptors, mostDescriptors - descriptors.size());
        } catch (LinuxException e) {
            if (!e.isTooMuch()) {
                throw e;
            }
            throw new ProtocolException(
                    "%s sent a message with more than the %d descriptors that were agreed on"
                            .formatted(socket.name(), mostDescriptors));
        }
    }

    /** Ends the connection; whoever sends or receives fails. What it holds stays until closed. */
    void shutdown() {
        socket.shutdown();
    }

    @Override
    public void close() {
        socket.shutdown();
        socket.close();
    }
}
