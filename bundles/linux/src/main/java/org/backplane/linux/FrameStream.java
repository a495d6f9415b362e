package org.backplane.linux;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.backplane.linux.libc.Host;

/**
 * The frames of one connection: how far the one that comes and the one that goes have come. One
 * thread at a time receives, one at a time sends.
 *
 * <p>Every method that throws says why this connection is of no use any more.
 */
final class FrameStream {
    private static final int PREFIX = Integer.BYTES;
    private static final int UNKNOWN = -1;

    /** Memory that connections which follow each other share. */
    static final class Buffers {
        private final ByteBuffer prefix = Host.buffer(PREFIX).order(ByteOrder.BIG_ENDIAN);
        private final ByteBuffer body = Host.buffer(FramePort.LONGEST);
        private final IoVec incoming = new IoVec(IoVec.MAXIMUM);
        private final ByteBuffer header = Host.buffer(PREFIX).order(ByteOrder.BIG_ENDIAN);
        private final ByteBuffer rest = Host.buffer(PREFIX + FramePort.LONGEST);
        private final IoVec outgoing = new IoVec(IoVec.MAXIMUM);
    }

    private final StreamSocket socket;
    private final Buffers buffers;

    /** Bytes of the next frame's length that have come. */
    private int prefixed;

    /** Of the frame that comes, in bytes, as soon as that is known. */
    private int length = UNKNOWN;

    /** How much of it lies in our buffer rather than in the socket's. */
    private int arrived;

    /** What is left of a frame that the socket took in half. */
    private int restFrom;

    private int restTo;

    FrameStream(StreamSocket socket, Buffers buffers) {
        this.socket = socket;
        this.buffers = buffers;
    }

    StreamSocket socket() {
        return socket;
    }

    /** Length of the next frame once all of it has come, -1 before. */
    int next() throws IOException {
        if (length == UNKNOWN && !readPrefix()) {
            return -1;
        }
        // A frame that is here goes straight to where it belongs. One that is not may never be as
        // a whole: the peer's buffer is bounded, and small writes fill it soon.
        if (arrived == 0 && socket.available() >= length) {
            return length;
        }
        while (arrived < length) {
            int count = read(Host.address(buffers.body) + arrived, length - arrived);
            if (count < 0) {
                return -1;
            }
            arrived += count;
        }
        return length;
    }

    private boolean readPrefix() throws IOException {
        while (prefixed < PREFIX) {
            int count = read(Host.address(buffers.prefix) + prefixed, PREFIX - prefixed);
            if (count < 0) {
                return false;
            }
            prefixed += count;
        }
        int told = buffers.prefix.getInt(0);
        if (told <= 0 || told > FramePort.LONGEST) {
            throw new IOException(
                    "announced a frame of %d bytes, where 1 to %d are possible"
                            .formatted(Integer.toUnsignedLong(told), FramePort.LONGEST));
        }
        prefixed = 0;
        length = told;
        arrived = 0;
        return true;
    }

    private int read(long address, int most) throws IOException {
        long count = socket.read(address, most);
        if (count == 0) {
            throw new IOException("hung up");
        }
        return (int) count;
    }

    /**
     * Takes the frame that {@link #next} has just told.
     *
     * @param into with room for all of it
     */
    void receive(IoVec into) throws IOException {
        if (arrived > 0) {
            into.fill(Host.address(buffers.body), length);
            length = UNKNOWN;
            return;
        }
        IoVec incoming = buffers.incoming;
        incoming.clear();
        if (!incoming.addAll(into, length)) {
            readToBody();
            into.fill(Host.address(buffers.body), length);
            length = UNKNOWN;
            return;
        }
        // With the length of the frame behind it: one call a frame.
        incoming.add(Host.address(buffers.prefix), PREFIX);
        long left = length;
        while (left > 0) {
            long count = socket.readv(incoming);
            if (count <= 0) {
                throw new IOException("took back what it had sent");
            }
            left -= count;
            incoming.advance(count);
        }
        prefixed = (int) -left;
        length = UNKNOWN;
    }

    /** Drops the frame that {@link #next} has just told. */
    void skip() throws IOException {
        if (arrived == 0) {
            readToBody();
        }
        length = UNKNOWN;
    }

    private void readToBody() throws IOException {
        while (arrived < length) {
            int count = read(Host.address(buffers.body) + arrived, length - arrived);
            if (count < 0) {
                throw new IOException("took back what it had sent");
            }
            arrived += count;
        }
    }

    /**
     * Sends a frame, or as much of it as there is room for, and keeps the rest.
     *
     * @return false if the socket took nothing of it
     */
    boolean send(IoVec frame) throws IOException {
        if (!flush()) {
            return false;
        }
        int total = PREFIX + (int) frame.bytes();
        buffers.header.putInt(0, (int) frame.bytes());
        IoVec outgoing = buffers.outgoing;
        outgoing.clear();
        outgoing.add(Host.address(buffers.header), PREFIX);
        if (!outgoing.addAll(frame, frame.bytes())) {
            long rest = Host.address(buffers.rest);
            Host.copy(Host.address(buffers.header), rest, PREFIX);
            frame.gather(rest + PREFIX, frame.bytes());
            outgoing.clear();
            outgoing.add(rest, total);
        }
        long sent = socket.send(outgoing);
        if (sent < 0) {
            return false;
        }
        outgoing.advance(sent);
        if (outgoing.bytes() > 0) {
            keepRest(outgoing);
        }
        return true;
    }

    private void keepRest(IoVec outgoing) {
        long rest = Host.address(buffers.rest);
        restTo = (int) outgoing.bytes();
        restFrom = 0;
        if (outgoing.count() == 1
                && outgoing.front() > rest
                && outgoing.front() < rest + buffers.rest.capacity()) {
            // Gathered there already.
            restFrom = (int) (outgoing.front() - rest);
            restTo += restFrom;
        } else {
            outgoing.gather(rest, restTo);
        }
    }

    /** Brings out what was kept; whether nothing is left. */
    boolean flush() throws IOException {
        while (restFrom < restTo) {
            IoVec outgoing = buffers.outgoing;
            outgoing.clear();
            outgoing.add(Host.address(buffers.rest) + restFrom, restTo - restFrom);
            long sent = socket.send(outgoing);
            if (sent < 0) {
                return false;
            }
            restFrom += (int) sent;
        }
        return true;
    }

    /** Whether a frame was taken in half. */
    boolean hasRest() {
        return restFrom < restTo;
    }
}
