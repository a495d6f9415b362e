package org.backplane.device.virtio.net;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.backplane.device.DeviceException;
import org.backplane.memory.MemoryView;
import org.backplane.testkit.DriverRing;
import org.backplane.testkit.DriverRing.Buffer;
import org.backplane.testkit.DriverRing.Used;
import org.backplane.testkit.FakeDeviceContext;
import org.backplane.testkit.TestMemory;
import org.backplane.virtio.QueuePort;
import org.backplane.virtio.QueueTransport;
import org.backplane.virtio.RingSetup;
import org.backplane.virtio.SplitQueue;
import org.backplane.virtio.VirtioWires;

/** A network card in its slot, with a driver on the other side of its queues. */
final class Card implements AutoCloseable, QueueTransport {
    static final long ALL = -1;
    static final String MAC = "52:54:00:00:00:01";

    /** Places for buffers, half of them on each side of the border of two ranges of memory. */
    private static final long BUFFERS = TestMemory.BOUNDARY - (1 << 20);

    private static final long BUFFERS_END = TestMemory.BOUNDARY + (1 << 20);

    /** Buffers of a receive queue that the driver has offered, by head. */
    private record Offered(List<Buffer> buffers) {}

    final TestMemory memory;
    final FakeDeviceContext slot;

    /** The slot's own, as the queues are: it outlives the device. */
    private final MemoryView view;

    final List<DriverRing> rings = new ArrayList<>();
    final List<QueuePort> ports = new ArrayList<>();
    final List<String> broken = new ArrayList<>();
    final List<String> mistakes = new ArrayList<>();
    private final Map<Integer, Map<Integer, Offered>> offered = new HashMap<>();
    int configurationChanges;
    int interrupts;
    VirtioNet device;
    private long next = BUFFERS;

    /** The slot without a device. */
    Card(Map<String, String> settings) throws IOException {
        memory = new TestMemory();
        view = memory.guestMemory().view("queues");
        Map<String, String> all = new HashMap<>(Map.of("backend", "none", "mac", MAC));
        all.putAll(settings);
        slot = new FakeDeviceContext("net0", "virtio-net", all, memory.guestMemory());
    }

    /** A card on a network, with those of the features negotiated that it offers. */
    static Card on(PlayedNetwork network, long features, String... settings) throws Exception {
        Map<String, String> all = new HashMap<>();
        for (String setting : settings) {
            String[] words = setting.split("=", 2);
            all.put(words[0], words[1]);
        }
        Card card = new Card(all);
        card.create(network);
        card.start();
        card.activate(features);
        return card;
    }

    void create(Backend backend) throws DeviceException {
        device = new VirtioNet(slot, NetSettings.of(slot), backend);
    }

    void start() throws DeviceException {
        device.wired(
                new VirtioWires() {
                    @Override
                    public void configurationChanged() {
                        configurationChanges++;
                    }

                    @Override
                    public void guestMistook(String format, Object... values) {
                        mistakes.add(format.formatted(values));
                    }
                });
        device.link(true);
        device.start();
    }

    void activate(long features) {
        if (ports.isEmpty()) {
            for (int size : device.shape().queueSizes()) {
                DriverRing ring = new DriverRing(memory, size, true);
                QueuePort port = new QueuePort(rings.size(), size, view, this);
                rings.add(ring);
                ports.add(port);
                enable(port, ring);
            }
        }
        device.activate(features & (device.shape().features() | NetWire.F_VERSION_1), queues());
    }

    /** As a driver that begins anew, with rings that hold nothing. */
    void restartRings() {
        offered.clear();
        broken.clear();
        for (int i = 0; i < rings.size(); i++) {
            rings.get(i).reset();
            enable(ports.get(i), rings.get(i));
        }
    }

    List<SplitQueue> queues() {
        return ports.stream().map(QueuePort::queue).toList();
    }

    private static void enable(QueuePort port, DriverRing ring) {
        String problem =
                port.enable(
                        new RingSetup(
                                ring.size(),
                                ring.descriptors(),
                                ring.available(),
                                ring.used(),
                                true,
                                true));
        if (problem != null) {
            throw new AssertionError(problem);
        }
    }

    /** Memory that no receive buffer has, which the driver has offered and not got back. */
    private long place(int length) {
        for (; ; ) {
            if (next + length > BUFFERS_END) {
                next = BUFFERS;
            }
            long at = next;
            Buffer inTheWay = offeredIn(at, at + length);
            if (inTheWay == null) {
                next = at + length + 1;
                return at;
            }
            next = inTheWay.address() + inTheWay.length();
        }
    }

    private Buffer offeredIn(long from, long to) {
        for (Map<Integer, Offered> queue : offered.values()) {
            for (Offered offer : queue.values()) {
                for (Buffer buffer : offer.buffers) {
                    if (buffer.address() < to && from < buffer.address() + buffer.length()) {
                        return buffer;
                    }
                }
            }
        }
        return null;
    }

    /** Offers receive buffers, each a chain of pieces of these lengths. */
    void offer(int pair, int count, int... pieces) {
        DriverRing ring = rings.get(2 * pair);
        for (int i = 0; i < count; i++) {
            List<Buffer> buffers = new ArrayList<>();
            for (int piece : pieces) {
                Buffer buffer = Buffer.writable(place(piece), piece);
                memory.write(buffer.address(), filled(piece));
                buffers.add(buffer);
            }
            int head = ring.add(buffers.toArray(Buffer[]::new));
            if (head < 0) {
                throw new AssertionError("no descriptor is free");
            }
            offered.computeIfAbsent(pair, any -> new HashMap<>()).put(head, new Offered(buffers));
        }
        ring.publish();
        device.work(2 * pair);
    }

    static byte[] filled(int length) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) 0xee);
        return bytes;
    }

    /** Takes the next frame with its header; null if there is none. Checks how it is laid out. */
    byte[] collect(int pair) {
        DriverRing ring = rings.get(2 * pair);
        Used first = ring.collect();
        if (first == null) {
            return null;
        }
        byte[] start = content(pair, first);
        if (start.length == 0) {
            return start;
        }
        int count = start[10] & 0xff | (start[11] & 0xff) << 8;
        Deque<byte[]> parts = new ArrayDeque<>(List.of(start));
        int length = start.length;
        for (int i = 1; i < count; i++) {
            Used used = ring.collect();
            if (used == null) {
                throw new AssertionError("buffer %d of %d is missing".formatted(i + 1, count));
            }
            parts.add(content(pair, used));
            length += parts.getLast().length;
        }
        byte[] frame = new byte[length];
        int at = 0;
        for (byte[] part : parts) {
            System.arraycopy(part, 0, frame, at, part.length);
            at += part.length;
        }
        return frame;
    }

    private byte[] content(int pair, Used used) {
        Offered offer = offered.get(pair).remove(used.head());
        byte[] content = new byte[used.length()];
        int at = 0;
        for (Buffer buffer : offer.buffers) {
            int piece = Math.min(buffer.length(), content.length - at);
            System.arraycopy(memory.read(buffer.address(), piece), 0, content, at, piece);
            at += piece;
        }
        return content;
    }

    /** Receives what has come, and returns the frames without their headers. */
    List<byte[]> received(int pair) {
        device.readable(pair);
        List<byte[]> frames = new ArrayList<>();
        for (byte[] frame = collect(pair); frame != null; frame = collect(pair)) {
            frames.add(Arrays.copyOfRange(frame, 12, frame.length));
        }
        return frames;
    }

    /** Puts bytes into the transmit queue, divided into pieces of a length. */
    int put(int pair, int piece, byte[] bytes) {
        List<Buffer> buffers = new ArrayList<>();
        for (int at = 0; at < bytes.length; at += piece) {
            byte[] part = Arrays.copyOfRange(bytes, at, Math.min(bytes.length, at + piece));
            Buffer buffer = Buffer.readable(place(part.length), part.length);
            memory.write(buffer.address(), part);
            buffers.add(buffer);
        }
        DriverRing ring = rings.get(2 * pair + 1);
        int head = ring.addIndirect(buffers.toArray(Buffer[]::new));
        ring.publish();
        return head;
    }

    /** Sends a frame behind a header of zeroes, and takes its buffer back. */
    void send(byte[] frame) {
        put(0, frame.length + 12, headed(frame));
        device.work(1);
        if (rings.get(1).collect() == null) {
            throw new AssertionError("the buffer did not come back");
        }
    }

    static byte[] headed(byte[] frame) {
        byte[] all = new byte[12 + frame.length];
        System.arraycopy(frame, 0, all, 12, frame.length);
        return all;
    }

    /** Gives a command; the answer, or -1 if there is none. */
    int command(int... bytes) {
        byte[] command = new byte[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            command[i] = (byte) bytes[i];
        }
        int queue = device.negotiated(NetWire.F_MQ) ? rings.size() - 1 : 2;
        long answer = place(1);
        memory.write(answer, filled(1));
        DriverRing ring = rings.get(queue);
        long request = place(Math.max(1, command.length));
        memory.write(request, command);
        if (command.length == 0) {
            ring.add(Buffer.writable(answer, 1));
        } else {
            ring.add(Buffer.readable(request, command.length), Buffer.writable(answer, 1));
        }
        ring.publish();
        device.work(queue);
        return ring.collect() == null ? -1 : memory.getByte(answer) & 0xff;
    }

    /** A frame to a station, with content that tells it from others. */
    static byte[] frame(String to, int length, int seed) {
        byte[] frame = new byte[length];
        for (int i = 0; i < length; i++) {
            frame[i] = (byte) (i * 31 + seed * 7 + (i >> 8));
        }
        System.arraycopy(MacAddress.parse(to).orElseThrow().bytes(), 0, frame, 0, 6);
        frame[12] = 8;
        frame[13] = 0;
        return frame;
    }

    int outstanding() {
        return ports.stream().mapToInt(port -> port.queue().outstanding()).sum();
    }

    @Override
    public void usedBuffers(int queue) {
        interrupts++;
    }

    @Override
    public void broken(int queue, String reason) {
        broken.add(reason);
    }

    @Override
    public void close() throws Exception {
        if (device != null) {
            device.close();
        }
        slot.close();
        memory.close();
    }
}
