package org.backplane.vfio.user;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import net.jqwik.api.Example;
import org.backplane.linux.EventFd;
import org.backplane.linux.StreamListener;
import org.backplane.memory.GuestMemory;
import org.backplane.memory.MemoryChanges;
import org.backplane.memory.MemoryListener;
import org.backplane.memory.MemoryRange;
import org.backplane.vfio.VfioDevice;
import org.backplane.vfio.VfioException;

/** Servers that say nothing, or too late, or ask instead of answering. */
class SilentServerTest extends Interception {
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
        VfioException failure = assertNotConnected(SilentServerTest::late);
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
        try (Middle middle = new Middle(only(Wire.REGION_READ, SilentServerTest::late));
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
