package org.backplane.linux;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.EOFException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.backplane.linux.libc.Host;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A device at one end, a peer of the test's own at the other. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class FrameSocketTest {
    @TempDir Path folder;

    private Path path;
    private FrameSocket socket;
    private PortDriver device;

    @BeforeEach
    void name() {
        path = folder.resolve("net");
    }

    private void open(boolean listens) throws IOException {
        socket = FrameSocket.open("net0", path, listens);
        device = new PortDriver(socket);
    }

    @AfterEach
    void close() {
        if (socket != null) {
            socket.close();
            device.close();
        }
    }

    /** The far end. */
    private static final class Peer implements AutoCloseable {
        private final SocketChannel channel;

        Peer(SocketChannel channel) {
            this.channel = channel;
        }

        static Peer connect(Path path) throws IOException {
            return new Peer(SocketChannel.open(UnixDomainSocketAddress.of(path)));
        }

        void write(byte[] bytes, int from, int to) throws IOException {
            ByteBuffer buffer = ByteBuffer.wrap(bytes, from, to - from);
            while (buffer.hasRemaining()) {
                channel.write(buffer);
            }
        }

        void send(byte[]... frames) throws IOException {
            byte[] all = stream(frames);
            write(all, 0, all.length);
        }

        byte[] receive() throws IOException {
            int length = ByteBuffer.wrap(read(4)).getInt();
            assertTrue(length > 0 && length <= FramePort.LONGEST, "length " + length);
            return read(length);
        }

        private byte[] read(int count) throws IOException {
            ByteBuffer buffer = ByteBuffer.allocate(count);
            while (buffer.hasRemaining()) {
                if (channel.read(buffer) < 0) {
                    throw new EOFException("hung up behind " + buffer.position() + " bytes");
                }
            }
            return buffer.array();
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }

    private static byte[] stream(byte[]... frames) {
        int length = Arrays.stream(frames).mapToInt(frame -> 4 + frame.length).sum();
        ByteBuffer all = ByteBuffer.allocate(length);
        for (byte[] frame : frames) {
            all.putInt(frame.length).put(frame);
        }
        return all.array();
    }

    private static byte[] frame(int length, int seed) {
        byte[] frame = new byte[length];
        new Random(seed).nextBytes(frame);
        return frame;
    }

    private byte[] next() throws IOException {
        return device.receive(frame -> true);
    }

    /** A peer that the socket has taken. */
    private Peer joined() throws IOException {
        Peer peer = Peer.connect(path);
        peer.send(frame(60, -1));
        assertArrayEquals(frame(60, -1), next());
        return peer;
    }

    @Test
    void listensWhereNobodyDoes() throws IOException {
        open(true);
        assertEquals(
                "rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(path)));
        device.send(frame(60, 1));
        assertEquals(1, socket.lost(), "nobody is there");
        try (Peer peer = joined()) {
            device.send(frame(1514, 2));
            assertArrayEquals(frame(1514, 2), peer.receive());
        }
        assertEquals(1, socket.lost());
        socket.close();
        assertFalse(Files.exists(path));
    }

    @Test
    void connectsToWhoeverListens() throws IOException {
        try (ServerSocketChannel server = listen()) {
            open(true);
            try (Peer peer = new Peer(server.accept())) {
                device.send(frame(60, 1));
                assertArrayEquals(frame(60, 1), peer.receive());
                peer.send(frame(61, 2));
                assertArrayEquals(frame(61, 2), next());
            }
        }
        socket.close();
        assertTrue(Files.exists(path), "the file is the other's");
    }

    private ServerSocketChannel listen() throws IOException {
        return ServerSocketChannel.open(StandardProtocolFamily.UNIX)
                .bind(UnixDomainSocketAddress.of(path));
    }

    @Test
    void twoOfAKindFindEachOther() throws IOException {
        open(true);
        try (FrameSocket other = FrameSocket.open("net1", path, true);
                PortDriver driver = new PortDriver(other)) {
            driver.send(frame(100, 1));
            assertArrayEquals(frame(100, 1), next());
            device.send(frame(FramePort.LONGEST, 2));
            assertArrayEquals(frame(FramePort.LONGEST, 2), driver.receive(frame -> true));
        }
    }

    @Test
    void framesSurviveAnyFragmentation() throws IOException {
        open(true);
        Random random = new Random(4);
        try (Peer peer = joined()) {
            for (int round = 0; round < 300; round++) {
                byte[] first = frame(1 + random.nextInt(200), round);
                byte[] second = frame(1 + random.nextInt(3000), -round);
                byte[] all = stream(first, second);
                int at = 0;
                List<byte[]> received = new ArrayList<>();
                while (at < all.length) {
                    int piece = 1 + random.nextInt(round % 3 == 0 ? 2 : 900);
                    int to = Math.min(all.length, at + piece);
                    peer.write(all, at, to);
                    at = to;
                    // Whatever half is there, the port is asked for it.
                    for (byte[] f = device.poll(); f != null; f = device.poll()) {
                        received.add(f);
                    }
                }
                assertEquals(2, received.size());
                assertArrayEquals(first, received.get(0));
                assertArrayEquals(second, received.get(1));
            }
        }
    }

    @Test
    void aFrameOfSingleBytesDoesNotWaitForRoomThatNeverComes() throws Exception {
        open(true);
        try (Peer peer = joined()) {
            byte[] all = stream(frame(20_000, 1));
            CompletableFuture<Void> written =
                    CompletableFuture.runAsync(
                            () -> {
                                try {
                                    for (int i = 0; i < all.length; i++) {
                                        peer.write(all, i, i + 1);
                                    }
                                } catch (IOException e) {
                                    throw new IllegalStateException(e);
                                }
                            });
            assertArrayEquals(frame(20_000, 1), next());
            written.get();
        }
    }

    @Test
    void aBurstComesWholeAndInOrder() throws Exception {
        open(true);
        int count = 5000;
        try (Peer peer = joined()) {
            CompletableFuture<Void> written =
                    CompletableFuture.runAsync(
                            () -> {
                                try {
                                    for (int i = 0; i < count; i += 50) {
                                        byte[][] frames = new byte[50][];
                                        for (int j = 0; j < 50; j++) {
                                            frames[j] = frame(burstLength(i + j), i + j);
                                        }
                                        peer.send(frames);
                                    }
                                } catch (IOException e) {
                                    throw new IllegalStateException(e);
                                }
                            });
            for (int i = 0; i < count; i++) {
                assertArrayEquals(frame(burstLength(i), i), next(), "frame " + i);
            }
            written.get();
        }
        assertEquals(0, socket.lost());
    }

    private static int burstLength(int i) {
        return i % 1000 == 999 ? FramePort.LONGEST : 14 + i * 7 % 1500;
    }

    @Test
    void aFrameThatTheDeviceHasNoRoomForIsLostAlone() throws IOException {
        open(true);
        try (Peer peer = joined()) {
            peer.send(frame(2000, 1), frame(100, 2), frame(3000, 3), frame(50, 4));
            ByteBuffer memory = Host.buffer(1000);
            IoVec small = new IoVec(1);
            small.add(Host.address(memory), 1000);
            assertEquals(2000, socket.next());
            assertEquals(0, socket.receive(small));
            assertArrayEquals(frame(100, 2), next());
            assertEquals(3000, socket.next());
            socket.skip();
            assertArrayEquals(frame(50, 4), next());
            assertEquals(2, socket.lost());
        }
    }

    @Test
    void aSenderIsRefusedWhenThePeerIsFullAndNothingIsTornApart() throws Exception {
        open(true);
        try (Peer peer = joined();
                Epoll room = Epoll.open()) {
            room.add(socket.room().orElseThrow(), Epoll.READABLE, 0);
            assertEquals(0, room.await(0));
            int accepted = 0;
            while (device.trySend(frame(largeLength(accepted), accepted))) {
                accepted++;
                assertTrue(accepted < 100_000, "never full");
            }
            int sent = accepted;
            CompletableFuture<Void> drained =
                    CompletableFuture.runAsync(
                            () -> {
                                try {
                                    for (int i = 0; i < sent + 500; i++) {
                                        assertArrayEquals(
                                                frame(largeLength(i), i),
                                                peer.receive(),
                                                "frame " + i);
                                    }
                                } catch (IOException e) {
                                    throw new IllegalStateException(e);
                                }
                            });
            while (accepted < sent + 500) {
                if (device.trySend(frame(largeLength(accepted), accepted))) {
                    accepted++;
                } else {
                    do {
                        room.await(-1);
                    } while (!socket.flush());
                }
            }
            while (!socket.flush()) {
                room.await(-1);
            }
            drained.get();
            assertEquals(0, socket.lost());
        }
    }

    /** Of all lengths: the kernel takes long frames in pieces, and so in half. */
    private static int largeLength(int i) {
        return 1 + i * 7919 % FramePort.LONGEST;
    }

    @Test
    void aPeerThatStopsReadingCostsFramesAndNotTheSender() throws Exception {
        open(true);
        try (Peer peer = joined();
                Epoll room = Epoll.open()) {
            room.add(socket.room().orElseThrow(), Epoll.READABLE, 0);
            int accepted = 0;
            while (device.trySend(frame(1514, accepted))) {
                accepted++;
            }
            do {
                room.await(-1);
            } while (!socket.flush());
            for (int i = 0; i < 10; i++) {
                device.send(frame(1514, -1));
            }
            assertEquals(10, socket.lost());
            for (int i = 0; i < accepted; i++) {
                assertArrayEquals(frame(1514, i), peer.receive());
                socket.flush();
            }
            device.send(frame(1514, 7));
            assertArrayEquals(frame(1514, 7), peer.receive());
            assertEquals(10, socket.lost());
        }
    }

    @Test
    void aPeerThatComesBackIsPickedUpAgain() throws IOException {
        open(true);
        for (int round = 0; round < 3; round++) {
            try (Peer peer = joined()) {
                device.send(frame(100, round));
                assertArrayEquals(frame(100, round), peer.receive());
                // Half a frame that never comes whole, and one that nobody takes.
                byte[] half = stream(frame(500, 1));
                peer.write(half, 0, 3 + round * 100);
            }
            assertNull(device.poll());
            awaitLoss(round + 1);
        }
    }

    /** Sends until it is known that nobody is there. */
    private void awaitLoss(long least) throws IOException {
        while (socket.lost() < least) {
            device.trySend(frame(60, 0));
        }
    }

    @Test
    void aListenerThatComesBackIsPickedUpAgain() throws IOException {
        open(false);
        assertFalse(Files.exists(path));
        for (int round = 0; round < 2; round++) {
            try (ServerSocketChannel server = listen()) {
                try (Peer peer = awaitVisitOf(server)) {
                    peer.send(frame(80, round));
                    assertArrayEquals(frame(80, round), next());
                }
            }
            Files.delete(path);
            device.await();
            assertNull(device.poll());
        }
    }

    /** The socket's own connection to another who listens. */
    private Peer awaitVisitOf(ServerSocketChannel server) throws IOException {
        server.configureBlocking(false);
        while (true) {
            SocketChannel visitor = server.accept();
            if (visitor != null) {
                visitor.configureBlocking(true);
                return new Peer(visitor);
            }
            device.await();
        }
    }

    @Test
    void listensInThePlaceOfAListenerThatIsGone() throws IOException {
        try (ServerSocketChannel server = listen()) {
            open(true);
            server.accept().close();
        }
        // Its file is still there, and nobody behind it.
        assertNull(device.poll());
        while (!Files.getPosixFilePermissions(path)
                .equals(PosixFilePermissions.fromString("rw-------"))) {
            device.await();
        }
        joined().close();
    }

    @Test
    void goesToAnotherListenerThatTookThePath() throws IOException {
        open(true);
        Files.delete(path);
        try (ServerSocketChannel server = listen()) {
            try (Peer peer = awaitVisitOf(server)) {
                peer.send(frame(80, 1));
                assertArrayEquals(frame(80, 1), next());
            }
            socket.close();
            assertTrue(Files.exists(path), "the file is the other's");
        }
    }

    @Test
    void garbageEndsTheConnectionAndNotThePort() throws IOException {
        open(true);
        for (int length : new int[] {0, FramePort.LONGEST + 1, -1, Integer.MIN_VALUE}) {
            try (Peer peer = joined()) {
                byte[] garbage = ByteBuffer.allocate(4).putInt(length).array();
                peer.write(garbage, 0, 4);
                while (device.isReady()) {
                    socket.work();
                    assertNull(device.poll());
                }
                assertThrows(IOException.class, () -> peer.read(1), "hung up at " + length);
            }
        }
        joined().close();
    }

    @Test
    void whoeverConnectsWhileThereIsAPeerComesAfterIt() throws IOException {
        open(true);
        Peer first = joined();
        try (Peer second = Peer.connect(path)) {
            second.send(frame(70, 2));
            first.send(frame(70, 1));
            assertArrayEquals(frame(70, 1), next());
            assertNull(device.poll());
            assertFalse(device.isReady(), "who waits is no work");
            first.close();
            assertArrayEquals(frame(70, 2), next());
        }
    }

    @Test
    void aFrameOfManyPiecesIsSentWhole() throws IOException {
        open(true);
        try (Peer peer = joined()) {
            byte[] data = frame(IoVec.MAXIMUM, 9);
            ByteBuffer memory = Host.buffer(data.length).put(0, data);
            IoVec pieces = new IoVec(IoVec.MAXIMUM);
            for (int i = 0; i < data.length; i++) {
                pieces.add(Host.address(memory) + i, 1);
            }
            assertTrue(socket.send(pieces));
            assertArrayEquals(data, peer.receive());
            peer.send(data);
            while (socket.next() < 0) {
                device.await();
            }
            memory.put(0, new byte[data.length]);
            assertEquals(data.length, socket.receive(pieces));
            byte[] received = new byte[data.length];
            memory.get(0, received);
            assertArrayEquals(data, received);
        }
    }

    @Test
    void anEmptyFrameAndOneThatIsTooLongAreLost() throws IOException {
        open(true);
        try (Peer peer = joined()) {
            device.send(new byte[0]);
            device.send(new byte[FramePort.LONGEST + 1]);
            device.send(frame(60, 3));
            assertArrayEquals(frame(60, 3), peer.receive());
            assertEquals(2, socket.lost());
        }
    }

    @Test
    void aFileThatIsNoSocketIsRefusedAndStays() throws IOException {
        Files.writeString(path, "precious");
        IOException refused = assertThrows(IOException.class, () -> open(true));
        assertEquals("'" + path + "' is there already and is no socket", refused.getMessage());
        assertEquals("precious", Files.readString(path));
    }

    @Test
    void refusesPathsThatNoSocketCanHave() {
        path = folder.resolve("x".repeat(120));
        LinuxException tooLong = assertThrows(LinuxException.class, () -> open(true));
        assertEquals(
                "connect to '" + path + "': File name too long (errno 36)", tooLong.getMessage());
        path = folder.resolve("absent/net");
        LinuxException absent = assertThrows(LinuxException.class, () -> open(true));
        assertTrue(absent.isAbsent(), absent.getMessage());
    }

    @Test
    void afterClosingNothingComesAndNothingFails() throws IOException {
        open(true);
        try (Peer peer = joined()) {
            socket.close();
            socket.close();
            socket.work();
            assertEquals(-1, socket.next());
            device.send(frame(60, 1));
            assertTrue(socket.flush());
            socket.skip();
            assertThrows(EOFException.class, peer::receive);
        }
    }
}
