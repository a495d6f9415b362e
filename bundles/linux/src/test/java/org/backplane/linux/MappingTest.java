package org.backplane.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.backplane.linux.Mapping.Protection;
import org.backplane.linux.libc.Host;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MappingTest {
    private static final int PAGE = Mapping.pageSize();

    @TempDir Path folder;

    /**
     * The offset is the sixth of six arguments, which a binding may pass wrongly (jnr-ffi does).
     */
    @Test
    void mapsAtAnOffsetThatIsNotZero() throws IOException {
        try (Memfd memory = Memfd.create("offset", 4L * PAGE)) {
            ByteBuffer mark = Host.buffer(8).putLong(0, 0x1122334455667788L);
            memory.pwrite(Host.address(mark), 8, 2L * PAGE + 16);
            try (Mapping mapping =
                            Mapping.shared(memory, 2L * PAGE, 2L * PAGE, Protection.READ_WRITE);
                    Fd self = Fd.open(Path.of("/proc/self/mem"), OpenFlag.READ)) {
                ByteBuffer seen = Host.buffer(8);
                assertEquals(8, self.pread(Host.address(seen), 8, mapping.address() + 16));
                assertEquals(0x1122334455667788L, seen.getLong(0));
            }
        }
    }

    @Test
    void sharedStoresReachTheFileAndPrivateOnesDoNot() throws IOException {
        try (Memfd memory = Memfd.create("stores", PAGE);
                Mapping shared = Mapping.shared(memory, 0, PAGE, Protection.READ_WRITE);
                Mapping own = Mapping.copyOnWrite(memory, 0, PAGE, Protection.READ_WRITE)) {
            store(own.address(), 1);
            assertEquals(0, load(memory));
            store(shared.address(), 2);
            assertEquals(2, load(memory));
        }
    }

    @Test
    void mapsAnonymousMemoryAndGivesItBack() throws IOException {
        Mapping mapping = Mapping.anonymous(3L * PAGE, Protection.READ_WRITE);
        long address = mapping.address();
        store(address, 7);
        assertTrue(isMapped(address));
        mapping.close();
        mapping.close();
        assertTrue(!isMapped(address));
        assertThrows(IllegalStateException.class, mapping::address);
    }

    @Test
    void outlivesItsDescriptor() throws IOException {
        Memfd memory = Memfd.create("outlives", PAGE);
        try (Mapping mapping = Mapping.shared(memory, 0, PAGE, Protection.READ_WRITE)) {
            memory.close();
            store(mapping.address(), 7);
            mapping.adviseGuestMemory();
            assertThrows(
                    LinuxException.class, () -> Mapping.shared(memory, 0, PAGE, Protection.READ));
        }
    }

    @Test
    void sizeOfAMemfdIsSealed() throws IOException {
        try (Memfd memory = Memfd.create("sealed", PAGE)) {
            assertEquals(PAGE, memory.size());
            assertThrows(LinuxException.class, () -> memory.truncate(0));
            assertThrows(LinuxException.class, () -> memory.truncate(2L * PAGE));
            memory.punchHole(0, PAGE);
        }
    }

    @Test
    void refusalNamesTheValues() throws IOException {
        try (Memfd memory = Memfd.create("odd", PAGE)) {
            LinuxException refused =
                    assertThrows(
                            LinuxException.class,
                            () -> Mapping.shared(memory, 512, PAGE, Protection.READ));
            assertEquals(
                    "map %d bytes at offset 512 of memory 'odd': Invalid argument (errno 22)"
                            .formatted(PAGE),
                    refused.getMessage());
        }
    }

    /** Copies through the kernel, so that a test needs no access by raw address. */
    private void store(long address, long value) throws IOException {
        ByteBuffer memory = Host.buffer(8).putLong(0, value);
        Path path = folder.resolve("value");
        Files.write(path, new byte[0]);
        try (Fd file = Fd.open(path, OpenFlag.READ, OpenFlag.WRITE)) {
            file.pwrite(Host.address(memory), 8, 0);
            assertEquals(8, file.pread(address, 8, 0));
        }
    }

    private static long load(Fd memory) throws IOException {
        ByteBuffer seen = Host.buffer(8);
        assertEquals(8, memory.pread(Host.address(seen), 8, 0));
        return seen.getLong(0);
    }

    private static boolean isMapped(long address) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/maps"))) {
            String[] bounds = line.substring(0, line.indexOf(' ')).split("-");
            if (Long.parseUnsignedLong(bounds[0], 16) <= address
                    && address < Long.parseUnsignedLong(bounds[1], 16)) {
                return true;
            }
        }
        return false;
    }

    @Test
    void aCallIntoMemoryThatWasCutOffIsAnErrorAndNothingElse() throws IOException {
        Path path = folder.resolve("cut");
        try (Fd file = Fd.open(path, OpenFlag.READ, OpenFlag.WRITE, OpenFlag.CREATE);
                Fd zero = Fd.open(Path.of("/dev/zero"), OpenFlag.READ)) {
            file.truncate(8192);
            try (Mapping mapping = Mapping.shared(file, 0, 8192, Mapping.Protection.READ_WRITE)) {
                assertEquals(8, zero.read(mapping.address() + 4096, 8));
                file.truncate(0);
                LinuxException failure =
                        assertThrows(
                                LinuxException.class, () -> zero.read(mapping.address() + 4096, 8));
                assertEquals(14, failure.errno());
            }
        }
    }
}
