package org.backplane.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.backplane.linux.libc.Abi;
import org.backplane.linux.libc.Host;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MemfdTest {
    @TempDir Path folder;

    /** As another process may make it. */
    private static Fd memory(int flags, long size) throws IOException {
        ByteBuffer name = Host.string("foreign");
        int number = Host.LIBC.memfd_create(Host.address(name), flags | Abi.MFD_CLOEXEC);
        Fd memory = new Fd(number, "foreign memory");
        memory.truncate(size);
        return memory;
    }

    @Test
    void itsOwnSizeIsSealed() throws IOException {
        try (Memfd memory = Memfd.create("own", 8192)) {
            assertTrue(Memfd.keepsSize(memory));
            assertThrows(LinuxException.class, () -> memory.truncate(4096));
        }
    }

    @Test
    void sealsForeignMemoryThatCanBeSealed() throws IOException {
        try (Fd memory = memory(Abi.MFD_ALLOW_SEALING, 8192)) {
            assertTrue(Memfd.keepsSize(memory));
            assertThrows(LinuxException.class, () -> memory.truncate(4096));
            memory.truncate(16384);
            assertEquals(16384, memory.size());
            assertTrue(Memfd.keepsSize(memory));
        }
    }

    @Test
    void memoryThatCannotBeSealedDoesNotKeepItsSize() throws IOException {
        try (Fd memory = memory(0, 8192)) {
            assertFalse(Memfd.keepsSize(memory));
            memory.truncate(4096);
        }
    }

    @Test
    void filesPipesAndDevicesDoNotKeepTheirSize() throws Exception {
        Path file = Files.createFile(folder.resolve("file"));
        try (Fd plain = Fd.open(file, OpenFlag.READ, OpenFlag.WRITE);
                Fd device = Fd.open(Path.of("/dev/zero"), OpenFlag.READ);
                EventFd event = EventFd.open()) {
            assertFalse(Memfd.keepsSize(plain));
            assertFalse(Memfd.keepsSize(device));
            assertFalse(Memfd.keepsSize(event));
        }
    }

    @Test
    void sharedMemoryOfPosixDoesNotKeepItsSize() throws Exception {
        Path shared = Path.of("/dev/shm");
        boolean there = Files.isWritable(shared);
        if (!there) {
            System.out.println("skipped: there is no /dev/shm to write to");
        }
        Assumptions.assumeTrue(there, "needs /dev/shm");
        Path file = Files.createTempFile(shared, "backplane", ".test");
        try (Fd memory = Fd.open(file, OpenFlag.READ, OpenFlag.WRITE)) {
            assertFalse(Memfd.keepsSize(memory));
        } finally {
            Files.delete(file);
        }
    }

    @Test
    void hugePagesDoNotCount() throws Exception {
        int number =
                Host.LIBC.memfd_create(
                        Host.address(Host.string("huge")),
                        Abi.MFD_CLOEXEC | Abi.MFD_ALLOW_SEALING | Abi.MFD_HUGETLB);
        if (number < 0) {
            System.out.println("skipped: this kernel has no hugetlb");
        }
        Assumptions.assumeTrue(number >= 0, "needs a kernel with hugetlb");
        try (Fd memory = new Fd(number, "huge")) {
            assertFalse(Memfd.keepsSize(memory));
        }
    }
}
