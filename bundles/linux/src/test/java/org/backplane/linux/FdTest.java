package org.backplane.linux;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.backplane.linux.libc.Abi;
import org.backplane.linux.libc.Host;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class FdTest {
    @TempDir Path folder;

    private Fd file(String name, String content) throws IOException {
        Path path = folder.resolve(name);
        Files.writeString(path, content);
        return Fd.open(path, OpenFlag.READ, OpenFlag.WRITE);
    }

    private static ByteBuffer text(String content) {
        return Host.buffer(content.length()).put(0, content.getBytes(StandardCharsets.US_ASCII));
    }

    private static String text(ByteBuffer buffer, long length) {
        byte[] bytes = new byte[(int) length];
        buffer.get(0, bytes);
        return new String(bytes, StandardCharsets.US_ASCII);
    }

    @Test
    void readsAndWritesAtOffsetsWithoutMoving() throws IOException {
        try (Fd file = file("a", "0123456789")) {
            ByteBuffer in = Host.buffer(16);
            ByteBuffer out = text("abc");
            assertEquals(3, file.pwrite(Host.address(out), 3, 4));
            assertEquals(6, file.pread(Host.address(in), 16, 4));
            assertEquals("abc789", text(in, 6));
            assertEquals(0, file.pread(Host.address(in), 16, 10));
            assertEquals(2, file.read(Host.address(in), 2));
            assertEquals("01", text(in, 2));
            assertEquals(3, file.write(Host.address(out), 3));
        }
        assertEquals("01abcbc789", Files.readString(folder.resolve("a")));
    }

    @Test
    void scattersAndGathersOverAVectorThatIsReused() throws IOException {
        try (Fd file = file("a", "0123456789")) {
            ByteBuffer memory = text("abcdef");
            IoVec vector = new IoVec(4);
            for (int round = 0; round < 3; round++) {
                vector.clear();
                vector.add(Host.address(memory) + 4, 2);
                vector.add(Host.address(memory), 1);
                assertEquals(3, file.pwritev(vector, 1 + round));
            }
            ByteBuffer in = Host.buffer(10);
            vector.clear();
            vector.add(Host.address(in) + 5, 5);
            vector.add(Host.address(in), 5);
            vector.advance(7);
            assertEquals(3, file.preadv(vector, 3));
            assertArrayEquals(
                    new byte[] {0, 0, 'e', 'f', 'a'},
                    Arrays.copyOf(text(in, 10).getBytes(StandardCharsets.US_ASCII), 5));
            assertEquals("0eeefa6789", Files.readString(folder.resolve("a")));
        }
    }

    @Test
    void scattersAndGathersAtThePositionAndTellsWhenThereIsNothing() throws Exception {
        Path pipe = folder.resolve("pipe");
        assertEquals(0, new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor());
        try (Fd end = Fd.open(pipe, OpenFlag.READ, OpenFlag.WRITE, OpenFlag.NON_BLOCKING)) {
            ByteBuffer out = text("abcdef");
            ByteBuffer in = Host.buffer(8);
            ByteBuffer large = Host.buffer(1 << 20);
            IoVec vector = new IoVec(2);
            vector.add(Host.address(out) + 3, 3);
            vector.add(Host.address(out), 2);
            assertEquals(5, end.writev(vector));
            vector.clear();
            vector.add(Host.address(in) + 4, 2);
            vector.add(Host.address(in), 4);
            assertEquals(5, end.readv(vector));
            assertEquals("fab\0de\0\0", text(in, 8));
            assertEquals(-1, end.readv(vector));
            vector.clear();
            vector.add(Host.address(large), 1 << 20);
            assertTrue(end.writev(vector) > 0, "fills the pipe");
            assertEquals(-1, end.writev(vector));
        }
    }

    @Test
    void punchesHolesAndZeroesWithoutChangingTheSize() throws IOException {
        try (Fd file = file("a", "x".repeat(1 << 16))) {
            file.punchHole(4096, 8192);
            file.zeroRange(0, 512);
            assertEquals(1 << 16, file.size());
            byte[] bytes = Files.readAllBytes(folder.resolve("a"));
            byte[] expected = new byte[1 << 16];
            Arrays.fill(expected, (byte) 'x');
            Arrays.fill(expected, 4096, 4096 + 8192, (byte) 0);
            Arrays.fill(expected, 0, 512, (byte) 0);
            assertArrayEquals(expected, bytes);
            file.truncate(100);
            file.fdatasync();
            file.fsync();
            FileStatus status = file.status();
            assertEquals(FileStatus.Kind.REGULAR, status.kind());
            assertEquals(100, status.size());
            assertTrue(status.blockSize() >= 512);
        }
    }

    @Test
    void tellsWhereDataIsAndWhereHolesAre() throws IOException {
        long page = Mapping.pageSize();
        try (Memfd memory = Memfd.create("holes", 64 * page);
                Mapping mapping =
                        Mapping.shared(memory, 0, 64 * page, Mapping.Protection.READ_WRITE)) {
            assertEquals(-1, memory.nextData(0));
            assertEquals(0, memory.nextHole(0));
            try (Fd source = file("a", "some data")) {
                assertEquals(4, source.pread(mapping.address() + 10 * page, 4, 0));
                assertEquals(4, source.pread(mapping.address() + 11 * page, 4, 0));
            }
            assertEquals(10 * page, memory.nextData(0));
            assertEquals(12 * page, memory.nextHole(10 * page));
            assertEquals(-1, memory.nextData(12 * page));
        }
    }

    @Test
    void tellsWhatIsNoRegularFile() throws IOException {
        try (Fd device = Fd.open(Path.of("/dev/null"), OpenFlag.READ)) {
            assertEquals(FileStatus.Kind.OTHER, device.status().kind());
        }
    }

    @Test
    void failuresNameCallValuesAndReason() throws IOException {
        Path absent = folder.resolve("absent");
        LinuxException open =
                assertThrows(
                        LinuxException.class, () -> Fd.open(absent, OpenFlag.READ, OpenFlag.WRITE));
        assertEquals(
                "open '"
                        + absent
                        + "' for reading and writing: No such file or directory (errno 2)",
                open.getMessage());
        assertTrue(open.isAbsent());
        try (Fd file = Fd.open(Path.of("/dev/full"), OpenFlag.WRITE)) {
            ByteBuffer memory = text("abc");
            LinuxException write =
                    assertThrows(
                            LinuxException.class, () -> file.pwrite(Host.address(memory), 3, 512));
            assertEquals(
                    "write of 3 bytes at offset 512 in '/dev/full':"
                            + " No space left on device (errno 28)",
                    write.getMessage());
            assertTrue(write.isFull());
        }
    }

    @Test
    void refusesNamesWithANulInside() {
        assertThrows(IllegalArgumentException.class, () -> Host.string("a\0b"));
    }

    @Test
    void exclusiveLockKeepsEveryOtherOpeningOut() throws IOException {
        try (Fd first = file("a", "");
                Fd second = Fd.open(folder.resolve("a"), OpenFlag.READ, OpenFlag.WRITE)) {
            assertTrue(first.lock(true));
            assertFalse(second.lock(true));
            assertFalse(second.lock(false));
            first.close();
            assertTrue(second.lock(true));
        }
    }

    @Test
    void sharedLocksStandTogetherAndExcludeWriters() throws IOException {
        try (Fd first = file("a", "");
                Fd second = Fd.open(folder.resolve("a"), OpenFlag.READ);
                Fd third = Fd.open(folder.resolve("a"), OpenFlag.READ, OpenFlag.WRITE)) {
            assertTrue(first.lock(false));
            assertTrue(second.lock(false));
            assertFalse(third.lock(true));
        }
    }

    @Test
    void aClosedDescriptorIsRefusedEvenWhenItsNumberIsInUseAgain() throws IOException {
        Fd first = file("a", "first");
        int number = first.number();
        first.close();
        first.close();
        ByteBuffer in = Host.buffer(8);
        try (Fd second = file("b", "second")) {
            assertEquals(number, second.number(), "the kernel gives the lowest number");
            LinuxException refused =
                    assertThrows(LinuxException.class, () -> first.pread(Host.address(in), 8, 0));
            assertEquals(Abi.EBADF, refused.errno());
            assertThrows(LinuxException.class, () -> first.pwrite(Host.address(in), 8, 0));
            assertThrows(LinuxException.class, first::fdatasync);
            assertThrows(LinuxException.class, first::size);
            first.close();
            assertEquals(6, second.pread(Host.address(in), 8, 0));
        }
    }

    @Test
    void closingWaitsForNobodyAndTheNumberStaysUntilTheCallUnderWayIsOver() throws IOException {
        AtomicInteger released = new AtomicInteger();
        Fd fd =
                new Fd(Fd.LIBC.eventfd(0, Abi.EFD_CLOEXEC), "held") {
                    @Override
                    void released() {
                        released.incrementAndGet();
                    }
                };
        int number = fd.enter("test");
        fd.close();
        assertFalse(fd.isOpen());
        assertEquals(0, released.get());
        assertTrue(Files.exists(Path.of("/proc/self/fd/" + number)));
        fd.leave();
        assertEquals(1, released.get());
    }

    @Test
    void closesExactlyOnceWhateverRacesWithIt() throws Exception {
        for (int round = 0; round < 200; round++) {
            AtomicInteger released = new AtomicInteger();
            int number = Fd.LIBC.eventfd(0, Abi.EFD_CLOEXEC);
            Fd fd =
                    new Fd(number, "race") {
                        @Override
                        void released() {
                            released.incrementAndGet();
                        }
                    };
            CountDownLatch go = new CountDownLatch(1);
            Thread[] threads = new Thread[4];
            for (int i = 0; i < threads.length; i++) {
                boolean closer = i < 2;
                threads[i] =
                        new Thread(
                                () -> {
                                    try {
                                        go.await();
                                    } catch (InterruptedException e) {
                                        throw new IllegalStateException(e);
                                    }
                                    if (closer) {
                                        fd.close();
                                        return;
                                    }
                                    while (fd.tryEnter()) {
                                        assertEquals(0, released.get());
                                        fd.leave();
                                    }
                                });
                threads[i].start();
            }
            go.countDown();
            for (Thread thread : threads) {
                thread.join();
            }
            assertEquals(1, released.get());
        }
    }
}
