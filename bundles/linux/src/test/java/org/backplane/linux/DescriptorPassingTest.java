package org.backplane.linux;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.backplane.linux.libc.Abi;
import org.backplane.linux.libc.Host;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class DescriptorPassingTest {
    @TempDir Path folder;

    private StreamListener listener;
    private StreamSocket near;
    private StreamSocket far;
    private final List<Fd> received = new ArrayList<>();

    @BeforeEach
    void connect() throws IOException {
        Path path = folder.resolve("socket");
        listener = StreamListener.open(path, 1);
        near = StreamSocket.connect(path);
        far = listener.accept();
    }

    @AfterEach
    void close() {
        received.forEach(Fd::close);
        near.close();
        far.close();
        listener.close();
    }

    private static IoVec vector(ByteBuffer buffer) {
        IoVec vector = new IoVec(1);
        vector.add(Host.address(buffer), buffer.capacity());
        return vector;
    }

    private long send(int bytes, List<? extends Fd> descriptors) throws IOException {
        ByteBuffer buffer = Host.buffer(bytes);
        for (int i = 0; i < bytes; i++) {
            buffer.put(i, (byte) i);
        }
        return near.send(vector(buffer), descriptors);
    }

    private byte[] receive(int bytes, int most) throws IOException {
        ByteBuffer buffer = Host.buffer(bytes);
        long count = far.receive(vector(buffer), received, most);
        byte[] content = new byte[(int) Math.max(0, count)];
        buffer.get(0, content);
        return content;
    }

    @Test
    void descriptorsArriveWithTheirBytesAndReachTheSameFile() throws IOException {
        try (Memfd first = Memfd.create("first", 4096);
                EventFd second = EventFd.open()) {
            assertEquals(5, send(5, List.of(first, second)));
            assertArrayEquals(new byte[] {0, 1, 2, 3, 4}, receive(16, 2));
            assertEquals(2, received.size());
            ByteBuffer word = Host.buffer(8).putLong(0, 0x1122334455667788L);
            received.get(0).pwrite(Host.address(word), 8, 8);
            ByteBuffer back = Host.buffer(8);
            first.pread(Host.address(back), 8, 8);
            assertEquals(0x1122334455667788L, back.getLong(0));
            try (EventFd adopted = EventFd.adopt(received.get(1))) {
                assertFalse(received.get(1).isOpen());
                adopted.signal();
                assertEquals(1, second.drain());
            }
        }
    }

    @Test
    void anEventfdThatItsGiverFilledAndMadeBlockingHoldsNobodyUp() throws IOException {
        try (EventFd given = EventFd.open()) {
            send(1, List.of(given));
            receive(1, 1);
            try (EventFd adopted = EventFd.adopt(received.get(0))) {
                int flags = Host.LIBC.fcntl(given.number(), Abi.F_GETFL, 0);
                Host.LIBC.fcntl(given.number(), Abi.F_SETFL, flags & ~Abi.O_NONBLOCK);
                Host.LIBC.eventfd_write(given.number(), -2);
                adopted.signal();
                assertEquals(-2, given.drain());
                adopted.signal();
                assertEquals(1, given.drain());
            }
        }
    }

    @Test
    void receivedDescriptorsAreClosedOnExec() throws IOException {
        try (Memfd memory = Memfd.create("m", 4096)) {
            send(1, List.of(memory));
            receive(1, 1);
        }
        Path info = Path.of("/proc/self/fdinfo/" + received.get(0).number());
        String flags =
                Files.readAllLines(info).stream()
                        .filter(line -> line.startsWith("flags:"))
                        .findFirst()
                        .orElseThrow();
        long bits = Long.parseLong(flags.replace("flags:", "").trim(), 8);
        assertTrue((bits & Abi.O_CLOEXEC) != 0, flags);
    }

    @Test
    void aReceiveEndsBehindTheBytesThatCameWithDescriptors() throws IOException {
        try (EventFd event = EventFd.open()) {
            send(3, List.of(event));
            send(2, List.of());
            send(4, List.of(event));
            assertEquals(3, receive(16, 4).length);
            assertEquals(1, received.size());
            assertEquals(6, receive(16, 4).length);
            assertEquals(2, received.size());
        }
    }

    @Test
    void moreDescriptorsThanExpectedAreAnErrorAndNoneStaysOpen() throws IOException {
        for (int sent = 1; sent <= 6; sent++) {
            int most = sent - 1;
            try (Memfd memory = Memfd.create("left-over", 4096)) {
                long before = OpenDescriptors.naming("left-over");
                send(1, Collections.nCopies(sent, memory));
                LinuxException failure =
                        assertThrows(LinuxException.class, () -> receive(16, most));
                assertEquals(Abi.EMSGSIZE, failure.errno());
                assertEquals(List.of(), received);
                assertEquals(before, OpenDescriptors.naming("left-over"));
            }
        }
    }

    /** Nothing is wrong with the peer then, as it is with one that sends too many. */
    @Test
    void descriptorsThatThisProcessMayNotHaveOpenAreAnErrorOfTheirOwn() throws IOException {
        try (Memfd memory = Memfd.create("left-over", 4096)) {
            Executable receive = () -> receive(16, 4);
            // Loads what is needed for an error while files can be opened.
            send(1, Collections.nCopies(5, memory));
            assertThrows(LinuxException.class, receive);
            send(1, List.of(memory, memory));
            OpenFileLimit before = OpenFileLimit.ofThisProcess();
            LinuxException failure;
            setLimit(3, before.most());
            try {
                failure = assertThrows(LinuxException.class, receive);
            } finally {
                setLimit(before.now(), before.most());
            }
            assertEquals(Abi.EMFILE, failure.errno());
            assertTrue(failure.isStarved() && !failure.isTooMuch());
            assertEquals(List.of(), received);
        }
    }

    private static void setLimit(long now, long most) {
        ByteBuffer structure = Host.buffer(Abi.RLIMIT_BYTES);
        structure.putLong(Abi.RLIM_CUR, now).putLong(Abi.RLIM_MAX, most);
        assertEquals(0, Host.LIBC.setrlimit(Abi.RLIMIT_NOFILE, Host.address(structure)));
    }

    @Test
    void asManyDescriptorsAsTheKernelTakesGoAtOnce() throws IOException {
        try (EventFd event = EventFd.open()) {
            send(1, Collections.nCopies(StreamSocket.MOST_DESCRIPTORS, event));
            receive(1, StreamSocket.MOST_DESCRIPTORS);
            assertEquals(StreamSocket.MOST_DESCRIPTORS, received.size());
            assertThrows(
                    LinuxException.class,
                    () -> send(1, Collections.nCopies(StreamSocket.MOST_DESCRIPTORS + 1, event)));
        }
    }

    @Test
    void aClosedDescriptorIsNotSent() throws IOException {
        EventFd event = EventFd.open();
        event.close();
        LinuxException failure = assertThrows(LinuxException.class, () -> send(1, List.of(event)));
        assertEquals(Abi.EBADF, failure.errno());
        assertFalse(far.awaitReadable(0));
    }

    @Test
    void tellsNothingFromTheEnd() throws IOException {
        ByteBuffer buffer = Host.buffer(1);
        assertEquals(-1, far.receive(vector(buffer), received, 1));
        assertFalse(far.awaitReadable(1_000_000));
        send(1, List.of());
        assertTrue(far.awaitReadable(Long.MAX_VALUE));
        assertEquals(1, far.receive(vector(buffer), received, 1));
        near.close();
        assertTrue(far.awaitReadable(Long.MAX_VALUE));
        assertEquals(0, far.receive(vector(buffer), received, 1));
    }

    @Test
    void waitsForRoom() throws IOException {
        assertTrue(near.awaitWritable(0));
        long sent = 0;
        for (long count = 0; count >= 0; count = send(1 << 16, List.of())) {
            sent += count;
        }
        assertFalse(near.awaitWritable(1_000_000));
        while (sent > 0) {
            sent -= receive(1 << 16, 0).length;
        }
        assertTrue(near.awaitWritable(Long.MAX_VALUE));
    }

    @Test
    void shutdownWakesWhoWaitsAndEndsThePeersStream() throws Exception {
        CompletableFuture<Boolean> waiting =
                CompletableFuture.supplyAsync(
                        () -> {
                            try {
                                return far.awaitReadable(Long.MAX_VALUE);
                            } catch (LinuxException e) {
                                throw new IllegalStateException(e);
                            }
                        });
        far.shutdown();
        assertTrue(waiting.get());
        assertEquals(0, receive(1, 0).length);
        assertEquals(0, near.receive(vector(Host.buffer(1)), received, 0));
        far.close();
        far.shutdown();
    }

    @Test
    void onlyAnEventfdIsAdoptedAsOne() throws IOException {
        try (Memfd memory = Memfd.create("no-event", 4096)) {
            send(1, List.of(memory));
            receive(1, 1);
            LinuxException failure =
                    assertThrows(LinuxException.class, () -> EventFd.adopt(received.get(0)));
            assertTrue(failure.isInvalid(), failure.getMessage());
            assertTrue(failure.getMessage().contains("no-event"), failure.getMessage());
            assertTrue(received.get(0).isOpen());
        }
    }

    @Test
    void anAdoptedEventfdDoesNotBlockAtItsLimit() throws IOException {
        try (EventFd event = EventFd.open()) {
            send(1, List.of(event));
            receive(1, 1);
            ByteBuffer most = Host.buffer(8).putLong(0, -2L);
            // The giver's flags are the descriptor's: as another process may have made it.
            assertEquals(0, Host.LIBC.fcntl(event.number(), Abi.F_SETFL, 0));
            try (EventFd adopted = EventFd.adopt(received.get(0))) {
                event.write(Host.address(most), 8);
                adopted.signal();
                assertEquals(-2L, adopted.drain());
            }
        }
    }
}
