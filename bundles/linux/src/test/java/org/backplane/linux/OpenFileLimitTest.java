package org.backplane.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.backplane.linux.libc.Abi;
import org.backplane.linux.libc.Host;
import org.junit.jupiter.api.Test;

class OpenFileLimitTest {
    @Test
    void whatThereIsRoomForChangesNothing() throws IOException {
        OpenFileLimit before = OpenFileLimit.ofThisProcess();
        OpenFileLimit.require(1, "A test");
        assertEquals(before, OpenFileLimit.ofThisProcess());
    }

    @Test
    void refusesMoreThanTheHardLimitWithTheNumbers() {
        OpenFileLimit limit = new OpenFileLimit(1024, 4096);
        IOException e =
                assertThrows(IOException.class, () -> limit.require(2100, 2048, "0000:01:00.0"));
        assertTrue(
                e.getMessage().startsWith("0000:01:00.0 needs 2048 more open files than the 2100 "),
                e.getMessage());
        assertTrue(e.getMessage().contains("ulimit -Hn 4212"), e.getMessage());
    }

    /** A JVM raises its limit when it starts, so the test lowers it first. */
    @Test
    void raisesTheLimitAsFarAsNeededAndNoFurther() throws IOException {
        OpenFileLimit before = OpenFileLimit.ofThisProcess();
        OpenFileLimit low = new OpenFileLimit(512, before.most());
        set(low);
        try {
            low.require(100, 500, "A test");
            assertEquals(new OpenFileLimit(664, before.most()), OpenFileLimit.ofThisProcess());
        } finally {
            set(before);
        }
    }

    private static void set(OpenFileLimit limit) throws IOException {
        ByteBuffer structure = Host.buffer(Abi.RLIMIT_BYTES);
        structure.putLong(Abi.RLIM_CUR, limit.now()).putLong(Abi.RLIM_MAX, limit.most());
        Fd.check(Host.LIBC.setrlimit(Abi.RLIMIT_NOFILE, Host.address(structure)), "set a limit");
    }

    @Test
    void noLimitIsTheHighestLimit() throws IOException {
        new OpenFileLimit(-1, -1).require(1L << 40, 2048, "A test");
    }
}
