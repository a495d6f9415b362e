package org.backplane.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.backplane.linux.libc.Abi;
import org.backplane.linux.libc.Host;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IoctlTest {
    private static final long FIONREAD = 0x541b;
    private static final long TIOCGPTPEER = 0x5441;
    private static final long TIOCSPTLCK = 0x40045431;
    private static final int ENOTTY = 25;

    @TempDir Path folder;

    @Test
    void fillsWhatTheArgumentPointsTo() throws Exception {
        Path file = Files.writeString(folder.resolve("file"), "seven..");
        ByteBuffer answer = Host.buffer(Integer.BYTES);
        try (Fd fd = Fd.open(file, OpenFlag.READ)) {
            assertEquals(0, Ioctl.call(fd, FIONREAD, Host.address(answer)));
        }
        assertEquals(7, answer.getInt(0));
        Reference.reachabilityFence(answer);
    }

    @Test
    void givesTheErrorNumberNegated() throws Exception {
        try (Fd fd = Fd.open(Path.of("/dev/null"), OpenFlag.READ)) {
            assertEquals(-ENOTTY, Ioctl.call(fd, FIONREAD, 0));
        }
        assertTrue(Ioctl.reason(ENOTTY).endsWith("(errno 25)"), Ioctl.reason(ENOTTY));
    }

    @Test
    void refusesAClosedDescriptor() throws Exception {
        Fd fd = Fd.open(Path.of("/dev/null"), OpenFlag.READ);
        fd.close();
        assertEquals(-Abi.EBADF, Ioctl.call(fd, FIONREAD, 0));
    }

    /** A pseudo terminal gives its other side, ioctl_tty(2). */
    @Test
    void opensWhatARequestGives() throws Exception {
        ByteBuffer memory = Host.buffer(4);
        long address = Host.address(memory);
        try (Fd master = Fd.open(Path.of("/dev/ptmx"), OpenFlag.READ, OpenFlag.WRITE)) {
            assertThrows(LinuxException.class, () -> Ioctl.open(master, FIONREAD, -1, "nothing"));
            assertEquals(0, Ioctl.call(master, TIOCSPTLCK, address));
            try (Fd terminal = Ioctl.open(master, TIOCGPTPEER, Abi.O_RDWR, "a terminal")) {
                assertEquals("a terminal", terminal.name());
                memory.put(0, (byte) '!');
                assertEquals(1, terminal.write(address, 1));
                memory.put(0, (byte) 0);
                assertEquals(1, master.read(address, 1));
                assertEquals('!', memory.get(0));
            }
        }
        Reference.reachabilityFence(memory);
    }
}
