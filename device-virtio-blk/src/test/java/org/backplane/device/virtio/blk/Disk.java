package org.backplane.device.virtio.blk;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.backplane.device.DeviceException;
import org.backplane.linux.Fd;
import org.backplane.linux.OpenFlag;
import org.backplane.testkit.DriverRing;
import org.backplane.testkit.DriverRing.Buffer;
import org.backplane.testkit.DriverRing.Used;
import org.backplane.testkit.FakeDeviceContext;
import org.backplane.testkit.TestMemory;
import org.backplane.virtio.QueuePort;
import org.backplane.virtio.QueueTransport;
import org.backplane.virtio.RingSetup;
import org.backplane.virtio.SplitQueue;

/** A disk in its slot, with a driver on the other side of its queues. */
final class Disk implements AutoCloseable, QueueTransport {
    static final int SECTORS = 128;
    static final long ALL_FEATURES = -1;

    /** Half of it on each side of the border of two ranges of memory. */
    private static final long SCRATCH = TestMemory.BOUNDARY - (1 << 16);

    /** What came back: -1 as the status if the driver waits still. */
    record Answer(int status, byte[] data, int used) {}

    /** How a request's bytes are divided: sizes of the pieces, again and again; whole if none. */
    record Layout(boolean indirect, int... pieces) {
        static final Layout PLAIN = new Layout(false);
    }

    final TestMemory memory = new TestMemory();
    final FakeDeviceContext slot;
    final List<DriverRing> rings = new ArrayList<>();
    final List<QueuePort> ports = new ArrayList<>();
    final List<String> broken = new ArrayList<>();
    int interrupts;
    Runnable onInterrupt = () -> {};
    VirtioBlk device;
    private long scratch = SCRATCH;

    private Disk(Map<String, String> settings) throws IOException {
        slot = new FakeDeviceContext("disk0", "virtio-blk", settings, memory.guestMemory());
    }

    static Disk on(Path image, String... settings) throws Exception {
        Disk disk = in(image, settings);
        disk.plug();
        return disk;
    }

    /** The slot without a device yet. */
    static Disk in(Path image, String... settings) throws IOException {
        Map<String, String> all = new HashMap<>(Map.of("path", image.toString()));
        for (String setting : settings) {
            String[] words = setting.split("=", 2);
            all.put(words[0], words[1]);
        }
        return new Disk(all);
    }

    /** An image of {@link #SECTORS} sectors, each byte telling its sector. */
    static Path image(Path folder) throws IOException {
        byte[] content = new byte[SECTORS * 512];
        for (int i = 0; i < content.length; i++) {
            content[i] = (byte) (i / 512 + 1);
        }
        return Files.write(Files.createTempFile(folder, "disk", ".img"), content);
    }

    void create() throws DeviceException {
        device = (VirtioBlk) new VirtioBlkFactory().create(slot);
    }

    void plug() throws DeviceException {
        create();
        device.start();
        activate(ALL_FEATURES & device.shape().features());
    }

    void activate(long features) {
        if (ports.isEmpty()) {
            for (int size : device.shape().queueSizes()) {
                DriverRing ring = new DriverRing(memory, size, true);
                QueuePort port = new QueuePort(rings.size(), size, slot.memory(), this);
                rings.add(ring);
                ports.add(port);
                enable(port, ring);
            }
        }
        device.activate(features, queues());
    }

    List<SplitQueue> queues() {
        return ports.stream().map(QueuePort::queue).toList();
    }

    static void enable(QueuePort port, DriverRing ring) {
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

    /** The image as if somebody had opened it for reading only: the host refuses every write. */
    void keepReadOnlyDescriptor(Path image) throws DeviceException {
        slot.kept(
                "image",
                Fd.class,
                () -> {
                    try {
                        return Fd.open(image, OpenFlag.READ);
                    } catch (IOException e) {
                        throw new DeviceException("test", e);
                    }
                });
    }

    static byte[] header(int type, long sector, byte... data) {
        ByteBuffer request = ByteBuffer.allocate(16 + data.length).order(ByteOrder.LITTLE_ENDIAN);
        request.putInt(type).putInt(0).putLong(sector).put(data);
        return request.array();
    }

    /** One range of a discard or write-zeroes request. */
    static byte[] range(long sector, int sectors, int flags) {
        return ByteBuffer.allocate(16)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(sector)
                .putInt(sectors)
                .putInt(flags)
                .array();
    }

    static byte[] concat(byte[]... parts) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }

    Answer read(long sector, int bytes) {
        return request(header(BlkWire.T_IN, sector), bytes + 1);
    }

    Answer write(long sector, byte... data) {
        return request(header(BlkWire.T_OUT, sector, data), 1);
    }

    Answer request(byte[] readable, int writable) {
        return request(0, Layout.PLAIN, readable, writable);
    }

    /** Offers a request, lets the device work, and takes what came back. */
    Answer request(int queue, Layout layout, byte[] readable, int writable) {
        Offer offer = offer(queue, layout, readable, writable);
        rings.get(queue).publish();
        device.work(queue);
        Used used = rings.get(queue).collect();
        if (used == null) {
            return new Answer(-1, new byte[0], -1);
        }
        if (used.head() != offer.head) {
            throw new AssertionError(used + " came back, not " + offer.head);
        }
        return answer(offer, used);
    }

    /** A request in the ring. */
    record Offer(int head, List<Buffer> writable) {}

    Offer offer(int queue, Layout layout, byte[] readable, int writable) {
        List<Buffer> buffers = new ArrayList<>();
        int turn = 0;
        for (int done = 0; done < readable.length; ) {
            int length = piece(layout, turn++, readable.length - done);
            byte[] part = Arrays.copyOfRange(readable, done, done + length);
            buffers.add(Buffer.readable(place(length), length));
            memory.write(buffers.get(buffers.size() - 1).address(), part);
            done += length;
        }
        List<Buffer> into = new ArrayList<>();
        for (int done = 0; done < writable; ) {
            // The status stands alone in a plain request, as drivers have it.
            boolean plain = layout.pieces.length == 0 && done < writable - 1;
            int length = piece(layout, turn++, writable - done - (plain ? 1 : 0));
            into.add(Buffer.writable(place(length), length));
            memory.write(into.get(into.size() - 1).address(), filled(length));
            done += length;
        }
        buffers.addAll(into);
        Buffer[] all = buffers.toArray(Buffer[]::new);
        DriverRing ring = rings.get(queue);
        int head = layout.indirect ? ring.addIndirect(all) : ring.add(all);
        if (head < 0) {
            throw new AssertionError(all.length + " descriptors are not free");
        }
        return new Offer(head, into);
    }

    Answer answer(Offer offer, Used used) {
        byte[] written =
                concat(
                        offer.writable.stream()
                                .map(buffer -> memory.read(buffer.address(), buffer.length()))
                                .toArray(byte[][]::new));
        int status = written.length == 0 ? -1 : written[written.length - 1] & 0xff;
        byte[] data = Arrays.copyOf(written, Math.max(written.length - 1, 0));
        return new Answer(status, data, used.length());
    }

    private static int piece(Layout layout, int turn, int left) {
        return layout.pieces.length == 0
                ? left
                : Math.min(layout.pieces[turn % layout.pieces.length], left);
    }

    private long place(int length) {
        if (scratch + length > SCRATCH + (1 << 17)) {
            scratch = SCRATCH;
        }
        long at = scratch;
        scratch += length + 1;
        return at;
    }

    /** What the driver's buffers hold before. */
    static byte[] filled(int length) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) 0xee);
        return bytes;
    }

    @Override
    public void usedBuffers(int queue) {
        interrupts++;
        onInterrupt.run();
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
