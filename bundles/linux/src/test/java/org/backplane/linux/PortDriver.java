package org.backplane.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.function.Predicate;
import org.backplane.linux.libc.Host;

/** A device at a port, on the test's own thread; memory in pieces as a guest's is. */
final class PortDriver implements AutoCloseable {
    private final FramePort port;
    private final Epoll epoll = Epoll.open();
    private final ByteBuffer in = Host.buffer(FramePort.LONGEST);
    private final IoVec into = new IoVec(4);
    private final IoVec from = new IoVec(4);

    PortDriver(FramePort port) throws IOException {
        this.port = port;
        epoll.add(port.readiness(), Epoll.READABLE, 0);
    }

    void send(byte[] frame) {
        assertTrue(trySend(frame), "there is room");
    }

    boolean trySend(byte[] frame) {
        ByteBuffer memory = Host.buffer(frame.length).put(0, frame);
        int half = frame.length / 3;
        from.clear();
        from.add(Host.address(memory), half);
        from.add(Host.address(memory) + half, frame.length - half);
        boolean sent = port.send(from);
        assertEquals(frame.length, from.bytes(), "the caller's vector stays");
        return sent;
    }

    /** Waits until the port has something to say, and has it do what is due. */
    void await() throws IOException {
        epoll.await(-1);
        port.work();
    }

    /** The next frame, which must be there already, or null. */
    byte[] poll() {
        int length = port.next();
        if (length < 0) {
            return null;
        }
        into.clear();
        int first = Math.min(length, 13);
        into.add(Host.address(in), first);
        into.add(Host.address(in) + first, FramePort.LONGEST - first);
        assertEquals(length, port.receive(into));
        byte[] frame = new byte[length];
        in.get(0, frame);
        return frame;
    }

    /** The next frame of a kind; others are dropped. */
    byte[] receive(Predicate<byte[]> wanted) throws IOException {
        while (true) {
            byte[] frame = poll();
            if (frame == null) {
                await();
            } else if (wanted.test(frame)) {
                return frame;
            }
        }
    }

    boolean isReady() throws IOException {
        return epoll.await(0) > 0;
    }

    @Override
    public void close() {
        epoll.close();
    }
}
