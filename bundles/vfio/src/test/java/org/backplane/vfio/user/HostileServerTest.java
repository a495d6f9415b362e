package org.backplane.vfio.user;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.UnaryOperator;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.backplane.linux.EventFd;
import org.backplane.linux.StreamListener;
import org.backplane.linux.StreamSocket;
import org.backplane.vfio.VfioDevice;
import org.backplane.vfio.VfioException;

/** Servers that say what no server may. */
class HostileServerTest extends Interception {
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
                "The device at '%s' cannot be used: no reply to VFIO_USER_VERSION (command 1) came within the 800 ms that an operation has; another machine may be using it, and most servers have one client at a time: unplug it there, or start another server."
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
                    "The device at '%s' is gone: no reply to VFIO_USER_REGION_READ (command 9) came within the 800 ms that an operation has; see what its server says, and start it again: a slot that has the device finds it then."
                            .formatted(path),
                    gone);
            // Who comes later hears no less.
            assertEquals(
                    gone, assertThrows(VfioException.class, () -> client.reset()).getMessage());
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
        assertEquals(
                "The device at '%s' is no PCI device, and only those can be in a slot; give the socket of another server."
                        .formatted(path),
                failure.getMessage());
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
        for (int command : new int[] {Wire.VERSION, Wire.DEVICE_GET_REGION_INFO}) {
            VfioException many =
                    assertNotConnected(
                            only(
                                    command,
                                    passed ->
                                            new Passed(
                                                    passed.message(),
                                                    Collections.nCopies(60, loot))));
            assertEquals(
                    "The device at '%s' cannot be used: the peer at '%s' sent a message with more than the %d descriptors that were agreed on; mend its server, or start another."
                            .formatted(path, path, Capabilities.OURS.mostDescriptors()),
                    many.getMessage());
        }
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

    /** The server's number 900 is no number of the client's. */
    @Example
    void aServerThatAnswersWhatItIsAnsweredIsToldSo() throws IOException {
        try (StreamListener listener = StreamListener.open(path, 1);
                ClientConnection connection = ClientConnection.open(path, new GuestRanges());
                RawPeer asking = new RawPeer(accepted(listener))) {
            ByteBuffer tooMuch = Message.payload(Wire.DMA_BYTES);
            tooMuch.putLong(Wire.DMA_ADDRESS, RAM);
            tooMuch.putLong(Wire.DMA_COUNT, 0xffff_ffffL);
            asking.send(900, Wire.DMA_READ, Wire.TYPE_COMMAND, 0, tooMuch, List.of());
            ByteBuffer version = RawPeer.version(0, 1, "{}\0");
            asking.send(1, Wire.VERSION, Wire.TYPE_REPLY, 0, version, List.of());
            connection.agree(Deadline.in(FOREVER));
            assertEquals(Wire.VERSION, asking.receive().command());
            Message refused = asking.receive();
            assertEquals(900, refused.id());
            assertEquals(Wire.EINVAL, refused.errno());
            asking.send(900, Wire.DMA_READ, Wire.TYPE_REPLY, 0, Message.payload(0), List.of());
            VfioException failure =
                    assertThrows(
                            VfioException.class,
                            () ->
                                    connection.request(
                                            Deadline.in(FOREVER),
                                            Wire.DEVICE_RESET,
                                            Message.payload(0),
                                            List.of(),
                                            0));
            assertEquals(
                    "The device at '%s' cannot be used: a reply to VFIO_USER_DMA_READ (command 11), number 900, came from the server, which alone sends that command: a client's reply to it is not to be answered; mend its server, or start another."
                            .formatted(path),
                    failure.getMessage());
        }
    }

    @Example
    void aCommandThatIsRefusedIsNamedWithWhatHelps() throws IOException {
        VfioException failure =
                assertNotConnected(
                        only(
                                Wire.DMA_MAP,
                                passed ->
                                        Passed.on(
                                                new Message(
                                                        passed.message().id(),
                                                        Wire.DMA_MAP,
                                                        Wire.TYPE_REPLY | Wire.ERROR,
                                                        Wire.EIO,
                                                        Message.payload(0),
                                                        List.of()))));
        assertEquals(
                "The device at '%s' refuses VFIO_USER_DMA_MAP (command 2): Input/output error (errno 5); see what its server says, and mend that, or start another."
                        .formatted(path),
                failure.getMessage());
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
}
