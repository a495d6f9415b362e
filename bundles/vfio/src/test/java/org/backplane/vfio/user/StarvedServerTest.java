package org.backplane.vfio.user;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.backplane.linux.LinuxException;
import org.backplane.linux.OpenFileLimit;
import org.backplane.linux.StreamSocket;
import org.backplane.linux.libc.Abi;
import org.backplane.linux.libc.Host;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A server in a process that has no descriptors left for its next client. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class StarvedServerTest {
    @TempDir Path folder;

    /** What the server tells of, in the order of telling. */
    private static final class Told extends Handler {
        private final BlockingQueue<Level> levels = new LinkedBlockingQueue<>();

        Told() {
            setLevel(Level.ALL);
        }

        @Override
        public void publish(LogRecord record) {
            if (record.getMessage().contains("tried again")) {
                levels.add(record.getLevel());
            }
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    }

    private static void setLimit(OpenFileLimit limit) {
        ByteBuffer structure = Host.buffer(Abi.RLIMIT_BYTES);
        structure.putLong(Abi.RLIM_CUR, limit.now()).putLong(Abi.RLIM_MAX, limit.most());
        assertEquals(0, Host.LIBC.setrlimit(Abi.RLIMIT_NOFILE, Host.address(structure)));
    }

    @Test
    void aClientThatCouldNotBeTakenIsTakenLater() throws Exception {
        Logger log = Logger.getLogger(VfioUserServer.class.getName());
        Told told = new Told();
        log.setLevel(Level.ALL);
        log.addHandler(told);
        Path path = folder.resolve("device");
        // Loads what is needed for an error while files can be opened.
        assertThrows(LinuxException.class, () -> StreamSocket.connect(folder.resolve("nowhere")));
        OpenFileLimit before = OpenFileLimit.ofThisProcess();
        try (PlainDevice device = new PlainDevice();
                VfioUserServer server = VfioUserServer.open(path, device);
                RawPeer first = RawPeer.greet(server.path());
                RawPeer next = RawPeer.connect(path)) {
            List<Level> seen = new ArrayList<>();
            setLimit(new OpenFileLimit(3, before.most()));
            try {
                first.close();
                seen.add(told.levels.take());
                seen.add(told.levels.take());
            } finally {
                setLimit(before);
            }
            assertEquals(List.of(Level.SEVERE, Level.FINE), seen);
            Message reply = next.command(Wire.VERSION, RawPeer.version(0, 1, "{}\0"), List.of());
            assertFalse(reply.isError());
            reply.closeDescriptors();
        } finally {
            log.removeHandler(told);
            log.setLevel(null);
        }
    }
}
