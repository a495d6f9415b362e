package org.backplane.device.virtio.net;

import java.nio.ByteBuffer;

/** Ethernet frames with a TCP segment over IPv4 (RFC 791, RFC 9293), as a driver makes them. */
final class TcpFrame {
    static final int HEADERS = 14 + 20 + 20;
    static final int SEGMENT = 1448;
    private static final int IP = 14;
    private static final int TCP = 34;

    private TcpFrame() {}

    /**
     * A frame behind its virtio_net_hdr.
     *
     * @param offload leaves the checksum, and the division of what is longer than {@link #SEGMENT},
     *     to others
     */
    static byte[] of(
            MacAddress to, MacAddress from, int sequence, byte[] payload, boolean offload) {
        ByteBuffer frame = ByteBuffer.allocate(12 + HEADERS + payload.length);
        frame.put(12, to.bytes()).put(18, from.bytes()).putShort(24, (short) 0x0800);
        int ip = 12 + IP;
        frame.put(ip, (byte) 0x45).putShort(ip + 2, (short) (40 + payload.length));
        frame.put(ip + 8, (byte) 64).put(ip + 9, (byte) 6);
        frame.putInt(ip + 12, 0x0a000001).putInt(ip + 16, 0x0a000002);
        frame.putShort(ip + 10, (short) ~sum(frame, ip, 20, 0));
        int tcp = 12 + TCP;
        frame.putShort(tcp, (short) 1000).putShort(tcp + 2, (short) 2000);
        frame.putInt(tcp + 4, sequence).put(tcp + 12, (byte) 0x50).put(tcp + 13, (byte) 0x10);
        frame.putShort(tcp + 14, (short) 0x7fff);
        frame.put(tcp + 20, payload);
        int pseudo = sum(frame, ip + 12, 8, 6 + 20 + payload.length);
        if (offload) {
            frame.putShort(tcp + 16, (short) pseudo);
            frame.put(0, (byte) 1);
            little(frame, 6, TCP);
            little(frame, 8, 16);
            if (payload.length > SEGMENT) {
                frame.put(1, (byte) 1);
                little(frame, 2, HEADERS);
                little(frame, 4, SEGMENT);
            }
        } else {
            int length = 20 + payload.length;
            frame.putShort(tcp + 16, (short) ~sum(frame, tcp, length, pseudo));
        }
        return frame.array();
    }

    private static void little(ByteBuffer frame, int at, int value) {
        frame.put(at, (byte) value).put(at + 1, (byte) (value >> 8));
    }

    /** The sum in ones' complement, RFC 1071. */
    private static int sum(ByteBuffer bytes, int from, int length, int start) {
        long sum = start;
        for (int i = 0; i < length; i += 2) {
            int word = (bytes.get(from + i) & 0xff) << 8;
            sum += i + 1 < length ? word | bytes.get(from + i + 1) & 0xff : word;
        }
        while (sum > 0xffff) {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        return (int) sum;
    }

    static int sequence(byte[] headed) {
        return ByteBuffer.wrap(headed).getInt(12 + TCP + 4);
    }

    /** What the segment carries: a frame may be longer than its packet. */
    static byte[] payload(byte[] headed) {
        int length = ByteBuffer.wrap(headed).getShort(12 + IP + 2) & 0xffff;
        byte[] payload = new byte[length - 40];
        System.arraycopy(headed, 12 + HEADERS, payload, 0, payload.length);
        return payload;
    }

    /** Whether the checksum is right, and complete. */
    static boolean isSummed(byte[] headed) {
        ByteBuffer frame = ByteBuffer.wrap(headed);
        int length = (frame.getShort(12 + IP + 2) & 0xffff) - 20;
        int pseudo = sum(frame, 12 + IP + 12, 8, 6 + length);
        return (headed[0] & 1) == 0 && sum(frame, 12 + TCP, length, pseudo) == 0xffff;
    }
}
