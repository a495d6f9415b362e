package org.backplane.vfio.user;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Clients that connect and propose no version, while others wait for the device. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SilentClientTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @TempDir Path folder;

    /** Why clients were let go. */
    private static final class Told extends Handler {
        private final List<String> reasons = new CopyOnWriteArrayList<>();

        Told() {
            setLevel(Level.ALL);
        }

        @Override
        public void publish(LogRecord record) {
            if (record.getMessage().contains("is let go")) {
                reasons.add(record.getLevel() + ": " + record.getParameters()[1]);
            }
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    }

    /**
     * Two clients are there before the server has looked at the first, of which the second alone
     * has said something: no time has to pass for the one to be late and the other to be in time.
     */
    private List<String> reasonsWhen(byte[] saidByTheFirst) throws IOException {
        Logger log = Logger.getLogger(VfioUserServer.class.getName());
        Told told = new Told();
        log.setLevel(Level.ALL);
        log.addHandler(told);
        Path path = folder.resolve("device");
        List<RawPeer> peers = new ArrayList<>();
        try (PlainDevice device =
                        new PlainDevice() {
                            @Override
                            public void wired(ServedWires given) {
                                super.wired(given);
                                connect(path, peers, saidByTheFirst);
                            }
                        };
                VfioUserServer server =
                        VfioUserServer.open(path, device, PATIENCE, Duration.ZERO)) {
            peers.get(0).awaitEnd();
            RawPeer next = peers.get(1);
            Message reply = next.receive();
            assertFalse(reply.isError());
            reply.closeDescriptors();
            // From now on it may be silent.
            assertEquals(0, next.errno(Wire.DEVICE_RESET, Message.payload(0), List.of()));
            assertEquals(path, server.path());
            return List.copyOf(told.reasons);
        } finally {
            peers.forEach(RawPeer::close);
            log.removeHandler(told);
            log.setLevel(null);
        }
    }

    private static void connect(Path path, List<RawPeer> peers, byte[] saidByTheFirst) {
        try {
            peers.add(RawPeer.connect(path));
            peers.add(RawPeer.connect(path));
            peers.get(0).sendRaw(saidByTheFirst, List.of());
            peers.get(1)
                    .send(
                            7,
                            Wire.VERSION,
                            Wire.TYPE_COMMAND,
                            0,
                            RawPeer.version(0, 1, "{}\0"),
                            List.of());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void aClientThatDoesNotGreetMakesRoomForTheNext() throws IOException {
        assertEquals(
                List.of("INFO: it has not proposed a version within the 0 ms that it has for that"),
                reasonsWhen(new byte[0]));
    }

    @Test
    void aClientThatBeginsToGreetHasNoMoreTimeThanOneThatDoesNot() throws IOException {
        assertEquals(
                List.of(
                        "INFO: the peer at '"
                                + folder.resolve("device")
                                + "' stopped inside of a message"),
                reasonsWhen(new byte[3]));
    }
}
