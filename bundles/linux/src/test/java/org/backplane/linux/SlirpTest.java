package org.backplane.linux;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.backplane.linux.slirp.LibSlirp;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A guest made of frames by hand, and servers on this host's loopback. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SlirpTest {
    private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();

    private Slirp slirp;
    private PortDriver guest;

    @BeforeEach
    void requireLibslirp() {
        boolean installed = true;
        try {
            LibSlirp.load(LibSlirp.SONAME);
        } catch (UnsatisfiedLinkError e) {
            System.out.println("SlirpTest: skipped: " + LibSlirp.SONAME + " is missing");
            installed = false;
        }
        Assumptions.assumeTrue(installed, "needs libslirp0");
    }

    private void open(HostForward... forwards) throws IOException {
        slirp = Slirp.open("net0", 1500);
        guest = new PortDriver(slirp);
        for (HostForward forward : forwards) {
            slirp.forward(forward);
        }
    }

    /** A guest that the network has heard of, so that it is not asked for first. */
    private void openAndAnnounce(HostForward... forwards) throws IOException {
        open(forwards);
        guest.send(Frames.arp(1, new byte[6], Frames.GATEWAY));
        guest.receive(frame -> Frames.type(frame) == Frames.ARP);
    }

    @AfterEach
    void close() {
        if (slirp != null) {
            slirp.close();
            guest.close();
        }
    }

    @Test
    void answersForItsGatewayAndNameServerAndForNobodyElse() throws IOException {
        open();
        guest.send(Frames.arp(1, new byte[6], new byte[] {10, 0, 2, 77}));
        guest.send(Frames.arp(1, new byte[6], Frames.GATEWAY));
        assertTrue(guest.isReady());
        byte[] answer = guest.receive(frame -> Frames.type(frame) == Frames.ARP);
        assertArrayEquals(Frames.GUEST_MAC, Arrays.copyOf(answer, 6));
        assertArrayEquals(Frames.GATEWAY_MAC, Arrays.copyOfRange(answer, 22, 28));
        assertArrayEquals(Frames.GATEWAY, Arrays.copyOfRange(answer, 28, 32));
        guest.send(Frames.arp(1, new byte[6], Frames.NAME_SERVER));
        answer = guest.receive(frame -> Frames.type(frame) == Frames.ARP);
        assertArrayEquals(Frames.NAME_SERVER, Arrays.copyOfRange(answer, 28, 32));
        assertEquals(0, slirp.lost());
    }

    @Test
    void offersTheGuestItsAddressRouterAndNameServer() throws IOException {
        open();
        guest.send(discover());
        byte[] offer =
                Frames.data(
                        guest.receive(
                                frame ->
                                        Frames.isIpv4(frame, Frames.UDP)
                                                && Frames.port(frame, true) == 68));
        assertEquals(2, offer[0], "a reply");
        assertArrayEquals(Frames.GUEST, Arrays.copyOfRange(offer, 16, 20));
        assertArrayEquals(new byte[] {2}, option(offer, 53), "DHCPOFFER");
        assertArrayEquals(Frames.GATEWAY, option(offer, 3));
        assertArrayEquals(Frames.NAME_SERVER, option(offer, 6));
        assertArrayEquals(new byte[] {-1, -1, -1, 0}, option(offer, 1));
    }

    private static byte[] discover() {
        ByteBuffer message = ByteBuffer.allocate(300);
        message.put((byte) 1).put((byte) 1).put((byte) 6).put((byte) 0).putInt(0xcafe);
        message.put(28, Frames.GUEST_MAC);
        message.putInt(236, 0x63825363);
        message.put(240, new byte[] {53, 1, 1, -1});
        return Frames.udp(new byte[4], new byte[] {-1, -1, -1, -1}, 68, 67, message.array());
    }

    private static byte[] option(byte[] message, int wanted) {
        int at = 240;
        while (message[at] != wanted) {
            assertTrue(message[at] != -1, "option " + wanted + " is missing");
            at += message[at] == 0 ? 1 : 2 + message[at + 1];
        }
        return Arrays.copyOfRange(message, at + 2, at + 2 + message[at + 1]);
    }

    @Test
    void gatewayAnswersPings() throws IOException {
        openAndAnnounce();
        byte[] data = "0123456789".getBytes(StandardCharsets.US_ASCII);
        guest.send(Frames.echoRequest(77, data));
        byte[] answer = guest.receive(frame -> Frames.isIpv4(frame, Frames.ICMP));
        assertEquals(0, answer[34], "an echo reply");
        assertArrayEquals(Frames.GATEWAY, Frames.from(answer));
        assertEquals(77, ByteBuffer.wrap(answer).getShort(38));
        assertArrayEquals(data, Frames.data(answer));
    }

    @Test
    void advertisesAPrefixToAGuestThatSolicitsRouters() throws IOException {
        open();
        byte[] from = new byte[16];
        from[0] = (byte) 0xfe;
        from[1] = (byte) 0x80;
        from[15] = 15;
        byte[] to = new byte[16];
        to[0] = (byte) 0xff;
        to[1] = 2;
        to[15] = 2;
        // ICMPv6 type 133 (RFC 4861, section 4.1), its checksum over the pseudo-header.
        ByteBuffer pseudo = ByteBuffer.allocate(48).put(from).put(to).putInt(8).putInt(58);
        pseudo.put((byte) 133);
        int checksum = Frames.checksum(pseudo.array(), 0, 48, 0);
        ByteBuffer packet = ByteBuffer.allocate(48).putInt(0x60000000).putShort((short) 8);
        packet.put((byte) 58).put((byte) 255).put(from).put(to);
        packet.put((byte) 133).put((byte) 0).putShort((short) checksum);
        guest.send(Frames.ethernet(new byte[] {0x33, 0x33, 0, 0, 0, 2}, 0x86dd, packet.array()));
        byte[] advertisement =
                guest.receive(frame -> Frames.type(frame) == 0x86dd && frame[54] == (byte) 134);
        String bytes = Arrays.toString(advertisement);
        assertTrue(bytes.contains("3, 4, 64, "), "prefix information, /64: " + bytes);
        assertTrue(bytes.contains("-2, -64, 0, 0, 0, 0, 0, 0, "), "fec0::/64: " + bytes);
    }

    @Test
    void datagramsReachAServerOnTheHostsLoopbackAndComeBack() throws Exception {
        openAndAnnounce();
        try (DatagramSocket server = new DatagramSocket(0, LOOPBACK)) {
            byte[] data = new byte[1400];
            Arrays.fill(data, (byte) 'x');
            guest.send(Frames.udp(Frames.GUEST, Frames.GATEWAY, 5000, server.getLocalPort(), data));
            DatagramPacket packet = new DatagramPacket(new byte[2000], 2000);
            server.receive(packet);
            assertEquals(1400, packet.getLength());
            packet.setData("pong".getBytes(StandardCharsets.US_ASCII));
            server.send(packet);
            byte[] answer = guest.receive(frame -> Frames.isIpv4(frame, Frames.UDP));
            assertArrayEquals(Frames.GATEWAY, Frames.from(answer));
            assertEquals(5000, Frames.port(answer, true));
            assertEquals("pong", new String(Frames.data(answer), StandardCharsets.US_ASCII));
        }
    }

    @Test
    void queriesGoToTheHostsNameServer() throws Exception {
        byte[] query = query();
        Optional<String> reason = hostsNameServerAnswers(query);
        reason.ifPresent(why -> System.out.println("SlirpTest: DNS skipped: " + why));
        Assumptions.assumeTrue(reason.isEmpty(), "needs a name server");
        openAndAnnounce();
        guest.send(Frames.arp(1, new byte[6], Frames.NAME_SERVER));
        guest.receive(frame -> Frames.type(frame) == Frames.ARP);
        guest.send(Frames.udp(Frames.GUEST, Frames.NAME_SERVER, 5353, 53, query));
        byte[] answer = guest.receive(frame -> Frames.isIpv4(frame, Frames.UDP));
        assertArrayEquals(Frames.NAME_SERVER, Frames.from(answer));
        assertEquals(0x4242, ByteBuffer.wrap(Frames.data(answer)).getShort(0));
        assertTrue(Frames.data(answer)[2] < 0, "a response, RFC 1035, section 4.1.1");
    }

    /** For the addresses of localhost: any server says something to it. */
    private static byte[] query() {
        ByteBuffer message = ByteBuffer.allocate(27);
        message.putShort((short) 0x4242).putShort((short) 0x0100).putShort((short) 1);
        message.position(12).put((byte) 9);
        message.put("localhost".getBytes(StandardCharsets.US_ASCII)).put((byte) 0);
        return message.putShort((short) 1).putShort((short) 1).array();
    }

    private static Optional<String> hostsNameServerAnswers(byte[] query) throws IOException {
        Path settings = Path.of("/etc/resolv.conf");
        Optional<String> server =
                !Files.exists(settings)
                        ? Optional.empty()
                        : Files.readAllLines(settings).stream()
                                .filter(line -> line.matches("nameserver\\s+[0-9.]+"))
                                .map(line -> line.split("\\s+")[1])
                                .findFirst();
        if (server.isEmpty()) {
            return Optional.of("/etc/resolv.conf names no IPv4 name server");
        }
        try (DatagramSocket socket = new DatagramSocket()) {
            socket.setSoTimeout(3000);
            socket.connect(InetAddress.getByName(server.get()), 53);
            socket.send(new DatagramPacket(query, query.length));
            socket.receive(new DatagramPacket(new byte[512], 512));
            return Optional.empty();
        } catch (IOException e) {
            return Optional.of("the name server " + server.get() + " does not answer: " + e);
        }
    }

    @Test
    void streamsReachAServerOnTheHostsLoopbackAndComeBack() throws Exception {
        openAndAnnounce();
        try (ServerSocket server = new ServerSocket(0, 1, LOOPBACK)) {
            Segments stream = new Segments(5001, server.getLocalPort());
            stream.connect();
            try (Socket accepted = server.accept()) {
                stream.send("GET".getBytes(StandardCharsets.US_ASCII));
                assertEquals("GET", text(accepted.getInputStream().readNBytes(3)));
                byte[] answer = new byte[100_000];
                for (int i = 0; i < answer.length; i++) {
                    answer[i] = (byte) (i * 31 >> 3);
                }
                CompletableFuture<Void> sent = sending(accepted, answer);
                assertArrayEquals(answer, stream.receive(answer.length));
                sent.get();
                stream.finish();
                assertEquals(-1, accepted.getInputStream().read());
            }
        }
    }

    private static CompletableFuture<Void> sending(Socket socket, byte[] data) {
        return CompletableFuture.runAsync(
                () -> {
                    try {
                        socket.getOutputStream().write(data);
                    } catch (IOException e) {
                        throw new IllegalStateException(e);
                    }
                });
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.US_ASCII);
    }

    @Test
    void aPortOfTheHostLeadsToTheGuest() throws Exception {
        int port = freePort();
        open(forward(HostForward.Protocol.TCP, port, 22));
        try (Socket client = new Socket()) {
            client.connect(new InetSocketAddress(LOOPBACK, port));
            // The network does not know the guest yet.
            guest.receive(frame -> Frames.type(frame) == Frames.ARP);
            guest.send(Frames.arp(2, Frames.GATEWAY_MAC, Frames.GATEWAY));
            byte[] syn = guest.receive(frame -> Frames.isIpv4(frame, Frames.TCP));
            assertEquals(22, Frames.port(syn, true));
            assertEquals(Frames.SYN, Frames.flags(syn) & (Frames.SYN | Frames.ACK));
            Segments stream = new Segments(22, Frames.port(syn, false));
            stream.accept(syn);
            stream.send("SSH-2.0".getBytes(StandardCharsets.US_ASCII));
            assertEquals("SSH-2.0", text(client.getInputStream().readNBytes(7)));
            client.getOutputStream().write("hello".getBytes(StandardCharsets.US_ASCII));
            assertEquals("hello", text(stream.receive(5)));
        }
    }

    @Test
    void aDatagramPortOfTheHostLeadsToTheGuest() throws Exception {
        int port;
        try (DatagramSocket free = new DatagramSocket(0, LOOPBACK)) {
            port = free.getLocalPort();
        }
        openAndAnnounce(forward(HostForward.Protocol.UDP, port, 53));
        try (DatagramSocket client = new DatagramSocket(0, LOOPBACK)) {
            byte[] data = "query".getBytes(StandardCharsets.US_ASCII);
            client.send(new DatagramPacket(data, data.length, LOOPBACK, port));
            byte[] frame = guest.receive(seen -> Frames.isIpv4(seen, Frames.UDP));
            assertEquals(53, Frames.port(frame, true));
            assertEquals("query", text(Frames.data(frame)));
            guest.send(
                    Frames.udp(
                            Frames.GUEST,
                            Frames.from(frame),
                            53,
                            Frames.port(frame, false),
                            "answer".getBytes(StandardCharsets.US_ASCII)));
            DatagramPacket answer = new DatagramPacket(new byte[100], 100);
            client.receive(answer);
            assertEquals("answer", text(Arrays.copyOf(answer.getData(), answer.getLength())));
        }
    }

    @Test
    void refusesToForwardAPortThatIsTaken() throws Exception {
        open();
        try (ServerSocket taken = new ServerSocket(0, 1, LOOPBACK);
                DatagramSocket taken2 = new DatagramSocket(0, LOOPBACK)) {
            HostForward stream = forward(HostForward.Protocol.TCP, taken.getLocalPort(), 22);
            LinuxException refused =
                    assertThrows(LinuxException.class, () -> slirp.forward(stream));
            assertTrue(refused.isInUse(), refused.getMessage());
            assertEquals(
                    "listen at 127.0.0.1:%d for the guest's port 22: Address already in use (errno 98)"
                            .formatted(taken.getLocalPort()),
                    refused.getMessage());
            HostForward datagrams = forward(HostForward.Protocol.UDP, taken2.getLocalPort(), 53);
            assertTrue(
                    assertThrows(LinuxException.class, () -> slirp.forward(datagrams)).isInUse());
        }
    }

    @Test
    void aGuestThatTakesNothingLosesNothingThatTheHostCanHold() throws Exception {
        openAndAnnounce();
        try (DatagramSocket server = new DatagramSocket(0, LOOPBACK)) {
            guest.send(
                    Frames.udp(
                            Frames.GUEST,
                            Frames.GATEWAY,
                            6000,
                            server.getLocalPort(),
                            new byte[1]));
            DatagramPacket packet = new DatagramPacket(new byte[1400], 1400);
            server.receive(packet);
            packet.setData(new byte[1400]);
            int sent = 0;
            // As long as it reads from its sockets, which it stops with half a queue.
            while (sent < 20_000) {
                server.send(packet);
                sent++;
                slirp.work();
            }
            assertEquals(0, slirp.lost());
            int received = 0;
            while (guest.poll() != null) {
                received++;
            }
            assertTrue(received > 1000 && received < 4000, received + " of " + sent);
        }
    }

    @Test
    void afterClosingNothingComesAndNothingFails() throws Exception {
        openAndAnnounce();
        guest.send(Frames.arp(1, new byte[6], Frames.GATEWAY));
        slirp.close();
        slirp.close();
        slirp.work();
        assertEquals(-1, slirp.next());
        assertNull(guest.poll());
        guest.send(Frames.arp(1, new byte[6], Frames.GATEWAY));
        HostForward forward = forward(HostForward.Protocol.TCP, freePort(), 22);
        assertThrows(LinuxException.class, () -> slirp.forward(forward));
        slirp.skip();
        assertFalse(slirp.readiness().isOpen());
    }

    @Test
    void sendsFromSeveralThreadsWhileAnotherReceives() throws Exception {
        openAndAnnounce();
        int each = 3000;
        CountDownLatch done = new CountDownLatch(3);
        for (int t = 0; t < 3; t++) {
            int identifier = t;
            PortDriver sender = new PortDriver(slirp);
            new Thread(
                            () -> {
                                for (int i = 0; i < each; i++) {
                                    sender.send(Frames.echoRequest(identifier, new byte[64]));
                                }
                                sender.close();
                                done.countDown();
                            })
                    .start();
        }
        int answers = 0;
        while (answers < 3 * each) {
            assertNotNull(guest.receive(frame -> Frames.isIpv4(frame, Frames.ICMP)));
            answers++;
        }
        done.await();
        assertEquals(0, slirp.lost());
    }

    @Test
    void saysWhichLibraryIsMissingOrIsNoLibslirp() {
        for (String library : new String[] {"libslirp-absent.so.0", "libm.so.6"}) {
            LibraryException refused =
                    assertThrows(LibraryException.class, () -> Slirp.open("net0", 1500, library));
            assertEquals("the library " + library + " is missing or broken", refused.getMessage());
        }
    }

    @Test
    void takesMtusToItsLimitsAndRefusesOthers() throws IOException {
        Slirp.open("net0", Slirp.LEAST_MTU).close();
        Slirp.open("net0", Slirp.GREATEST_MTU).close();
        assertThrows(IllegalArgumentException.class, () -> Slirp.open("net0", Slirp.LEAST_MTU - 1));
        assertThrows(
                IllegalArgumentException.class, () -> Slirp.open("net0", Slirp.GREATEST_MTU + 1));
    }

    private static int freePort() throws IOException {
        try (ServerSocket free = new ServerSocket(0, 1, LOOPBACK)) {
            return free.getLocalPort();
        }
    }

    private static HostForward forward(HostForward.Protocol protocol, int hostPort, int guestPort)
            throws IOException {
        return new HostForward(
                protocol,
                (Inet4Address) InetAddress.getByName("127.0.0.1"),
                hostPort,
                (Inet4Address) InetAddress.getByAddress(Frames.GUEST),
                guestPort);
    }

    /** The guest's end of a TCP connection that loses nothing. */
    private final class Segments {
        private final int port;
        private final int peer;
        private int sequence = 1000;
        private int expected;

        Segments(int port, int peer) {
            this.port = port;
            this.peer = peer;
        }

        private void put(int flags, byte[] data) {
            guest.send(Frames.tcp(Frames.GATEWAY, port, peer, flags, sequence, expected, data));
            sequence += data.length + ((flags & (Frames.SYN | Frames.FIN)) != 0 ? 1 : 0);
        }

        private byte[] take() throws IOException {
            return guest.receive(
                    frame ->
                            Frames.isIpv4(frame, Frames.TCP)
                                    && Frames.port(frame, true) == port
                                    && Frames.port(frame, false) == peer);
        }

        void connect() throws IOException {
            put(Frames.SYN, new byte[0]);
            byte[] answer = take();
            assertEquals(Frames.SYN | Frames.ACK, Frames.flags(answer));
            assertEquals(sequence, Frames.acknowledged(answer));
            expected = Frames.sequence(answer) + 1;
            put(Frames.ACK, new byte[0]);
        }

        void accept(byte[] syn) throws IOException {
            expected = Frames.sequence(syn) + 1;
            put(Frames.SYN | Frames.ACK, new byte[0]);
            assertEquals(sequence, Frames.acknowledged(take()));
        }

        void send(byte[] data) {
            put(Frames.ACK, data);
        }

        byte[] receive(int length) throws IOException {
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            while (all.size() < length) {
                byte[] segment = take();
                byte[] data = Frames.data(segment);
                if (data.length > 0 && Frames.sequence(segment) == expected) {
                    all.writeBytes(data);
                    expected += data.length;
                    put(Frames.ACK, new byte[0]);
                }
            }
            return all.toByteArray();
        }

        void finish() throws IOException {
            put(Frames.ACK | Frames.FIN, new byte[0]);
            byte[] answer = take();
            while (Frames.acknowledged(answer) != sequence) {
                answer = take();
            }
        }
    }
}
