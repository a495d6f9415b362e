package org.backplane.vfio.user;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.UnaryOperator;
import net.jqwik.api.lifecycle.AfterTry;
import net.jqwik.api.lifecycle.BeforeTry;
import org.backplane.linux.Fd;
import org.backplane.linux.Memfd;
import org.backplane.linux.StreamListener;
import org.backplane.linux.StreamSocket;
import org.backplane.memory.GuestMemory;
import org.backplane.memory.GuestMemory.RamBank;
import org.backplane.vfio.VfioException;
import org.junit.jupiter.api.function.Executable;

/** A client, and a server between which and it somebody changes what is said. */
abstract class Interception {
    static final long RAM = 0x8000_0000L;
    static final long BANK = 1 << 16;

    /** Enough for all that connecting says, on a busy host; servers that are silent cost it. */
    static final Duration PATIENCE = Duration.ofMillis(800);

    static final Duration FOREVER = Duration.ofHours(1);
    static final Duration SAFETY_NET = Duration.ofSeconds(30);

    /** Vectors. */
    static final int MANY = 300;

    Path folder;
    Path path;
    long openBefore;
    PlainDevice device;
    VfioUserServer server;
    GuestMemory memory;
    Memfd loot;

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
    record Passed(Message message, List<? extends Fd> descriptors) {
        static Passed on(Message message) {
            return new Passed(message, message.descriptors());
        }
    }

    /** Passes what the client says to an honest server, and what that answers, changed, back. */
    final class Middle implements AutoCloseable {
        private final StreamListener listener = StreamListener.open(path, 1);
        private final Thread thread;
        volatile IOException ended;

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

    static UnaryOperator<Passed> only(int command, UnaryOperator<Passed> change) {
        return passed -> passed.message().command() == command ? change.apply(passed) : passed;
    }

    static UnaryOperator<Passed> with(int offset, long value) {
        return passed -> {
            ByteBuffer payload = passed.message().payload();
            if (payload.limit() >= offset + 8) {
                payload.putLong(offset, value);
            }
            return passed;
        };
    }

    static Passed withPayload(Passed passed, ByteBuffer payload) {
        Message m = passed.message();
        return new Passed(
                new Message(m.id(), m.command(), m.flags(), m.errno(), payload, m.descriptors()),
                passed.descriptors());
    }

    VfioException assertNotConnected(UnaryOperator<Passed> change) throws IOException {
        try (Middle middle = new Middle(change)) {
            return assertThrows(
                    VfioException.class,
                    () -> VfioUserDevice.connect(path, memory, PATIENCE).close());
        }
    }

    StreamSocket accepted(StreamListener listener) throws IOException {
        StreamSocket socket = null;
        while (socket == null) {
            socket = listener.accept();
            Thread.onSpinWait();
        }
        return socket;
    }

    /** Passes on what a client says until it has mapped its memory. */
    void relayOnce(StreamListener listener, List<RawPeer> taken) {
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

    /** To be seen by the thread that runs it, as it ends with the other end of the connection. */
    static void assertFails(Executable call) {
        assertThrows(VfioException.class, call);
    }
}
