package org.backplane.linux;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Ethernet frames by hand, as a guest at 10.0.2.15 sends them and reads them: ARP (RFC 826), IPv4
 * (RFC 791), ICMP (RFC 792), UDP (RFC 768) and TCP (RFC 9293).
 */
final class Frames {
    static final byte[] GUEST_MAC = {0x52, 0x54, 0, 0x12, 0x34, 0x56};
    static final byte[] GUEST = {10, 0, 2, 15};
    static final byte[] GATEWAY = {10, 0, 2, 2};
    static final byte[] NAME_SERVER = {10, 0, 2, 3};

    /** As libslirp derives the gateway's from its address. */
    static final byte[] GATEWAY_MAC = {0x52, 0x55, 10, 0, 2, 2};

    static final byte[] EVERYBODY = {-1, -1, -1, -1, -1, -1};

    static final int ARP = 0x0806;
    static final int IPV4 = 0x0800;
    static final int ICMP = 1;
    static final int TCP = 6;
    static final int UDP = 17;
    static final int FIN = 1;
    static final int SYN = 2;
    static final int ACK = 16;

    private Frames() {}

    static byte[] ethernet(byte[] to, int type, byte[] payload) {
        return ByteBuffer.allocate(14 + payload.length)
                .put(to)
                .put(GUEST_MAC)
                .putShort((short) type)
                .put(payload)
                .array();
    }

    /** operation 1 asks for an address, 2 answers. */
    static byte[] arp(int operation, byte[] targetMac, byte[] target) {
        byte[] packet =
                ByteBuffer.allocate(28)
                        .putShort((short) 1)
                        .putShort((short) IPV4)
                        .put((byte) 6)
                        .put((byte) 4)
                        .putShort((short) operation)
                        .put(GUEST_MAC)
                        .put(GUEST)
                        .put(targetMac)
                        .put(target)
                        .array();
        return ethernet(operation == 1 ? EVERYBODY : targetMac, ARP, packet);
    }

    static byte[] ipv4(int protocol, byte[] from, byte[] to, byte[] payload) {
        ByteBuffer packet = ByteBuffer.allocate(20 + payload.length);
        packet.put((byte) 0x45).put((byte) 0).putShort((short) packet.capacity()).putInt(0);
        packet.put((byte) 64).put((byte) protocol).putShort((short) 0).put(from).put(to);
        packet.putShort(10, (short) checksum(packet.array(), 0, 20, 0));
        packet.put(payload);
        boolean broadcast = to[3] == -1;
        return ethernet(broadcast ? EVERYBODY : GATEWAY_MAC, IPV4, packet.array());
    }

    static byte[] echoRequest(int identifier, byte[] data) {
        ByteBuffer packet = ByteBuffer.allocate(8 + data.length);
        packet.putShort((short) 0x0800).putShort((short) 0);
        packet.putShort((short) identifier).putShort((short) 1).put(data);
        packet.putShort(2, (short) checksum(packet.array(), 0, packet.capacity(), 0));
        return ipv4(ICMP, GUEST, GATEWAY, packet.array());
    }

    static byte[] udp(byte[] from, byte[] to, int fromPort, int toPort, byte[] data) {
        ByteBuffer packet = ByteBuffer.allocate(8 + data.length);
        packet.putShort((short) fromPort).putShort((short) toPort);
        packet.putShort((short) packet.capacity()).putShort((short) 0).put(data);
        packet.putShort(6, (short) withPseudoHeader(UDP, from, to, packet.array()));
        return ipv4(UDP, from, to, packet.array());
    }

    static byte[] tcp(
            byte[] to, int fromPort, int toPort, int flags, int sequence, int acks, byte[] data) {
        ByteBuffer segment = ByteBuffer.allocate(20 + data.length);
        segment.putShort((short) fromPort).putShort((short) toPort);
        segment.putInt(sequence).putInt(acks);
        segment.put((byte) 0x50).put((byte) flags).putShort((short) 0xffff).putInt(0).put(data);
        segment.putShort(16, (short) withPseudoHeader(TCP, GUEST, to, segment.array()));
        return ipv4(TCP, GUEST, to, segment.array());
    }

    static int withPseudoHeader(int protocol, byte[] from, byte[] to, byte[] segment) {
        int sum = protocol + segment.length;
        for (byte[] address : new byte[][] {from, to}) {
            sum += (address[0] & 255) << 8 | address[1] & 255;
            sum += (address[2] & 255) << 8 | address[3] & 255;
        }
        return checksum(segment, 0, segment.length, sum);
    }

    /** RFC 1071. */
    static int checksum(byte[] data, int offset, int length, int start) {
        int sum = start;
        for (int i = 0; i < length; i++) {
            sum += (data[offset + i] & 255) << (i % 2 == 0 ? 8 : 0);
        }
        while (sum >>> 16 != 0) {
            sum = (sum & 0xffff) + (sum >>> 16);
        }
        return ~sum & 0xffff;
    }

    static int type(byte[] frame) {
        return Short.toUnsignedInt(ByteBuffer.wrap(frame).getShort(12));
    }

    static boolean isIpv4(byte[] frame, int protocol) {
        return type(frame) == IPV4 && frame[23] == protocol;
    }

    static byte[] from(byte[] frame) {
        return Arrays.copyOfRange(frame, 26, 30);
    }

    static int port(byte[] frame, boolean destination) {
        return Short.toUnsignedInt(ByteBuffer.wrap(frame).getShort(destination ? 36 : 34));
    }

    static int flags(byte[] frame) {
        return frame[47];
    }

    static int sequence(byte[] frame) {
        return ByteBuffer.wrap(frame).getInt(38);
    }

    static int acknowledged(byte[] frame) {
        return ByteBuffer.wrap(frame).getInt(42);
    }

    /** What an IPv4 packet carries behind its transport header. */
    static byte[] data(byte[] frame) {
        int end = 14 + Short.toUnsignedInt(ByteBuffer.wrap(frame).getShort(16));
        int header = frame[23] == TCP ? (frame[46] >> 4 & 15) * 4 : 8;
        return Arrays.copyOfRange(frame, 34 + header, end);
    }
}
