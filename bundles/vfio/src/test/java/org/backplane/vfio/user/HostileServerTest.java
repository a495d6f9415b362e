package org.backplane.vfio.user;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.lifecycle.AfterTry;
import net.jqwik.api.lifecycle.BeforeTry;
import org.backplane.linux.EventFd;
import org.backplane.linux.Fd;
import org.backplane.linux.Memfd;
import org.backplane.linux.StreamListener;
import org.backplane.linux.StreamSocket;
import org.backplane.memory.GuestMemory;
import org.backplane.memory.GuestMemory.RamBank;
import org.backplane.memory.MemoryChanges;
import org.backplane.memory.MemoryListener;
import org.backplane.memory.MemoryRange;
import org.backplane.vfio.VfioDevice;
import org.backplane.vfio.VfioException;
import org.junit.jupiter.api.function.Executable;

/** A client, and a server between which and it somebody changes what is said. */
class HostileServerTest {
    private static final long RAM = 0x8000_0000L;
    private static final long BANK = 1 << 16;

    /** Enough for all that connecting says, on a busy host; servers that are silent cost it. */
    private static final Duration PATIENCE = Duration.ofMillis(800);

    private static final Duration FOREVER = Duration.ofHours(1);
    private static final Duration SAFETY_NET = Duration.ofSeconds(30);

    /** Vectors. */
    private static final int MANY = 300;

    private Path folder;
    private Path path;
    private long openBefore;
    private PlainDevice device;
    private VfioUserServer server;
    private GuestMemory memory;
    private Memfd loot;

    @BeforeTry
    void serve() throws IOException {
        folder = Files.createTempDirectory("hostile");
        path = folder.resolve("device");
        openBefore = HostileClientTest.openDescriptors();
        device = new PlainDevice();
        server = VfioUserServer.open(folder.resolve("honest"), device);
        memory = new GuestMemory("ram", List.of(new RamBank(RAM, BANK)));
        loot = Memfd.create("loot", 1 << 16);
    }

    @AfterTry
    void nothingLeaks() throws IOException {
        server.close();
        device.close();
        memory.close();
        loot.close();
        assertEquals(openBefore, HostileClientTest.openDescriptors());
        Files.deleteIfExists(path);
        Files.delete(folder);
    }

    /** A message as the one in the middle passes it on; null: not at all. */
    private record Passed(Message message, List<? extends Fd> descriptors) {
        static Passed on(Message message) {
            return new Passed(message, message.descriptors());
        }
    }

    /** Passes what the client says to an honest server, and what that answers, changed, back. */
    private final class Middle implements AutoCloseable {
        private final StreamListener listener = StreamListener.open(path, 1);
        private final Thread thread;
        private volatile IOException ended;

        Middle(UnaryOperator<Passed> change) throws IOException {
            this(UnaryOperator.identity(), change);
        }

        Middle(UnaryOperator<Passed> commands, UnaryOperator<Passed> replies) throws IOException {
            thread = new Thread(() -> run(commands, replies), "middle");
            thread.start();
        }

        private void run(UnaryOperator<Passed> commands, UnaryOperator<Passed> replies) {
            StreamSocket socket = null;
            while (socket == null && listener.isOpen()) {
                try {
                    socket = listener.accept();
                } catch (IOException e) {
                    return;
                }
                Thread.onSpinWait();
            }
            if (socket == null) {
                return;
            }
            try (RawPeer client = new RawPeer(socket);
                    RawPeer honest = RawPeer.connect(server.path())) {
                while (true) {
                    Message command = client.receive();
                    pass(command, commands.apply(Passed.on(command)), honest);
                    Message reply = honest.receive();
                    while (!reply.isReply()) {
                        pass(reply, Passed.on(reply), client);
                        Message answer = client.receive();
                        pass(answer, Passed.on(answer), honest);
                        reply = honest.receive();
                    }
                    pass(reply, replies.apply(Passed.on(reply)), client);
                }
            } catch (IOException e) {
                // The client has had enough, or has closed.
                ended = e;
            }
        }

        private void pass(Message came, Passed passed, RawPeer to) throws IOException {
            try {
                if (passed != null) {
                    Message message = passed.message();
                    to.send(
                            message.id(),
                            message.command(),
                            message.flags(),
                            message.errno(),
                            message.payload(),
                            passed.descriptors());
                }
            } finally {
                came.closeDescriptors();
            }
        }

        @Override
        public void close() {
            listener.close();
            try {
                thread.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static UnaryOperator<Passed> only(int command, UnaryOperator<Passed> change) {
        return passed -> passed.message().command() == command ? change.apply(passed) : passed;
    }

    private static UnaryOperator<Passed> with(int offset, long value) {
        return passed -> {
            ByteBuffer payload = passed.message().payload();
            if (payload.limit() >= offset + 8) {
                payload.putLong(offset, value);
            }
            return passed;
        };
    }

    private static Passed withPayload(Passed passed, ByteBuffer payload) {
        Message m = passed.message();
        return new Passed(
                new Message(m.id(), m.command(), m.flags(), m.errno(), payload, m.descriptors()),
                passed.descriptors());
    }

    private VfioException assertNotConnected(UnaryOperator<Passed> change) throws IOException {
        try (Middle middle = new Middle(change)) {
            return assertThrows(
                    VfioException.class,
                    () -> VfioUserDevice.connect(path, memory, PATIENCE).close());
        }
    }

    /** The access fails, and nothing works any more. */
    private void assertGone(UnaryOperator<Passed> change) throws IOException {
        try (Middle middle = new Middle(change);
                VfioUserDevice client = VfioUserDevice.connect(path, memory, PATIENCE)) {
            assertThrows(VfioException.class, () -> client.read(0, 8, 4));
            assertThrows(VfioException.class, () -> client.write(0, 8, 4, 0));
            assertFalse(client.attend());
        }
    }

    @Example
    void anHonestOneInTheMiddleChangesNothing() throws IOException {
        try (Middle middle = new Middle(UnaryOperator.identity());
                VfioUserDevice client = VfioUserDevice.connect(path, memory, PATIENCE)) {
            client.write(0, 8, 4, 9);
            assertEquals(9, client.read(0, 8, 4));
            client.write(0, PlainDevice.STORE, 8, RAM + 16);
            client.close();
            middle.close();
            assertTrue(middle.ended instanceof EOFException, String.valueOf(middle.ended));
        }
    }

    @Example
    void wrongVersionsAreNotTaken() throws IOException {
        for (ByteBuffer version :
                List.of(
                        RawPeer.version(1, 0, "{}\0"),
                        RawPeer.version(0, 2, "{}\0"),
                        RawPeer.version(0, 1, "{"),
                        RawPeer.version(0, 1, "{\"capabilities\":{\"max_msg_fds\":-1}}\0"),
                        RawPeer.version(0, 1, "{\"capabilities\":{},\"capabilities\":{}}\0"),
                        Message.payload(2))) {
            assertNotConnected(only(Wire.VERSION, passed -> withPayload(passed, version)));
        }
    }

    @Example
    void aServerThatDoesNotGreetMayHaveAnotherClient() throws IOException {
        VfioException failure = assertNotConnected(only(Wire.VERSION, passed -> null));
        assertEquals(
                "The device at '%s' cannot be used: no reply to command 1 came within the 800 ms that an operation has; another machine may be using it, and most servers have one client at a time: unplug it there, or start another server."
                        .formatted(path),
                failure.getMessage());
    }

    @Example
    void whatIsWrongWithAServerIsSaidWithWhatHelps() throws IOException {
        VfioException version =
                assertNotConnected(
                        only(
                                Wire.VERSION,
                                passed -> withPayload(passed, RawPeer.version(1, 0, "{}\0"))));
        assertEquals(
                "The device at '%s' cannot be used: version 1.0 was answered to a proposal of 0.1; mend its server, or start another."
                        .formatted(path),
                version.getMessage());
        VfioException silent = assertNotConnected(only(Wire.DEVICE_GET_INFO, passed -> null));
        assertTrue(silent.getMessage().contains("see what its server says"), silent.getMessage());
        try (Middle middle = new Middle(only(Wire.REGION_READ, passed -> null));
                VfioUserDevice client = VfioUserDevice.connect(path, memory, PATIENCE)) {
            String gone =
                    assertThrows(VfioException.class, () -> client.read(0, 8, 4)).getMessage();
            assertEquals(
                    "The device at '%s' is gone: no reply to command %d came within the 800 ms that an operation has; it is looked for until its server is back."
                            .formatted(path, Wire.REGION_READ),
                    gone);
            // Who comes later hears no less.
            assertEquals(
                    gone, assertThrows(VfioException.class, () -> client.reset()).getMessage());
        }
    }

    /** The reply comes, but not soon: five of them take as long as an operation may. */
    private static Passed late(Passed passed) {
        long until = System.nanoTime() + PATIENCE.toNanos() / 5;
        while (System.nanoTime() < until) {
            Thread.onSpinWait();
        }
        return passed;
    }

    @Example
    void aServerThatIsLateWithEveryReplyIsNotTaken() throws IOException {
        VfioException failure = assertNotConnected(HostileServerTest::late);
        assertTrue(
                failure.getMessage().contains("within the 800 ms that an operation has"),
                failure.getMessage());
    }

    @Example
    void anOperationOfManyMessagesHasTheTimeOfOne() throws IOException {
        UnaryOperator<Passed> replies =
                passed ->
                        switch (passed.message().command()) {
                            case Wire.VERSION ->
                                    withPayload(
                                            passed,
                                            RawPeer.version(
                                                    0,
                                                    1,
                                                    "{\"capabilities\":{\"max_msg_fds\":1}}\0"));
                            case Wire.DEVICE_SET_IRQS -> late(passed);
                            default -> passed;
                        };
        try (Middle middle = new Middle(replies);
                EventFd event = EventFd.open();
                VfioUserDevice client = VfioUserDevice.connect(path, memory, PATIENCE)) {
            List<Optional<EventFd>> ten = Collections.nCopies(10, Optional.of(event));
            assertThrows(VfioException.class, () -> client.trigger(VfioDevice.MSIX, 0, ten));
            assertFalse(client.attend());
        }
    }

    @Example
    void whoWaitsForOthersHasNoMoreTimeThanThey() throws Exception {
        var begin = new CountDownLatch(1);
        var failed = new AtomicInteger();
        try (Middle middle = new Middle(only(Wire.REGION_READ, HostileServerTest::late));
                VfioUserDevice client = VfioUserDevice.connect(path, memory, PATIENCE)) {
            List<Thread> readers = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                Thread reader = new Thread(() -> readFrom(client, begin, failed));
                reader.start();
                readers.add(reader);
            }
            begin.countDown();
            for (Thread reader : readers) {
                reader.join();
            }
            assertTrue(failed.get() > 0, "all waited for all");
            assertFalse(client.attend());
        }
    }

    private static void readFrom(
            VfioUserDevice client, CountDownLatch begin, AtomicInteger failed) {
        try {
            begin.await();
            client.read(0, 8, 4);
        } catch (VfioException | InterruptedException e) {
            failed.incrementAndGet();
        }
    }

    private StreamSocket accepted(StreamListener listener) throws IOException {
        StreamSocket socket = null;
        while (socket == null) {
            socket = listener.accept();
            Thread.onSpinWait();
        }
        return socket;
    }

    /** Or it would never be gone, if it asked without end. */
    @Example
    void aServerThatAsksGainsNoTimeByThat() throws IOException {
        try (StreamListener listener = StreamListener.open(path, 1);
                ClientConnection connection = ClientConnection.open(path, new GuestRanges());
                RawPeer asking = new RawPeer(accepted(listener))) {
            asking.send(5, Wire.DMA_READ, 0, 0, Message.payload(Wire.DMA_BYTES), List.of());
            ByteBuffer version = RawPeer.version(0, 1, "{}\0");
            asking.send(1, Wire.VERSION, Wire.TYPE_REPLY, 0, version, List.of());
            Deadline passed = new Deadline(System.nanoTime() - 1, PATIENCE);
            VfioException failure =
                    assertThrows(VfioException.class, () -> connection.agree(passed));
            assertTrue(failure.getMessage().contains("no reply"), failure.getMessage());
        }
    }

    @Example
    void whatAServerAsksForWaitsWhenTheTimeIsNearlyOver() throws IOException {
        try (StreamListener listener = StreamListener.open(path, 1);
                ClientConnection connection = ClientConnection.open(path, new GuestRanges());
                RawPeer asking = new RawPeer(accepted(listener))) {
            asking.send(5, Wire.DMA_READ, 0, 0, Message.payload(Wire.DMA_BYTES), List.of());
            long third = FOREVER.toNanos() / 3;
            assertTrue(connection.attend(new Deadline(System.nanoTime() + third, FOREVER)));
            assertFalse(asking.hasMore());
            assertTrue(connection.attend(Deadline.in(FOREVER)));
            assertEquals(5, asking.receive().id());
        }
    }

    @Example
    void aRelativePathIsToldWhole() {
        VfioException failure =
                assertThrows(
                        VfioException.class,
                        () -> VfioUserDevice.connect(Path.of("no.sock"), memory));
        assertTrue(
                failure.getMessage().endsWith("'" + Path.of("no.sock").toAbsolutePath() + "'."),
                failure.getMessage());
    }

    @Example
    void aDeviceThatIsNoPciDeviceIsNotTaken() throws IOException {
        VfioException failure =
                assertNotConnected(only(Wire.DEVICE_GET_INFO, with(Wire.INFO_FLAGS, 0)));
        assertTrue(failure.getMessage().contains("no PCI device"), failure.getMessage());
    }

    @Example
    void moreRegionsAndInterruptsThanThereAreIndexesAreNotAskedFor() throws IOException {
        try (Middle middle = new Middle(only(Wire.DEVICE_GET_INFO, with(Wire.INFO_REGIONS, -1)));
                VfioUserDevice client = VfioUserDevice.connect(path, memory, PATIENCE)) {
            assertEquals(4096, client.region(0).size());
        }
    }

    @Example
    void regionsThatContradictThemselvesAreNotTaken() throws IOException {
        int region = Wire.DEVICE_GET_REGION_INFO;
        for (UnaryOperator<Passed> change :
                List.of(
                        with(Wire.REGION_INDEX, 5),
                        with(Wire.REGION_SIZE, -1),
                        with(Wire.REGION_OFFSET, -4096),
                        with(Wire.REGION_OFFSET, Long.MAX_VALUE - 100),
                        with(Wire.ARGSZ, 1L << 60 | 100_000),
                        with(Wire.REGION_BYTES + Wire.CAP_ID, 32L << 32 | 1),
                        with(Wire.REGION_BYTES + Wire.CAP_ID, 1L << 62 | 1),
                        with(Wire.REGION_BYTES + Wire.CAP_ID, 33L << 32 | 1),
                        with(Wire.REGION_BYTES + Wire.SPARSE_COUNT, -1),
                        with(Wire.REGION_BYTES + Wire.SPARSE_COUNT, 2),
                        with(Wire.REGION_BYTES + Wire.SPARSE_AREAS, 8193),
                        with(Wire.REGION_BYTES + Wire.SPARSE_AREAS, -1),
                        with(Wire.REGION_BYTES + Wire.SPARSE_AREAS + 8, 8193),
                        with(Wire.REGION_BYTES + Wire.SPARSE_AREAS + 8, -1))) {
            assertNotConnected(
                    only(
                            region,
                            passed ->
                                    passed.message().payload().getInt(Wire.REGION_INDEX) == 2
                                            ? change.apply(passed)
                                            : passed));
        }
    }

    @Example
    void descriptorsThatWereNotAskedForAreClosed() throws IOException {
        for (int command :
                new int[] {Wire.VERSION, Wire.DEVICE_GET_INFO, Wire.DEVICE_GET_IRQ_INFO}) {
            assertNotConnected(
                    only(command, passed -> new Passed(passed.message(), List.of(loot))));
        }
        assertNotConnected(
                only(
                        Wire.DEVICE_GET_REGION_INFO,
                        passed -> new Passed(passed.message(), List.of(loot, loot))));
        assertNotConnected(
                only(
                        Wire.DEVICE_GET_REGION_INFO,
                        passed -> new Passed(passed.message(), Collections.nCopies(17, loot))));
        assertGone(only(Wire.REGION_READ, passed -> new Passed(passed.message(), List.of(loot))));
    }

    @Example
    void repliesThatAreLateForeignOrShortEndTheConnection() throws IOException {
        assertGone(only(Wire.REGION_READ, passed -> null));
        assertGone(
                only(
                        Wire.REGION_READ,
                        passed ->
                                withPayload(passed, passed.message().payload().limit(19).slice())));
        assertGone(only(Wire.REGION_READ, with(Wire.ACCESS_REGION, 8L << 32)));
        assertGone(
                only(
                        Wire.REGION_READ,
                        passed -> {
                            Message m = passed.message();
                            return Passed.on(
                                    new Message(
                                            m.id() ^ 1,
                                            m.command(),
                                            m.flags(),
                                            0,
                                            m.payload(),
                                            List.of()));
                        }));
        assertGone(
                only(
                        Wire.REGION_READ,
                        passed -> {
                            Message m = passed.message();
                            return Passed.on(
                                    new Message(
                                            m.id(),
                                            Wire.REGION_WRITE,
                                            m.flags(),
                                            0,
                                            m.payload(),
                                            List.of()));
                        }));
    }

    @Example
    void aReplyThatNobodyWaitsForEndsTheConnection() throws Exception {
        try (StreamListener listener = StreamListener.open(path, 1)) {
            List<RawPeer> taken = new ArrayList<>();
            Thread thread = new Thread(() -> relayOnce(listener, taken));
            thread.start();
            try (VfioUserDevice client = VfioUserDevice.connect(path, memory, PATIENCE)) {
                thread.join();
                taken.get(0)
                        .send(1, Wire.DMA_MAP, Wire.TYPE_REPLY, 0, Message.payload(0), List.of());
                assertFalse(client.attend());
            } finally {
                taken.forEach(RawPeer::close);
            }
        }
    }

    /** Passes on what a client says until it has mapped its memory. */
    private void relayOnce(StreamListener listener, List<RawPeer> taken) {
        try (RawPeer honest = RawPeer.connect(server.path())) {
            RawPeer client = new RawPeer(accepted(listener));
            taken.add(client);
            int command = 0;
            while (command != Wire.DMA_MAP) {
                Message message = client.receive();
                command = message.command();
                Message reply = honest.command(command, message.payload(), message.descriptors());
                client.send(
                        message.id(),
                        command,
                        reply.flags(),
                        reply.errno(),
                        reply.payload(),
                        reply.descriptors());
                message.closeDescriptors();
                reply.closeDescriptors();
            }
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @Example
    void whatAServerAsksForBeyondTheGuestsMemoryIsRefused() throws Exception {
        try (StreamListener listener = StreamListener.open(path, 1)) {
            List<RawPeer> taken = new ArrayList<>();
            Thread thread = new Thread(() -> relayOnce(listener, taken));
            thread.start();
            try (VfioUserDevice client = VfioUserDevice.connect(path, memory, PATIENCE)) {
                thread.join();
                RawPeer asking = taken.get(0);
                assertEquals(0, ask(client, asking, Wire.DMA_READ, RAM, BANK, 0));
                assertEquals(Wire.EFAULT, ask(client, asking, Wire.DMA_READ, RAM, BANK + 1, 0));
                assertEquals(Wire.EFAULT, ask(client, asking, Wire.DMA_READ, RAM - 1, 1, 0));
                assertEquals(Wire.EFAULT, ask(client, asking, Wire.DMA_READ, -1, 8, 0));
                assertEquals(
                        Wire.EFAULT, ask(client, asking, Wire.DMA_WRITE, Long.MAX_VALUE, 8, 8));
                assertEquals(Wire.EINVAL, ask(client, asking, Wire.DMA_READ, RAM, 0, 0));
                assertEquals(Wire.EINVAL, ask(client, asking, Wire.DMA_READ, RAM, -1, 0));
                assertEquals(Wire.EINVAL, ask(client, asking, Wire.DMA_READ, RAM, 1 << 21, 0));
                assertEquals(Wire.EINVAL, ask(client, asking, Wire.DMA_READ, RAM, 8, 8));
                assertEquals(Wire.EINVAL, ask(client, asking, Wire.DMA_WRITE, RAM, 8, 7));
                assertEquals(Wire.EINVAL, ask(client, asking, Wire.DMA_WRITE, RAM, 1L << 32, 8));
                assertEquals(Wire.EOPNOTSUPP, ask(client, asking, Wire.DMA_MAP, RAM, 8, 8));
                assertEquals(0, ask(client, asking, Wire.DMA_WRITE, RAM + BANK - 8, 8, 8));
            } finally {
                taken.forEach(RawPeer::close);
            }
        }
    }

    private int ask(
            VfioUserDevice client, RawPeer asking, int command, long address, long count, int data)
            throws IOException {
        ByteBuffer payload = Message.payload(Wire.DMA_BYTES + data);
        payload.putLong(Wire.DMA_ADDRESS, address);
        payload.putLong(Wire.DMA_COUNT, count);
        asking.send(5, command, 0, 0, payload, List.of(loot));
        assertTrue(client.attend());
        Message reply = asking.receive();
        reply.closeDescriptors();
        return reply.isError() ? reply.errno() : 0;
    }

    @Example
    void memoryThatTheServerRefusesIsTold() throws IOException {
        VfioException failure =
                assertNotConnected(
                        only(
                                Wire.DMA_MAP,
                                passed -> {
                                    Message m = passed.message();
                                    return Passed.on(
                                            new Message(
                                                    m.id(),
                                                    m.command(),
                                                    m.flags() | Wire.ERROR,
                                                    Wire.ENOSPC,
                                                    Message.payload(0),
                                                    List.of()));
                                }));
        assertTrue(failure.getMessage().contains("refuses"), failure.getMessage());
    }

    @Property(tries = 120)
    void randomChangesOfRepliesNeitherHangNorLeak(@ForAll long seed) throws IOException {
        Random random = new Random(seed);
        int left = random.nextInt(25);
        int[] countdown = {left};
        UnaryOperator<Passed> change =
                passed -> {
                    if (--countdown[0] >= 0) {
                        return passed;
                    }
                    return mutate(random, passed);
                };
        try (EventFd event = EventFd.open();
                Middle middle = new Middle(change)) {
            VfioUserDevice client;
            try {
                client = VfioUserDevice.connect(path, memory, PATIENCE);
            } catch (VfioException e) {
                return;
            }
            try (client) {
                exercise(client, event);
            }
        }
    }

    private static void exercise(VfioUserDevice client, EventFd event) {
        for (int i = 0; i < 8; i++) {
            try {
                client.write(0, PlainDevice.STORE, 8, RAM + 8);
                client.read(0, 8, 4);
                client.trigger(VfioDevice.MSIX, 0, List.of(Optional.of(event)));
                client.reset();
            } catch (VfioException e) {
                // As often as it likes; what counts is that it ends.
                assertFalse(e.getMessage().isEmpty());
            }
        }
    }

    private Passed mutate(Random random, Passed passed) {
        Message m = passed.message();
        ByteBuffer payload = m.payload();
        int limit = payload.limit();
        return switch (random.nextInt(7)) {
            case 0 -> withPayload(passed, payload.limit(random.nextInt(limit + 1)).slice());
            case 1 -> withPayload(passed, Message.payload(random.nextInt(5000)));
            case 2 ->
                    Passed.on(
                            new Message(
                                    m.id(),
                                    random.nextInt(20),
                                    m.flags(),
                                    0,
                                    payload,
                                    m.descriptors()));
            case 3 ->
                    Passed.on(
                            new Message(
                                    m.id(),
                                    m.command(),
                                    random.nextInt(64),
                                    random.nextInt(),
                                    payload,
                                    m.descriptors()));
            case 4 -> new Passed(m, Collections.nCopies(random.nextInt(4), loot));
            default -> {
                for (int i = 0; i < 3 && limit > 0; i++) {
                    payload.put(random.nextInt(limit), (byte) random.nextInt());
                }
                yield passed;
            }
        };
    }

    @Example
    void aRangeThatGoesWhileTheServerIsSilentDoesNotHoldTheMemoryUp() throws IOException {
        Ram ram = new Ram(memory);
        try (Middle middle = new Middle(only(Wire.DMA_UNMAP, passed -> null));
                VfioUserDevice client = VfioUserDevice.connect(path, ram, PATIENCE)) {
            ram.listener.removed(memory.layout().ranges().get(0));
            assertThrows(VfioException.class, () -> client.read(0, 8, 4));
        }
    }

    @Example
    void aBarThatMovesWhileTheServerIsSilentWaitsForNobody() throws Exception {
        Ram ram = new Ram(memory);
        MemoryRange ofRam = memory.layout().ranges().get(0);
        var bar =
                new MemoryRange(
                        RAM + BANK,
                        4096,
                        ofRam.hostAddress(),
                        ofRam.descriptor(),
                        0,
                        MemoryRange.Kind.DEVICE,
                        true);
        var asked = new CountDownLatch(1);
        UnaryOperator<Passed> silent =
                passed -> {
                    asked.countDown();
                    return null;
                };
        try (Middle middle = new Middle(only(Wire.REGION_READ, silent));
                VfioUserDevice client = VfioUserDevice.connect(path, ram, FOREVER)) {
            Thread reader = new Thread(() -> assertFails(() -> client.read(0, 8, 4)));
            reader.start();
            asked.await();
            MemoryListener listener = ram.listener;
            assertTimeoutPreemptively(
                    SAFETY_NET,
                    () -> {
                        listener.added(bar);
                        listener.removed(bar);
                    });
            client.close();
            reader.join();
        }
    }

    @Example
    void closingEndsAReconnectThatTheServerDoesNotAnswer() throws Exception {
        List<RawPeer> taken = new ArrayList<>();
        try (StreamListener listener = StreamListener.open(path, 1)) {
            Thread first = new Thread(() -> relayOnce(listener, taken));
            first.start();
            VfioUserDevice client = VfioUserDevice.connect(path, memory, FOREVER);
            first.join();
            taken.remove(0).close();
            assertFalse(client.attend());
            Thread again = new Thread(() -> assertFails(client::reconnect));
            again.start();
            try (RawPeer silent = new RawPeer(accepted(listener))) {
                assertEquals(Wire.VERSION, silent.receive().command());
                assertTimeoutPreemptively(SAFETY_NET, client::close);
                again.join();
            }
            assertThrows(VfioException.class, client::reconnect);
        }
    }

    /** To be seen by the thread that runs it, as it ends with the other end of the connection. */
    private static void assertFails(Executable call) {
        assertThrows(VfioException.class, call);
    }

    @Example
    void aServerThatTakesMoreDescriptorsThanASocketDoesGetsThemInPieces() throws IOException {
        List<Integer> counts = Collections.synchronizedList(new ArrayList<>());
        UnaryOperator<Passed> commands =
                only(
                        Wire.DEVICE_SET_IRQS,
                        passed -> {
                            counts.add(passed.descriptors().size());
                            // The honest one has one vector, and sees that switched off.
                            ByteBuffer off =
                                    RawPeer.irqs(
                                            Wire.SET_DATA_NONE | Wire.SET_TRIGGER,
                                            VfioDevice.MSIX,
                                            0,
                                            0);
                            return new Passed(withPayload(passed, off).message(), List.of());
                        });
        UnaryOperator<Passed> replies =
                passed ->
                        switch (passed.message().command()) {
                            case Wire.VERSION ->
                                    withPayload(
                                            passed,
                                            RawPeer.version(
                                                    0,
                                                    1,
                                                    "{\"capabilities\":{\"max_msg_fds\":1024}}\0"));
                            case Wire.DEVICE_GET_IRQ_INFO -> {
                                passed.message().payload().putInt(Wire.IRQ_COUNT, MANY);
                                yield passed;
                            }
                            default -> passed;
                        };
        try (Middle middle = new Middle(commands, replies);
                EventFd event = EventFd.open();
                VfioUserDevice client = VfioUserDevice.connect(path, memory, PATIENCE)) {
            client.trigger(VfioDevice.MSIX, 0, Collections.nCopies(MANY, Optional.of(event)));
            assertEquals(
                    List.of(StreamSocket.MOST_DESCRIPTORS, MANY - StreamSocket.MOST_DESCRIPTORS),
                    counts);
        }
    }

    /** Passes changes on by hand. */
    private static final class Ram implements MemoryChanges {
        private final GuestMemory memory;
        private MemoryListener listener;

        Ram(GuestMemory memory) {
            this.memory = memory;
        }

        @Override
        public void addListener(MemoryListener added) {
            listener = added;
            memory.layout().ranges().forEach(added::added);
        }

        @Override
        public void removeListener(MemoryListener removed) {
            listener = null;
        }

        @Override
        public PageHold holdPages() {
            return memory.holdPages();
        }
    }
}
