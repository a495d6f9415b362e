package org.backplane.device.virtio.net;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.backplane.device.DeviceException;
import org.backplane.linux.LibraryException;
import org.backplane.linux.Slirp;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A card on a user-mode network, its driver's frames made by hand, a server on the host. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class UserNetworkTest {
    private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();
    private static final byte[] GUEST = {10, 0, 2, 15};
    private static final byte[] GATEWAY = {10, 0, 2, 2};
    private static final byte[] EVERYBODY = {-1, -1, -1, -1, -1, -1};
    private static final int BUFFER = 1526;

    @BeforeEach
    void requireLibslirp() throws IOException {
        String missing = "";
        try {
            Slirp.open("test", 1500).close();
        } catch (LibraryException e) {
            missing = e.getMessage();
            System.out.println("UserNetworkTest: skipped: " + missing);
        }
        Assumptions.assumeTrue(missing.isEmpty(), missing);
    }

    private static byte[] ethernet(byte[] to, int type, byte[] packet) {
        return ByteBuffer.allocate(14 + packet.length)
                .put(to)
                .put(MacAddress.parse(Card.MAC).orElseThrow().bytes())
                .putShort((short) type)
                .put(packet)
                .array();
    }

    /** RFC 826: asks for the gateway, or answers for the guest. */
    private static byte[] arp(int operation) {
        return ethernet(
                EVERYBODY,
                0x0806,
                ByteBuffer.allocate(28)
                        .putInt(0x00010800)
                        .putShort((short) 0x0604)
                        .putShort((short) operation)
                        .put(MacAddress.parse(Card.MAC).orElseThrow().bytes())
                        .put(GUEST)
                        .put(new byte[6])
                        .put(GATEWAY)
                        .array());
    }

    /** RFC 768, without a checksum, in RFC 791. */
    private static byte[] udp(int port, String data) {
        byte[] bytes = data.getBytes(StandardCharsets.US_ASCII);
        ByteBuffer packet = ByteBuffer.allocate(28 + bytes.length);
        packet.putShort((short) 0x4500).putShort((short) packet.capacity()).putInt(0);
        packet.put((byte) 64).put((byte) 17).putShort((short) 0).put(GUEST).put(GATEWAY);
        int sum = 0;
        for (int i = 0; i < 20; i += 2) {
            sum += Short.toUnsignedInt(packet.getShort(i));
        }
        packet.putShort(10, (short) ~((sum & 0xffff) + (sum >>> 16)));
        packet.putShort((short) 4000).putShort((short) port);
        packet.putShort((short) (8 + bytes.length)).putShort((short) 0).put(bytes);
        return ethernet(EVERYBODY, 0x0800, packet.array());
    }

    private static boolean isUdp(byte[] frame) {
        return frame[12] == 8 && frame[13] == 0 && frame[23] == 17;
    }

    private static String data(byte[] frame) {
        return new String(Arrays.copyOfRange(frame, 42, frame.length), StandardCharsets.US_ASCII);
    }

    private static byte[] nextUdp(Plugged net) throws IOException {
        byte[] frame = net.next();
        while (!isUdp(frame)) {
            frame = net.next();
        }
        return frame;
    }

    @Test
    void aConversationGoesOnWithTheDeviceThatComesNext() throws Exception {
        try (Plugged net = new Plugged("backend=user");
                DatagramSocket server = new DatagramSocket(0, LOOPBACK)) {
            assertEquals(
                    0,
                    net.card.device.shape().features()
                            & (NetWire.GUEST_OFFLOADS | NetWire.HOST_OFFLOADS));
            net.card.offer(0, 60, BUFFER);
            net.card.send(arp(1));
            assertArrayEquals(new byte[] {8, 6}, Arrays.copyOfRange(net.next(), 12, 14));
            DatagramPacket packet = new DatagramPacket(new byte[100], 100);
            int from = 0;
            for (int round = 0; round < 3; round++) {
                net.card.send(udp(server.getLocalPort(), "question " + round));
                server.receive(packet);
                assertTrue(round == 0 || from == packet.getPort(), "the same socket of the host");
                from = packet.getPort();
                packet.setData(("answer " + round).getBytes(StandardCharsets.US_ASCII));
                // While nobody is there to take it.
                net.unplug();
                server.send(packet);
                net.plug();
                assertEquals("answer " + round, data(nextUdp(net)));
                packet.setData(new byte[100]);
            }
        }
    }

    @Test
    void aForwardedPortOutlivesTheDeviceAndEndsWithTheSlot() throws Exception {
        int port = freePort();
        try (Plugged net = new Plugged("backend=user", "hostfwd=tcp:" + port + "-22")) {
            net.card.offer(0, 60, BUFFER);
            for (int round = 0; round < 2; round++) {
                try (Socket client = new Socket(LOOPBACK, port)) {
                    net.card.send(arp(2));
                    byte[] frame = net.next();
                    while (frame[12] != 8 || frame[13] != 0 || frame[23] != 6) {
                        frame = net.next();
                    }
                    assertEquals(22, ByteBuffer.wrap(frame).getShort(36));
                    assertEquals(client.getPort(), port);
                }
                net.unplug();
                net.plug();
            }
        }
        new ServerSocket(port, 1, LOOPBACK).close();
    }

    private static int freePort() throws IOException {
        try (ServerSocket free = new ServerSocket(0, 1, LOOPBACK)) {
            return free.getLocalPort();
        }
    }

    @Test
    void aPortThatIsTakenIsNamedWithTheRemedy() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, LOOPBACK);
                DatagramSocket taken2 = new DatagramSocket(0, LOOPBACK)) {
            int port = taken.getLocalPort();
            assertEquals(
                    "Slot 'net0': hostfwd=tcp:%1$d-22 cannot be used: port %1$d of 127.0.0.1 is taken; give another, or end who listens there (ss -ltnp 'sport = :%1$d')."
                            .formatted(port),
                    refused("hostfwd=tcp:" + port + "-22"));
            int port2 = taken2.getLocalPort();
            assertTrue(
                    refused("hostfwd=tcp:" + freePort() + "-1;udp:" + port2 + "-2")
                            .startsWith("Slot 'net0': hostfwd=udp:" + port2 + "-2 cannot be used"));
        }
        assertTrue(
                refused("hostfwd=tcp:203.0.113.1:8022-22")
                        .contains("Cannot assign requested address"));
    }

    @Test
    void refusesAnMtuThatLibslirpCannotDo() throws Exception {
        assertEquals(
                "Slot 'net0': mtu=65522 is more than backend=user can do; give 65521 or less.",
                refused("mtu=65522"));
        new Plugged("backend=user", "mtu=65521").close();
        new Plugged("backend=user", "mtu=68").close();
    }

    private static String refused(String setting) {
        return assertThrows(DeviceException.class, () -> new Plugged("backend=user", setting))
                .getMessage();
    }
}
