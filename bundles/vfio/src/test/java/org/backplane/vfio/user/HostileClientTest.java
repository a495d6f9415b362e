package org.backplane.vfio.user;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.lifecycle.AfterTry;
import net.jqwik.api.lifecycle.BeforeTry;
import org.backplane.linux.EventFd;
import org.backplane.linux.Fd;
import org.backplane.linux.Memfd;
import org.backplane.vfio.VfioDevice;

/** A server and clients that send what the protocol does not know. */
class HostileClientTest {
    private static final long PAGE = 4096;
    private static final Duration PATIENCE = Duration.ofMillis(300);

    private Path folder;
    private Path path;
    private long openBefore;
    private PlainDevice device;
    private VfioUserServer server;
    private RawPeer peer;
    private EventFd event;
    private Memfd memory;

    /**
     * What the two ends may open and lose: sockets, eventfds, epoll instances and memory. The
     * virtual machine itself opens files now and then, for a moment.
     */
    static long openDescriptors() throws IOException {
        try (Stream<Path> numbers = Files.list(Path.of("/proc/self/fd"))) {
            return numbers.map(HostileClientTest::target)
                    .filter(
                            target ->
                                    target.startsWith("socket:")
                                            || target.startsWith("anon_inode:")
                                            || target.startsWith("/memfd:"))
                    .count();
        }
    }

    private static String target(Path number) {
        try {
            return Files.readSymbolicLink(number).toString();
        } catch (IOException e) {
            return "closed meanwhile: " + e.getMessage();
        }
    }

    @BeforeTry
    void serve() throws IOException {
        folder = Files.createTempDirectory("hostile");
        path = folder.resolve("device");
        openBefore = openDescriptors();
        event = EventFd.open();
        memory = Memfd.create("hostile", 16 * PAGE);
        device = new PlainDevice();
        server = VfioUserServer.open(path, device, PATIENCE, Duration.ofSeconds(30));
        peer = RawPeer.greet(path);
    }

    @AfterTry
    void nothingLeaks() throws IOException {
        peer.close();
        server.close();
        assertEquals(List.of(), device.memory);
        device.close();
        event.close();
        memory.close();
        assertEquals(openBefore, openDescriptors());
        Files.deleteIfExists(path);
        Files.delete(folder);
    }

    private void assertRefused(int errno, int command, ByteBuffer payload, Fd... descriptors)
            throws IOException {
        assertEquals(errno, peer.errno(command, payload, List.of(descriptors)));
    }

    /** The server lets this client go, and serves the next. */
    private void assertLetGo() throws IOException {
        peer.awaitEnd();
        peer.close();
        peer = RawPeer.greet(path);
        assertRefused(0, Wire.REGION_READ, RawPeer.access(0, 0, 4));
    }

    @Example
    void payloadsThatAreTooShortAreRefused() throws IOException {
        for (int command :
                new int[] {
                    Wire.DMA_MAP,
                    Wire.DMA_UNMAP,
                    Wire.DEVICE_GET_INFO,
                    Wire.DEVICE_GET_REGION_INFO,
                    Wire.DEVICE_GET_IRQ_INFO,
                    Wire.DEVICE_SET_IRQS,
                    Wire.REGION_READ,
                    Wire.REGION_WRITE,
                    Wire.REGION_WRITE_MULTI
                }) {
            assertRefused(Wire.EINVAL, command, Message.payload(0));
            assertRefused(Wire.EINVAL, command, Message.payload(7));
        }
    }

    @Example
    void structuresWithoutRoomForTheReplyAreRefused() throws IOException {
        ByteBuffer info = Message.payload(Wire.REGION_BYTES);
        for (int size : new int[] {0, 15}) {
            info.putInt(Wire.ARGSZ, size);
            assertRefused(Wire.EINVAL, Wire.DEVICE_GET_INFO, info);
            assertRefused(Wire.EINVAL, Wire.DEVICE_GET_REGION_INFO, info);
            assertRefused(Wire.EINVAL, Wire.DEVICE_GET_IRQ_INFO, info);
        }
        info.putInt(Wire.ARGSZ, -1);
        assertRefused(0, Wire.DEVICE_GET_INFO, info);
    }

    @Example
    void aDescriptionThatDoesNotFitTellsWhatItNeeds() throws IOException {
        ByteBuffer request = Message.payload(Wire.REGION_BYTES);
        request.putInt(Wire.ARGSZ, Wire.REGION_BYTES);
        request.putInt(Wire.REGION_INDEX, 2);
        Message reply = peer.command(Wire.DEVICE_GET_REGION_INFO, request, List.of());
        reply.closeDescriptors();
        assertEquals(Wire.REGION_BYTES, reply.payload().limit());
        assertEquals(Wire.REGION_BYTES, reply.payload().getInt(Wire.REGION_CAP_OFFSET));
        int needed = reply.payload().getInt(Wire.ARGSZ);
        request.putInt(Wire.ARGSZ, needed);
        reply = peer.command(Wire.DEVICE_GET_REGION_INFO, request, List.of());
        assertEquals(1, reply.descriptors().size());
        reply.closeDescriptors();
        assertEquals(needed, reply.payload().limit());
        assertEquals(device.region(2), RegionLayout.read(reply.payload(), 2));
    }

    @Example
    void indexesThatThereAreNotAreRefused() throws IOException {
        for (int index : new int[] {9, 100, -1, Integer.MIN_VALUE}) {
            ByteBuffer request = Message.payload(Wire.REGION_BYTES);
            request.putInt(Wire.ARGSZ, 4096);
            request.putInt(Wire.REGION_INDEX, index);
            assertRefused(Wire.EINVAL, Wire.DEVICE_GET_REGION_INFO, request);
            assertRefused(Wire.EINVAL, Wire.DEVICE_GET_IRQ_INFO, request);
            assertRefused(Wire.EINVAL, Wire.REGION_READ, RawPeer.access(index, 0, 4));
            assertRefused(
                    Wire.EINVAL,
                    Wire.DEVICE_SET_IRQS,
                    RawPeer.irqs(Wire.SET_DATA_NONE | Wire.SET_TRIGGER, index, 0, 0));
        }
    }

    @Example
    void commandsThatAreNotKnownAreRefused() throws IOException {
        for (int command : new int[] {0, 6, 11, 12, 14, 16, 17, 18, 0xffff}) {
            assertRefused(Wire.EOPNOTSUPP, command, Message.payload(32));
        }
        assertRefused(Wire.EOPNOTSUPP, Wire.VERSION, RawPeer.version(0, 1, "{}\0"));
    }

    @Example
    void accessesOutsideOfRegionsAreRefused() throws IOException {
        for (long offset : new long[] {-1, 4093, 4096, Long.MAX_VALUE, Long.MIN_VALUE}) {
            assertRefused(Wire.EINVAL, Wire.REGION_READ, RawPeer.access(0, offset, 4));
            assertRefused(
                    Wire.EINVAL, Wire.REGION_WRITE, RawPeer.access(0, offset, 4, new byte[4]));
        }
        for (int count : new int[] {0, -1, 4097, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
            assertRefused(Wire.EINVAL, Wire.REGION_READ, RawPeer.access(0, 0, count));
            assertRefused(Wire.EINVAL, Wire.REGION_WRITE, RawPeer.access(0, 0, count, new byte[4]));
        }
        assertEquals(List.of(), device.accesses);
    }

    @Example
    void longAccessesComeInAlignedPieces() throws IOException {
        assertRefused(0, Wire.REGION_READ, RawPeer.access(0, 3, 16));
        assertEquals(List.of("R1@3", "R4@4", "R8@8", "R2@10", "R1@12"), device.takeAccesses());
        assertRefused(0, Wire.REGION_READ, RawPeer.access(VfioDevice.CONFIG, 0, 256));
        assertEquals(64, device.takeAccesses().size());
    }

    @Example
    void severalWritesComeInOrderAndNoneAfterOneThatIsWrong() throws IOException {
        ByteBuffer payload = Message.payload(8 + 3 * Wire.MULTI_WRITE_BYTES);
        payload.putLong(0, 3);
        for (int i = 0; i < 3; i++) {
            int at = 8 + i * Wire.MULTI_WRITE_BYTES;
            payload.putLong(at, 0x10 * i);
            payload.putInt(at + Wire.ACCESS_COUNT, 1 << i);
            payload.putLong(at + Wire.ACCESS_BYTES, 0x0102030405060708L);
        }
        assertRefused(0, Wire.REGION_WRITE_MULTI, payload);
        assertEquals(List.of("W1@0", "W2@10", "W4@20"), device.takeAccesses());
        payload.putInt(8 + Wire.MULTI_WRITE_BYTES + Wire.ACCESS_COUNT, 9);
        assertRefused(Wire.EINVAL, Wire.REGION_WRITE_MULTI, payload);
        assertEquals(List.of("W1@0"), device.takeAccesses());
        for (long count : new long[] {-1, 0, 2, 4, Long.MAX_VALUE, 1L << 32 | 3}) {
            payload.putLong(0, count);
            assertRefused(Wire.EINVAL, Wire.REGION_WRITE_MULTI, payload);
        }
    }

    @Example
    void mapsThatOverlapOrCannotBeAreRefused() throws IOException {
        assertRefused(0, Wire.DMA_MAP, RawPeer.map(8 * PAGE, 4 * PAGE, 0), memory);
        for (long[] other :
                new long[][] {
                    {8, 4}, {7, 2}, {11, 1}, {10, 100}, {0, 100}, {9, 1},
                }) {
            assertRefused(
                    Wire.EEXIST, Wire.DMA_MAP, RawPeer.map(other[0] * PAGE, other[1] * PAGE, 0));
        }
        assertRefused(0, Wire.DMA_MAP, RawPeer.map(7 * PAGE, PAGE, 0), memory);
        assertRefused(0, Wire.DMA_MAP, RawPeer.map(12 * PAGE, PAGE, 15 * PAGE), memory);
        assertRefused(Wire.EINVAL, Wire.DMA_MAP, RawPeer.map(20 * PAGE, PAGE, 16 * PAGE), memory);
        assertRefused(Wire.EINVAL, Wire.DMA_MAP, RawPeer.map(20 * PAGE, 17 * PAGE, 0), memory);
        assertRefused(Wire.EINVAL, Wire.DMA_MAP, RawPeer.map(20 * PAGE, PAGE, -PAGE), memory);
        assertRefused(Wire.EINVAL, Wire.DMA_MAP, RawPeer.map(20 * PAGE, 0, 0), memory);
        assertRefused(Wire.EINVAL, Wire.DMA_MAP, RawPeer.map(20 * PAGE, -PAGE, 0), memory);
        assertRefused(Wire.EINVAL, Wire.DMA_MAP, RawPeer.map(-PAGE, PAGE, 0), memory);
        assertRefused(
                Wire.EINVAL,
                Wire.DMA_MAP,
                RawPeer.map(Long.MAX_VALUE - PAGE + 1, 2 * PAGE, 0),
                memory);
        assertRefused(Wire.EINVAL, Wire.DMA_MAP, RawPeer.map(20 * PAGE, PAGE, 0), memory, memory);
        assertRefused(Wire.EINVAL, Wire.DMA_MAP, RawPeer.map(20 * PAGE, PAGE, 0), event);
        assertEquals(3, device.memory.size());
    }

    @Example
    void onlyWhatWasMappedIsUnmapped() throws IOException {
        assertRefused(0, Wire.DMA_MAP, RawPeer.map(0, 2 * PAGE, 0), memory);
        assertRefused(Wire.ENOENT, Wire.DMA_UNMAP, RawPeer.unmap(0, PAGE, 0));
        assertRefused(Wire.ENOENT, Wire.DMA_UNMAP, RawPeer.unmap(PAGE, PAGE, 0));
        assertRefused(Wire.EINVAL, Wire.DMA_UNMAP, RawPeer.unmap(0, 2 * PAGE, 1));
        assertRefused(Wire.EINVAL, Wire.DMA_UNMAP, RawPeer.unmap(0, 2 * PAGE, Wire.UNMAP_ALL));
        assertEquals(1, device.memory.size());
        assertRefused(0, Wire.DMA_UNMAP, RawPeer.unmap(0, 2 * PAGE, 0));
        assertRefused(Wire.ENOENT, Wire.DMA_UNMAP, RawPeer.unmap(0, 2 * PAGE, 0));
        assertRefused(0, Wire.DMA_MAP, RawPeer.map(0, PAGE, 0), memory);
        assertRefused(0, Wire.DMA_MAP, RawPeer.map(PAGE, PAGE, 0));
        assertRefused(0, Wire.DMA_UNMAP, RawPeer.unmap(0, 0, Wire.UNMAP_ALL));
        assertEquals(List.of(), device.memory);
    }

    @Example
    void mapsAreLimited() throws IOException {
        int most = Capabilities.OURS.mostMaps();
        for (int i = 0; i < most; i++) {
            assertRefused(0, Wire.DMA_MAP, RawPeer.map(i * PAGE, PAGE, 0));
        }
        assertRefused(Wire.ENOSPC, Wire.DMA_MAP, RawPeer.map(most * PAGE, PAGE, 0), memory);
    }

    @Example
    void interruptsThatThereAreNotAreRefused() throws IOException {
        int trigger = Wire.SET_DATA_EVENTFD | Wire.SET_TRIGGER;
        int msix = VfioDevice.MSIX;
        int none = Wire.SET_DATA_NONE;
        for (ByteBuffer wrong :
                List.of(
                        RawPeer.irqs(trigger, msix, 40, 1),
                        RawPeer.irqs(trigger, msix, -1, 1),
                        RawPeer.irqs(trigger, msix, 1, Integer.MAX_VALUE),
                        RawPeer.irqs(trigger, msix, Integer.MAX_VALUE, 1),
                        RawPeer.irqs(trigger, msix, 0, -1),
                        RawPeer.irqs(trigger, msix, 0, 0),
                        RawPeer.irqs(trigger, VfioDevice.MSI, 0, 1),
                        RawPeer.irqs(trigger | Wire.SET_MASK, msix, 0, 1),
                        RawPeer.irqs(trigger | none, msix, 0, 1),
                        RawPeer.irqs(trigger | 0x40, msix, 0, 1),
                        RawPeer.irqs(0, msix, 0, 1),
                        RawPeer.irqs(none, msix, 0, 1),
                        RawPeer.irqs(none | Wire.SET_TRIGGER, msix, 1, 0),
                        RawPeer.irqs(none | Wire.SET_MASK, msix, 0, 0),
                        RawPeer.irqs(Wire.SET_DATA_BOOL | Wire.SET_TRIGGER, msix, 0, 3, (byte) 1),
                        RawPeer.irqs(Wire.SET_DATA_EVENTFD | Wire.SET_MASK, msix, 0, 1),
                        RawPeer.irqs(Wire.SET_DATA_EVENTFD | Wire.SET_UNMASK, msix, 1, 1))) {
            assertRefused(Wire.EINVAL, Wire.DEVICE_SET_IRQS, wrong);
        }
    }

    @Example
    void eventfdsThatDoNotFitTheVectorsAreRefused() throws IOException {
        int trigger = Wire.SET_DATA_EVENTFD | Wire.SET_TRIGGER;
        ByteBuffer three = RawPeer.irqs(trigger, VfioDevice.MSIX, 0, 3);
        assertRefused(Wire.EINVAL, Wire.DEVICE_SET_IRQS, three, event, event);
        assertRefused(Wire.EINVAL, Wire.DEVICE_SET_IRQS, three, event, event, event, event);
        assertRefused(Wire.EINVAL, Wire.DEVICE_SET_IRQS, three, event, event, memory);
        assertRefused(
                Wire.EINVAL,
                Wire.DEVICE_SET_IRQS,
                RawPeer.irqs(Wire.SET_DATA_NONE | Wire.SET_TRIGGER, VfioDevice.MSIX, 0, 1),
                event);
        assertRefused(Wire.EINVAL, Wire.DEVICE_RESET, Message.payload(0), event);
        assertRefused(0, Wire.DEVICE_SET_IRQS, three, event, event, event);
        device.wires.signal(VfioDevice.MSIX, 2);
        assertEquals(1, event.drain());
        assertEquals(0, device.resets);
    }

    @Example
    void booleansChooseAmongTheVectors() throws IOException {
        ByteBuffer two = RawPeer.irqs(Wire.SET_DATA_EVENTFD | Wire.SET_TRIGGER, 2, 0, 2);
        assertRefused(0, Wire.DEVICE_SET_IRQS, two, event, event);
        ByteBuffer second =
                RawPeer.irqs(Wire.SET_DATA_BOOL | Wire.SET_MASK, 2, 0, 2, (byte) 0, (byte) 1);
        assertRefused(0, Wire.DEVICE_SET_IRQS, second);
        ByteBuffer both = RawPeer.irqs(Wire.SET_DATA_NONE | Wire.SET_TRIGGER, 2, 0, 2);
        assertRefused(0, Wire.DEVICE_SET_IRQS, both);
        assertEquals(1, event.drain());
    }

    @Example
    void moreDescriptorsThanAgreedEndTheConnection() throws IOException {
        peer.send(
                1,
                Wire.DEVICE_SET_IRQS,
                0,
                0,
                RawPeer.irqs(Wire.SET_DATA_EVENTFD | Wire.SET_TRIGGER, 2, 0, 17),
                Collections.nCopies(17, event));
        assertLetGo();
    }

    @Example
    void sizesThatNoMessageHasEndTheConnection() throws IOException {
        for (int size : new int[] {0, 15, -1, Integer.MIN_VALUE, 16 + 16 + (1 << 20) + 1}) {
            ByteBuffer header = Message.payload(Wire.HEADER_BYTES);
            header.putShort(Wire.COMMAND, (short) Wire.DEVICE_RESET);
            header.putInt(Wire.SIZE, size);
            peer.sendRaw(header.array(), List.of(memory));
            assertLetGo();
        }
    }

    @Example
    void aMessageThatStopsHalfWayEndsTheConnection() throws IOException {
        ByteBuffer header = Message.payload(Wire.HEADER_BYTES);
        header.putShort(Wire.COMMAND, (short) Wire.DMA_MAP);
        header.putInt(Wire.SIZE, Wire.HEADER_BYTES + Wire.MAP_BYTES);
        peer.sendRaw(header.array(), List.of(memory));
        assertLetGo();
        peer.sendRaw(new byte[] {1, 2, 3}, List.of());
        assertLetGo();
        peer.sendRaw(header.array(), List.of(memory));
        peer.shutdown();
        assertLetGo();
    }

    @Example
    void whoProposesNoVersionThatIsSpokenIsLetGo() throws IOException {
        for (ByteBuffer version :
                List.of(
                        RawPeer.version(1, 0, "{}\0"),
                        RawPeer.version(0, 1, "{}"),
                        RawPeer.version(0, 1, "\0"),
                        RawPeer.version(0, 1, "[]\0"),
                        RawPeer.version(0, 1, "{\"capabilities\":{\"max_msg_fds\":0}}\0"),
                        RawPeer.version(0, 1, "{\"capabilities\":{\"max_msg_fds\":\"x\"}}\0"),
                        RawPeer.version(0, 1, "{\"capabilities\":[]}\0"),
                        RawPeer.version(0, 1, "{} x\0"),
                        RawPeer.version(0, 1, "[".repeat(100_000) + "\0"),
                        Message.payload(3))) {
            peer.close();
            peer = RawPeer.connect(path);
            peer.send(1, Wire.VERSION, 0, 0, version, List.of());
            assertLetGo();
        }
        peer.close();
        peer = RawPeer.connect(path);
        peer.send(1, Wire.DEVICE_RESET, 0, 0, Message.payload(0), List.of());
        assertLetGo();
        assertEquals(0, device.resets);
    }

    @Example
    void aVersionIsAnsweredWithNoMoreThanWasNamed() throws IOException {
        peer.close();
        peer = RawPeer.connect(path);
        Message reply =
                peer.command(
                        Wire.VERSION,
                        RawPeer.version(
                                0,
                                0,
                                "{\"capabilities\":{\"max_msg_fds\":8,\"x\":[1,{}],\"pgsizes\":4096}}\0"),
                        List.of());
        assertEquals(0, reply.payload().getShort(Wire.VERSION_MINOR));
        byte[] data = new byte[reply.payload().limit() - Wire.VERSION_DATA];
        reply.payload().get(Wire.VERSION_DATA, data);
        assertEquals(
                "{\"capabilities\":{\"max_msg_fds\":16,\"pgsizes\":4096}}\0",
                new String(data, StandardCharsets.UTF_8));
    }

    @Example
    void aReplyThatNobodyAskedForEndsTheConnection() throws IOException {
        peer.send(9, Wire.DMA_READ, Wire.TYPE_REPLY, 0, Message.payload(16), List.of(event));
        assertLetGo();
    }

    @Example
    void aClientThatDoesNotAnswerIsLetGo() throws IOException {
        peer.send(1, Wire.REGION_WRITE, 0, 0, RawPeer.store(PlainDevice.FETCH, 0), List.of());
        assertEquals(Wire.DMA_READ, peer.receive().command());
        assertLetGo();
    }

    @Example
    void aClientThatAnswersShortIsLetGo() throws IOException {
        peer.send(1, Wire.REGION_WRITE, 0, 0, RawPeer.store(PlainDevice.FETCH, 0), List.of());
        Message request = peer.receive();
        ByteBuffer reply = Message.payload(17);
        reply.putLong(Wire.DMA_COUNT, 8);
        peer.send(request.id(), Wire.DMA_READ, Wire.TYPE_REPLY, 0, reply, List.of());
        assertLetGo();
    }

    @Example
    void commandsThatComeWhileTheClientIsAskedWaitTheirTurn() throws IOException {
        peer.send(1, Wire.REGION_WRITE, 0, 0, RawPeer.store(PlainDevice.FETCH, 0), List.of());
        Message request = peer.receive();
        for (int i = 0; i < 50; i++) {
            peer.send(100 + i, Wire.REGION_READ, 0, 0, RawPeer.access(0, 0, 4), List.of());
        }
        ByteBuffer reply = Message.payload(24);
        reply.putLong(Wire.DMA_COUNT, 8);
        reply.putLong(Wire.DMA_BYTES, 4711);
        peer.send(request.id(), Wire.DMA_READ, Wire.TYPE_REPLY, 0, reply, List.of());
        assertEquals(1, peer.receive().id());
        for (int i = 0; i < 50; i++) {
            assertEquals(100 + i, peer.receive().id());
        }
    }

    @Example
    void aClientThatFloodsWhileItIsAskedIsLetGo() throws IOException {
        peer.close();
        server.close();
        server = VfioUserServer.open(path, device, Duration.ofDays(1), Duration.ofDays(1));
        peer = RawPeer.greet(path);
        peer.send(1, Wire.REGION_WRITE, 0, 0, RawPeer.store(PlainDevice.FETCH, 0), List.of());
        peer.receive();
        for (int i = 0; i < 65; i++) {
            peer.send(i, Wire.DEVICE_RESET, 0, 0, Message.payload(0), List.of());
        }
        assertLetGo();
        assertEquals(0, device.resets);
    }

    @Example
    void noReplyComesToWhoWantsNone() throws IOException {
        peer.send(3, Wire.REGION_READ, Wire.NO_REPLY, 0, RawPeer.access(9, 0, 4), List.of());
        peer.send(4, Wire.REGION_WRITE, Wire.NO_REPLY, 0, RawPeer.store(0x40, 6), List.of());
        Message reply = peer.command(Wire.REGION_READ, RawPeer.access(0, 0x40, 4), List.of());
        assertEquals(7, reply.id());
        assertEquals(6, reply.payload().getInt(Wire.ACCESS_BYTES));
    }

    @Property(tries = 150)
    void randomCommandsNeitherEndTheServerNorLeak(@ForAll long seed) throws IOException {
        Random random = new Random(seed);
        int[] lengths = {0, 4, 8, 16, 20, 24, 32, 40, 64, 300};
        for (int i = 0; i < 60; i++) {
            int command = random.nextInt(20);
            ByteBuffer payload = payload(random, lengths[random.nextInt(lengths.length)]);
            List<Fd> descriptors = new ArrayList<>();
            for (int j = random.nextInt(4); j > 0; j--) {
                descriptors.add(random.nextBoolean() ? event : memory);
            }
            int flags = random.nextInt(8) == 0 ? Wire.NO_REPLY : 0;
            peer.send(i, command, flags, 0, payload, descriptors);
            if (flags == 0) {
                try {
                    answer(i);
                } catch (EOFException | ProtocolException e) {
                    peer.close();
                    peer = RawPeer.greet(path);
                }
            }
        }
        assertRefused(0, Wire.REGION_READ, RawPeer.access(0, 0, 4));
    }

    /** Plays a client that refuses what the device asks it for, until the reply comes. */
    private void answer(int id) throws IOException {
        Message message = peer.receive();
        while (!message.isReply()) {
            peer.send(
                    message.id(),
                    message.command(),
                    Wire.TYPE_REPLY | Wire.ERROR,
                    Wire.EFAULT,
                    Message.payload(0),
                    List.of());
            message = peer.receive();
        }
        message.closeDescriptors();
        assertEquals(id, message.id());
    }

    /** Values that mean something somewhere are more likely than others. */
    private static ByteBuffer payload(Random random, int length) {
        long[] telling = {
            0,
            1,
            2,
            3,
            4,
            5,
            8,
            16,
            20,
            24,
            32,
            0x21,
            0x24,
            0x14,
            PAGE,
            2 * PAGE,
            4095,
            -1,
            Long.MAX_VALUE,
            Long.MIN_VALUE,
            Integer.MAX_VALUE,
            PlainDevice.FETCH,
            PlainDevice.STORE
        };
        ByteBuffer payload = Message.payload(length);
        while (payload.remaining() >= 4) {
            long value =
                    random.nextInt(10) == 0
                            ? random.nextLong()
                            : telling[random.nextInt(telling.length)];
            if (payload.remaining() >= 8 && random.nextBoolean()) {
                payload.putLong(value);
            } else {
                payload.putInt((int) value);
            }
        }
        return payload.clear();
    }

    @Property(tries = 150)
    void randomBytesNeitherEndTheServerNorLeak(@ForAll byte[] bytes, @ForAll boolean greeted)
            throws IOException {
        if (!greeted) {
            peer.close();
            peer = RawPeer.connect(path);
        }
        assertTrue(peer.sendRaw(bytes, List.of(memory)) || bytes.length > 0);
        peer.close();
        peer = RawPeer.greet(path);
        assertRefused(0, Wire.REGION_READ, RawPeer.access(0, 0, 4));
        assertThrows(IOException.class, () -> VfioUserServer.open(path, device));
    }
}
