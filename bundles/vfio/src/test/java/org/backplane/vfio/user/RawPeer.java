package org.backplane.vfio.user;

import java.io.IOException;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.backplane.linux.Fd;
import org.backplane.linux.IoVec;
import org.backplane.linux.LinuxException;
import org.backplane.linux.StreamSocket;

/** A client that sends whatever a test likes. */
final class RawPeer implements AutoCloseable {
    private static final int CONNECTION_RESET = 104;
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final long SAFETY_NET = 60_000_000_000L;

    private final StreamSocket socket;
    private final MessageChannel channel;

    RawPeer(StreamSocket socket) {
        this.socket = socket;
        channel = new MessageChannel(socket, StreamSocket.MOST_DESCRIPTORS);
    }

    static RawPeer connect(Path path) throws IOException {
        return new RawPeer(StreamSocket.connect(path));
    }

    /** Connects and agrees on a version. */
    static RawPeer greet(Path path) throws IOException {
        RawPeer peer = connect(path);
        peer.command(Wire.VERSION, version(0, 1, "{}\0"), List.of()).closeDescriptors();
        return peer;
    }

    static ByteBuffer version(int major, int minor, String data) {
        byte[] bytes = data.getBytes(StandardCharsets.UTF_8);
        ByteBuffer payload = Message.payload(Wire.VERSION_DATA + bytes.length);
        payload.putShort(Wire.VERSION_MAJOR, (short) major);
        payload.putShort(Wire.VERSION_MINOR, (short) minor);
        payload.put(Wire.VERSION_DATA, bytes);
        return payload;
    }

    void send(
            int id,
            int command,
            int flags,
            int errno,
            ByteBuffer payload,
            List<? extends Fd> descriptors)
            throws IOException {
        channel.send(id, command, flags, errno, payload, descriptors, Deadline.in(PATIENCE));
    }

    Message receive() throws IOException {
        return channel.receive(Deadline.in(PATIENCE));
    }

    /** Whether anything has come that was not received, or the end. */
    boolean hasMore() throws IOException {
        return channel.await(0);
    }

    /** Sends a command and gives its reply. */
    Message command(int command, ByteBuffer payload, List<? extends Fd> descriptors)
            throws IOException {
        send(7, command, Wire.TYPE_COMMAND, 0, payload, descriptors);
        return receive();
    }

    /** The error number of the reply to a command; 0 if there was none. */
    int errno(int command, ByteBuffer payload, List<? extends Fd> descriptors) throws IOException {
        Message reply = command(command, payload, descriptors);
        reply.closeDescriptors();
        return reply.isError() ? reply.errno() : 0;
    }

    /** Sends bytes as they are; whether the peer took all of them. */
    boolean sendRaw(byte[] bytes, List<? extends Fd> descriptors) throws IOException {
        ByteBuffer direct = ByteBuffer.allocateDirect(Math.max(1, bytes.length));
        direct.put(0, bytes);
        IoVec vector = new IoVec(1);
        vector.add(direct, 0, bytes.length);
        List<? extends Fd> unsent = descriptors;
        while (vector.bytes() > 0) {
            long sent = socket.send(vector, unsent);
            if (sent > 0) {
                vector.advance(sent);
                unsent = List.of();
            } else if (!socket.awaitWritable(1_000_000_000L)) {
                return false;
            }
        }
        Reference.reachabilityFence(direct);
        return true;
    }

    /** Reads until the other end has hung up. */
    void awaitEnd() throws IOException {
        ByteBuffer direct = ByteBuffer.allocateDirect(4096);
        List<Fd> descriptors = new ArrayList<>();
        long count = 1;
        while (count != 0) {
            IoVec vector = new IoVec(1);
            vector.add(direct, 0, direct.capacity());
            if (!socket.awaitReadable(SAFETY_NET)) {
                throw new IOException("the other end does not hang up");
            }
            try {
                count = socket.receive(vector, descriptors, 16);
            } catch (LinuxException e) {
                if (e.errno() != CONNECTION_RESET) {
                    throw e;
                }
                // The other end closed without having read all.
                count = 0;
            }
            descriptors.forEach(Fd::close);
            descriptors.clear();
        }
    }

    void shutdown() {
        socket.shutdown();
    }

    static ByteBuffer map(long address, long length, long offset) {
        ByteBuffer payload = Message.payload(Wire.MAP_BYTES);
        payload.putInt(Wire.ARGSZ, Wire.MAP_BYTES);
        payload.putInt(Wire.MAP_FLAGS, Wire.MAP_READABLE | Wire.MAP_WRITABLE);
        payload.putLong(Wire.MAP_OFFSET, offset);
        payload.putLong(Wire.MAP_ADDRESS, address);
        payload.putLong(Wire.MAP_SIZE, length);
        return payload;
    }

    static ByteBuffer unmap(long address, long length, int flags) {
        ByteBuffer payload = Message.payload(Wire.UNMAP_BYTES);
        payload.putInt(Wire.ARGSZ, Wire.UNMAP_BYTES);
        payload.putInt(Wire.UNMAP_FLAGS, flags);
        payload.putLong(Wire.UNMAP_ADDRESS, address);
        payload.putLong(Wire.UNMAP_SIZE, length);
        return payload;
    }

    static ByteBuffer access(int region, long offset, int count, byte... data) {
        ByteBuffer payload = Message.payload(Wire.ACCESS_BYTES + data.length);
        payload.putLong(Wire.ACCESS_OFFSET, offset);
        payload.putInt(Wire.ACCESS_REGION, region);
        payload.putInt(Wire.ACCESS_COUNT, count);
        payload.put(Wire.ACCESS_BYTES, data);
        return payload;
    }

    static ByteBuffer store(long offset, long value) {
        byte[] data = new byte[8];
        for (int i = 0; i < 8; i++) {
            data[i] = (byte) (value >>> 8 * i);
        }
        return access(0, offset, 8, data);
    }

    static ByteBuffer irqs(int flags, int index, int start, int count, byte... data) {
        ByteBuffer payload = Message.payload(Wire.SET_BYTES + data.length);
        payload.putInt(Wire.ARGSZ, payload.limit());
        payload.putInt(Wire.SET_FLAGS, flags);
        payload.putInt(Wire.SET_INDEX, index);
        payload.putInt(Wire.SET_START, start);
        payload.putInt(Wire.SET_COUNT, count);
        payload.put(Wire.SET_BYTES, data);
        return payload;
    }

    @Override
    public void close() {
        channel.close();
    }
}
