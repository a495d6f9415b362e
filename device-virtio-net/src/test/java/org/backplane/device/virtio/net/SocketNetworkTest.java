package org.backplane.device.virtio.net;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
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
import org.backplane.device.DeviceException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A card at one end of a stream socket, a peer of the test's own at the other. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SocketNetworkTest {
    private static final int BUFFER = 1526;

    @TempDir Path folder;

    private Path path;

    @BeforeEach
    void name() {
        path = folder.resolve("net");
    }

    private Plugged plugged() throws Exception {
        return new Plugged("backend=socket", "path=" + path);
    }

    /** The far end, whose stream is QEMU's. */
    private record Peer(SocketChannel channel) implements AutoCloseable {
        static Peer connect(Path path) throws IOException {
            return new Peer(SocketChannel.open(UnixDomainSocketAddress.of(path)));
        }

        void write(byte[] bytes, int from, int to) throws IOException {
            ByteBuffer buffer = ByteBuffer.wrap(bytes, from, to - from);
            while (buffer.hasRemaining()) {
                channel.write(buffer);
            }
        }

        void send(byte[] frame) throws IOException {
            write(framed(frame), 0, 4 + frame.length);
        }

        byte[] receive() throws IOException {
            return read(ByteBuffer.wrap(read(4)).getInt());
        }

        private byte[] read(int count) throws IOException {
            ByteBuffer buffer = ByteBuffer.allocate(count);
            while (buffer.hasRemaining()) {
                if (channel.read(buffer) < 0) {
                    throw new EOFException("hung up");
                }
            }
            return buffer.array();
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }

    private static byte[] framed(byte[] frame) {
        return ByteBuffer.allocate(4 + frame.length).putInt(frame.length).put(frame).array();
    }

    private static byte[] frame(int length, int seed) {
        return Card.frame(Card.MAC, length, seed);
    }

    @Test
    void framesGoBothWaysAsTheyAre() throws Exception {
        try (Plugged net = plugged();
                Peer peer = Peer.connect(path)) {
            assertEquals(
                    0,
                    net.card.device.shape().features()
                            & (NetWire.GUEST_OFFLOADS
                                    | NetWire.HOST_OFFLOADS
                                    | NetWire.F_CTRL_GUEST_OFFLOADS));
            net.card.offer(0, 60, BUFFER);
            peer.send(frame(60, 1));
            assertArrayEquals(frame(60, 1), net.next());
            net.card.send(frame(1514, 2));
            assertArrayEquals(frame(1514, 2), peer.receive());
            // Over several buffers, in several pieces.
            peer.send(frame(NetWire.LONGEST_FRAME, 3));
            assertArrayEquals(frame(NetWire.LONGEST_FRAME, 3), net.next());
            net.card.put(0, 4000, Card.headed(frame(NetWire.LONGEST_FRAME, 4)));
            net.card.device.work(1);
            assertArrayEquals(frame(NetWire.LONGEST_FRAME, 4), peer.receive());
        }
    }

    @Test
    void aBurstOverAFullRingWaitsForBuffers() throws Exception {
        int count = 700;
        try (Plugged net = plugged();
                Peer peer = Peer.connect(path)) {
            Thread sender =
                    new Thread(
                            () -> {
                                try {
                                    for (int i = 0; i < count; i++) {
                                        peer.send(frame(60 + i * 13 % 1400, i));
                                    }
                                } catch (IOException e) {
                                    throw new java.io.UncheckedIOException(e);
                                }
                            });
            sender.start();
            for (int i = 0; i < count; i++) {
                if (i % 10 == 0) {
                    net.card.offer(0, 10, BUFFER);
                }
                assertArrayEquals(frame(60 + i * 13 % 1400, i), net.next(), "frame " + i);
            }
            sender.join();
            assertNull(net.card.collect(0));
            assertTrue(net.card.broken.isEmpty());
        }
    }

    @Test
    void aDriverWithoutBuffersIsNotToldOfFramesUntilItHasSome() throws Exception {
        try (Plugged net = plugged();
                Peer peer = Peer.connect(path)) {
            for (int i = 0; i < 5; i++) {
                peer.send(frame(100 + i, i));
            }
            net.pump();
            assertEquals(1, watches(net), "room to send only");
            net.card.offer(0, 10, BUFFER);
            assertEquals(2, watches(net));
            for (int i = 0; i < 5; i++) {
                assertArrayEquals(frame(100 + i, i), net.next());
            }
        }
    }

    private static int watches(Plugged net) {
        return net.card.slot.watched().stream().mapToInt(net.card.slot::readable).sum();
    }

    @Test
    void aPeerThatDoesNotReadHoldsTheSenderUp() throws Exception {
        try (Plugged net = plugged();
                Peer peer = Peer.connect(path)) {
            net.pump();
            int sent = 0;
            do {
                net.card.put(0, 2000, Card.headed(frame(1514, sent++)));
                net.card.device.work(1);
            } while (net.card.rings.get(1).collect() != null);
            assertEquals(0, net.card.outstanding(), "nothing is held by the device");
            for (int i = 0; i < sent; i++) {
                if (i == sent - 1) {
                    // Told by the descriptor that there is room, not by the driver.
                    net.until(() -> net.card.rings.get(1).collect() != null);
                }
                assertArrayEquals(frame(1514, i), peer.receive(), "frame " + i);
            }
        }
    }

    @Test
    void aPeerThatHangsUpLosesFramesAndIsPickedUpAgain() throws Exception {
        try (Plugged net = plugged()) {
            net.card.offer(0, 20, BUFFER);
            for (int round = 0; round < 3; round++) {
                try (Peer peer = Peer.connect(path)) {
                    peer.send(frame(100, round));
                    assertArrayEquals(frame(100, round), net.next());
                    net.card.send(frame(200, round));
                    assertArrayEquals(frame(200, round), peer.receive());
                    peer.write(framed(frame(300, 0)), 0, 50);
                }
                net.card.send(frame(60, round));
                net.card.send(frame(60, round));
            }
            assertNull(net.card.collect(0));
        }
    }

    @Test
    void garbageEndsTheConnectionOnly() throws Exception {
        try (Plugged net = plugged()) {
            net.card.offer(0, 20, BUFFER);
            for (int length : new int[] {0, NetWire.LONGEST_FRAME + 1, -1}) {
                try (Peer peer = Peer.connect(path)) {
                    peer.write(ByteBuffer.allocate(4).putInt(length).array(), 0, 4);
                    net.pump();
                    assertThrows(EOFException.class, () -> peer.read(1));
                }
            }
            try (Peer peer = Peer.connect(path)) {
                peer.send(frame(100, 1));
                assertArrayEquals(frame(100, 1), net.next());
            }
        }
    }

    @Test
    void aFrameInHalfIsReceivedByTheDeviceThatComesNext() throws Exception {
        try (Plugged net = plugged();
                Peer peer = Peer.connect(path)) {
            net.card.offer(0, 20, BUFFER);
            byte[] framed = framed(frame(900, 5));
            int done = 0;
            for (int part : new int[] {2, 300, 900}) {
                peer.write(framed, done, part);
                done = part;
                net.pump();
                assertNull(net.card.collect(0));
                net.unplug();
                net.plug();
            }
            peer.write(framed, done, framed.length);
            assertArrayEquals(frame(900, 5), net.next());
            net.card.send(frame(60, 6));
            assertArrayEquals(frame(60, 6), peer.receive());
        }
    }

    @Test
    void whatComesBetweenTwoDevicesIsForTheNext() throws Exception {
        try (Plugged net = plugged();
                Peer peer = Peer.connect(path)) {
            net.card.offer(0, 20, BUFFER);
            peer.send(frame(60, 1));
            assertArrayEquals(frame(60, 1), net.next());
            net.unplug();
            for (int i = 0; i < 10; i++) {
                peer.send(frame(100 + i, i));
            }
            net.plug();
            for (int i = 0; i < 10; i++) {
                assertArrayEquals(frame(100 + i, i), net.next());
            }
        }
    }

    @Test
    void aFrameThatTheSocketTookInHalfIsFinishedByTheDeviceThatComesNext() throws Exception {
        try (Plugged net = plugged();
                Peer peer = Peer.connect(path)) {
            net.pump();
            int sent = 0;
            do {
                net.card.put(0, 70_000, Card.headed(frame(60_000 + sent, sent++)));
                net.card.device.work(1);
            } while (net.card.rings.get(1).collect() != null);
            net.unplug();
            net.plug();
            for (int i = 0; i < sent - 1; i++) {
                byte[] expected = frame(60_000 + i, i);
                Thread worker = pumping(net);
                assertArrayEquals(expected, peer.receive(), "frame " + i);
                worker.join();
            }
        }
    }

    /** The worker goes on while the peer reads. */
    private static Thread pumping(Plugged net) {
        Thread worker =
                new Thread(
                        () -> {
                            try {
                                net.pump();
                            } catch (IOException e) {
                                throw new java.io.UncheckedIOException(e);
                            }
                        });
        worker.start();
        return worker;
    }

    @Test
    void connectsToWhoeverListens() throws Exception {
        try (ServerSocketChannel server =
                ServerSocketChannel.open(StandardProtocolFamily.UNIX)
                        .bind(UnixDomainSocketAddress.of(path))) {
            try (Plugged net = new Plugged("backend=socket", "path=" + path, "listen=off");
                    Peer peer = new Peer(server.accept())) {
                net.card.offer(0, 1, BUFFER);
                peer.send(frame(61, 1));
                assertArrayEquals(frame(61, 1), net.next());
            }
        }
    }

    @Test
    void doesNotListenWhereThatIsOff() throws Exception {
        try (Plugged net = new Plugged("backend=socket", "path=" + path, "listen=off")) {
            net.card.send(frame(60, 1));
            assertTrue(Files.notExists(path));
        }
    }

    @Test
    void onlyTheFirstDeviceOfASlotIsNewToTheNetwork() throws Exception {
        try (Plugged net = plugged()) {
            assertTrue(
                    !Backends.of(net.card.slot, NetSettings.of(net.card.slot)).fresh(),
                    "the slot keeps the connection");
        }
        Card card = new Card(java.util.Map.of("backend", "socket", "path", path.toString()));
        try (card) {
            assertTrue(Backends.of(card.slot, NetSettings.of(card.slot)).fresh());
        }
    }

    @Test
    void saysWhatIsWrongWithAPath() throws Exception {
        refused("backend=socket needs path=FILE, a Unix socket's.", "path=");
        refused("listen=maybe is neither on nor off.", "path=" + path, "listen=maybe");
        Path deep = folder.resolve("a/b");
        refused(
                "path=%s cannot be used: its folder is missing; make it with: mkdir -p %s."
                        .formatted(deep, deep.getParent()),
                "path=" + deep);
        Files.writeString(path, "precious");
        refused(
                "path=%s cannot be used: '%s' is there already and is no socket; remove it, or give another path."
                        .formatted(path, path),
                "path=" + path);
        String tooLong = folder.resolve("x".repeat(120)).toString();
        refused(
                "path=%s cannot be used: connect to '%s': File name too long (errno 36)."
                        .formatted(tooLong, tooLong),
                "path=" + tooLong);
    }

    private static void refused(String sentence, String... settings) {
        String[] all = new String[settings.length + 1];
        all[0] = "backend=socket";
        System.arraycopy(settings, 0, all, 1, settings.length);
        DeviceException refused = assertThrows(DeviceException.class, () -> new Plugged(all));
        assertEquals("Slot 'net0': " + sentence, refused.getMessage());
    }
}
