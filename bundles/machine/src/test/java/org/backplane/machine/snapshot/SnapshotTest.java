package org.backplane.machine.snapshot;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.backplane.device.state.SavedState;
import org.backplane.machine.MachineException;
import org.backplane.memory.GuestMemory;
import org.backplane.memory.GuestMemory.RamBank;
import org.backplane.memory.MemoryRange;
import org.backplane.memory.OffHeap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SnapshotTest {
    private static final int PAGE = MemoryImage.PAGE;

    /** Neither bank is a whole number of chunks. */
    private static final List<RamBank> BANKS =
            List.of(new RamBank(0x8000_0000L, 700L * PAGE), new RamBank(0x9000_0000L, 33L * PAGE));

    @TempDir Path folder;
    private Path target;

    @BeforeEach
    void nameTheTarget() {
        target = folder.resolve("snapshot");
    }

    private static GuestMemory memory() throws IOException {
        return new GuestMemory("test", BANKS);
    }

    private static void fill(GuestMemory memory, int bank, int page, byte[] content) {
        MemoryRange range = memory.layout().ranges().get(bank);
        OffHeap.copy(content, 0, range.hostAddress() + (long) page * PAGE, content.length);
    }

    private static byte[] content(GuestMemory memory, int bank) {
        MemoryRange range = memory.layout().ranges().get(bank);
        byte[] bytes = new byte[(int) range.length()];
        OffHeap.copy(range.hostAddress(), bytes, 0, bytes.length);
        return bytes;
    }

    private static byte[] noise(int seed, int length) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    private static SavedState state(SavedState image) {
        return SavedState.of("all", 1).number("answer", 42).child("image", image).build();
    }

    private void write(GuestMemory memory) throws MachineException {
        try (SnapshotWriter writer = SnapshotWriter.beside(target)) {
            writer.memory(memory.layout());
            writer.state(state(writer.memoryImage()), 733L * PAGE, 2);
            writer.publish();
        }
    }

    private GuestMemory someMemory() throws IOException {
        GuestMemory memory = memory();
        fill(memory, 0, 0, noise(1, PAGE));
        fill(memory, 0, 250, noise(2, 20 * PAGE));
        fill(memory, 0, 400, new byte[5 * PAGE]);
        byte[] lastByte = new byte[PAGE];
        lastByte[PAGE - 1] = 1;
        fill(memory, 0, 699, lastByte);
        fill(memory, 1, 32, noise(3, PAGE));
        return memory;
    }

    private void restore(GuestMemory memory) throws MachineException {
        Snapshot snapshot = Snapshot.open(target);
        assertEquals(42, snapshot.state().number("answer", 0));
        snapshot.load(snapshot.state().child("image"), memory.layout());
    }

    @Test
    void memoryComesBackWithoutItsZeroes() throws Exception {
        try (GuestMemory before = someMemory();
                GuestMemory after = memory()) {
            write(before);
            restore(after);
            assertArrayEquals(content(before, 0), content(after, 0));
            assertArrayEquals(content(before, 1), content(after, 1));
        }
        assertEquals((1 + 20 + 1 + 1) * PAGE, Files.size(target.resolve("memory")));
    }

    @Test
    void memoryThatNobodyTouchedIsNotTaken() throws Exception {
        try (GuestMemory memory = someMemory()) {
            write(memory);
            MemoryRange ram = memory.layout().ranges().get(0);
            assertEquals(-1, ram.descriptor().nextData(701L * PAGE + 32L * PAGE));
            assertTrue(ram.descriptor().nextData(300L * PAGE) >= 400L * PAGE);
        }
    }

    @Test
    void onlyItsUserMayRead() throws Exception {
        try (GuestMemory memory = someMemory()) {
            write(memory);
        }
        assertEquals(
                "rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(target)));
        for (String file : List.of("manifest", "state", "memory")) {
            assertEquals(
                    "rw-------",
                    PosixFilePermissions.toString(
                            Files.getPosixFilePermissions(target.resolve(file))));
        }
    }

    @Test
    void whatIsThereStays() throws Exception {
        Files.createDirectory(target);
        MachineException refusal =
                assertThrows(MachineException.class, () -> SnapshotWriter.beside(target));
        assertEquals(
                "There is a '%s' already: name a folder that is not there yet.".formatted(target),
                refusal.getMessage());
        assertThrows(
                MachineException.class, () -> SnapshotWriter.beside(folder.resolve("no/where")));
    }

    @Test
    void oneThatIsNotPublishedLeavesNothing() throws Exception {
        try (GuestMemory memory = someMemory();
                SnapshotWriter writer = SnapshotWriter.beside(target)) {
            writer.memory(memory.layout());
        }
        try (Stream<Path> left = Files.list(folder)) {
            assertEquals(List.of(), left.toList());
        }
    }

    @Test
    void nameTakenMeanwhileIsNotOverwritten() throws Exception {
        try (GuestMemory memory = someMemory();
                SnapshotWriter writer = SnapshotWriter.beside(target)) {
            writer.memory(memory.layout());
            writer.state(state(writer.memoryImage()), PAGE, 1);
            Files.createDirectory(target);
            assertThrows(MachineException.class, writer::publish);
        }
        try (Stream<Path> left = Files.list(folder)) {
            assertEquals(List.of(target), left.toList());
        }
    }

    /** Any byte of any file: the digests cover all of them. */
    @ParameterizedTest
    @ValueSource(strings = {"manifest", "state", "memory"})
    void damagedFileIsRefused(String name) throws Exception {
        try (GuestMemory memory = someMemory()) {
            write(memory);
        }
        Path file = target.resolve(name);
        byte[] good = Files.readAllBytes(file);
        var random = new Random(7);
        for (int round = 0; round < 60; round++) {
            byte[] bad = good.clone();
            bad[random.nextInt(bad.length)] ^= (byte) (1 + random.nextInt(255));
            Files.write(file, bad);
            assertRefused("'" + target + "'");
        }
        Files.write(file, Arrays.copyOf(good, good.length - 1));
        assertRefused("'" + name + "'");
        Files.write(file, Arrays.copyOf(good, good.length + 1));
        assertRefused("'" + name + "'");
        Files.delete(file);
        assertRefused("there is no file '" + name + "'");
        Files.write(file, good);
        try (GuestMemory memory = memory()) {
            restore(memory);
        }
    }

    @Test
    void otherFormatIsNamed() throws Exception {
        try (GuestMemory memory = someMemory()) {
            write(memory);
        }
        Path manifest = target.resolve("manifest");
        Files.writeString(
                manifest,
                Files.readString(manifest).replace("backplane-snapshot 1", "backplane-snapshot 2"));
        assertRefused("format 2, and this version reads format 1");
    }

    @Test
    void imageOfAnotherMemoryIsRefused() throws Exception {
        try (GuestMemory memory = someMemory();
                GuestMemory smaller =
                        new GuestMemory("test", List.of(new RamBank(0x8000_0000L, 700L * PAGE)))) {
            write(memory);
            Snapshot snapshot = Snapshot.open(target);
            assertThrows(
                    MachineException.class,
                    () -> snapshot.load(snapshot.state().child("image"), smaller.layout()));
        }
    }

    private void assertRefused(String part) throws IOException {
        try (GuestMemory memory = memory()) {
            MachineException refusal = assertThrows(MachineException.class, () -> restore(memory));
            assertTrue(refusal.getMessage().contains(part), refusal.getMessage());
            assertFalse(refusal.getMessage().contains("\n"), refusal.getMessage());
        }
    }
}
