package org.backplane.device.virtio.blk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.backplane.device.DeviceException;
import org.backplane.device.state.SaveSupport;
import org.backplane.device.state.SavedState;
import org.backplane.device.virtio.blk.Disk.Answer;
import org.backplane.device.virtio.blk.Disk.Layout;
import org.backplane.device.virtio.blk.Disk.Offer;
import org.backplane.linux.Fd;
import org.backplane.testkit.DriverRing;
import org.backplane.testkit.DriverRing.Used;
import org.backplane.testkit.GoldenState;
import org.backplane.virtio.SplitQueue;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VirtioBlkTest {
    @TempDir Path folder;
    private Path image;

    @BeforeEach
    void makeImage() throws Exception {
        image = Disk.image(folder);
    }

    private static byte[] sector(int content) {
        byte[] bytes = new byte[512];
        Arrays.fill(bytes, (byte) content);
        return bytes;
    }

    private byte[] onDisk(int sector, int sectors) throws Exception {
        return Arrays.copyOfRange(
                Files.readAllBytes(image), sector * 512, (sector + sectors) * 512);
    }

    private static void assertStatus(int status, Answer answer) {
        assertEquals(status, answer.status());
    }

    @Test
    void describesItselfInConfiguration() throws Exception {
        try (Disk disk = Disk.on(image, "queues=3")) {
            assertEquals(2, disk.device.shape().deviceId());
            assertEquals(List.of(256, 256, 256), disk.device.shape().queueSizes());
            assertEquals(Disk.SECTORS, disk.device.readConfig(0, 8));
            assertEquals(0, disk.device.readConfig(4, 4));
            assertEquals(254, disk.device.readConfig(12, 4));
            assertEquals(512, disk.device.readConfig(20, 4));
            assertEquals(3, disk.device.readConfig(34, 2));
            assertEquals(1, disk.device.readConfig(32, 1));
            assertEquals(3L << 16 | 1, disk.device.readConfig(32, 4));
            assertEquals(1 << 22, disk.device.readConfig(36, 4));
            assertEquals(0, disk.device.readConfig(60, 4));
            assertEquals(0, disk.device.readConfig(-4, 4));
        }
    }

    @Test
    void readsAndWritesSectors() throws Exception {
        try (Disk disk = Disk.on(image)) {
            Answer read = disk.read(5, 1024);
            assertStatus(0, read);
            assertArrayEquals(Disk.concat(sector(6), sector(7)), read.data());
            assertEquals(1025, read.used());
            Answer write = disk.write(127, sector(99));
            assertStatus(0, write);
            assertEquals(1, write.used());
            assertArrayEquals(sector(99), onDisk(127, 1));
            assertArrayEquals(sector(99), disk.read(127, 512).data());
            assertStatus(0, disk.request(Disk.header(BlkWire.T_FLUSH, 0), 1));
        }
    }

    /** Pieces of every size: header in parts, status behind data in one buffer, over two ranges. */
    @ParameterizedTest
    @ValueSource(ints = {1, 3, 7, 15, 16, 17, 100, 513, 5000})
    void framingMeansNothing(int piece) throws Exception {
        byte[] data = new byte[piece < 100 ? 512 : 8 * 512];
        new Random(piece).nextBytes(data);
        try (Disk disk = Disk.on(image)) {
            Layout layout = new Layout(piece == 3, piece < 3 ? 5 : piece, 1, piece + 2);
            byte[] write = Disk.header(BlkWire.T_OUT, 9, data);
            assertStatus(0, disk.request(0, layout, write, 1));
            Answer read = disk.request(0, layout, Disk.header(BlkWire.T_IN, 9), data.length + 1);
            assertStatus(0, read);
            assertArrayEquals(data, read.data());
            assertEquals(data.length + 1, read.used());
        }
    }

    @Test
    void takesMoreSegmentsThanOneCallOfTheHost() throws Exception {
        byte[] data = new byte[512];
        new Random(1).nextBytes(data);
        int[] write = new int[256];
        Arrays.fill(write, 2);
        write[0] = 16 + 2;
        write[254] = 4;
        write[255] = 1;
        int[] read = new int[256];
        Arrays.fill(read, 2);
        read[0] = 16;
        read[255] = 5;
        try (Disk disk = Disk.on(image)) {
            byte[] request = Disk.header(BlkWire.T_OUT, 3, data);
            assertStatus(0, disk.request(0, new Layout(true, write), request, 1));
            assertArrayEquals(data, onDisk(3, 1));
            request = Disk.header(BlkWire.T_IN, 3);
            Answer answer = disk.request(0, new Layout(true, read), request, 513);
            assertStatus(0, answer);
            assertArrayEquals(data, answer.data());
        }
    }

    @Test
    void refusesWhatIsNotWhollyOnTheDiskAndTouchesNothing() throws Exception {
        byte[] before = Files.readAllBytes(image);
        try (Disk disk = Disk.on(image)) {
            assertStatus(1, disk.read(Disk.SECTORS, 512));
            assertStatus(1, disk.read(Disk.SECTORS - 1, 1024));
            assertStatus(1, disk.read(-1, 512));
            assertStatus(1, disk.read(Long.MAX_VALUE, 512));
            assertStatus(1, disk.read(1L << 55, 512));
            assertStatus(1, disk.read((1L << 55) + 1, 512));
            assertStatus(1, disk.read(0, 511));
            assertStatus(1, disk.read(0, 513));
            assertStatus(1, disk.write(Disk.SECTORS, sector(9)));
            assertStatus(1, disk.write(Disk.SECTORS - 1, new byte[1024]));
            assertStatus(1, disk.write(-1, sector(9)));
            assertStatus(1, disk.write(1L << 55, sector(9)));
            assertStatus(1, disk.write(0, new byte[100]));
            Answer refused = disk.read(Disk.SECTORS, 512);
            assertArrayEquals(Disk.filled(512), refused.data());
            assertEquals(0, refused.used());
            assertStatus(0, disk.read(Disk.SECTORS, 0));
            assertStatus(0, disk.write(0));
            assertTrue(disk.broken.isEmpty());
        }
        assertArrayEquals(before, Files.readAllBytes(image));
    }

    @Test
    void aHeaderThatIsTooShortFailsThatRequestOnly() throws Exception {
        try (Disk disk = Disk.on(image)) {
            assertStatus(1, disk.request(new byte[15], 1));
            assertStatus(1, disk.request(new byte[0], 513));
            assertStatus(0, disk.read(0, 512));
        }
    }

    @Test
    void aRequestWithoutRoomForItsStatusStopsTheQueue() throws Exception {
        try (Disk disk = Disk.on(image)) {
            assertStatus(-1, disk.request(Disk.header(BlkWire.T_IN, 0), 0));
            assertEquals(List.of("a request without room for its status"), disk.broken);
            assertTrue(disk.device.idle());
        }
    }

    @Test
    void answersTypesThatItDoesNotKnow() throws Exception {
        try (Disk disk = Disk.on(image)) {
            for (int type : new int[] {2, 3, 5, 10, 14, 0x80000000, -1}) {
                assertStatus(2, disk.request(Disk.header(type, 0, sector(1)), 513));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 7, 20, 33})
    void tellsItsSerial(int room) throws Exception {
        try (Disk disk = Disk.on(image, "serial=0123456789abcdefghij")) {
            Answer id = disk.request(Disk.header(BlkWire.T_GET_ID, 0), room + 1);
            assertStatus(0, id);
            int length = Math.min(room, 20);
            assertEquals(
                    "0123456789abcdefghij".substring(0, length),
                    new String(id.data(), 0, length, StandardCharsets.US_ASCII));
            assertEquals(room <= 20 ? room + 1 : 20, id.used());
        }
        try (Disk disk = Disk.on(image)) {
            Answer id = disk.request(Disk.header(BlkWire.T_GET_ID, 0), 21);
            assertArrayEquals(
                    Arrays.copyOf("disk0".getBytes(StandardCharsets.US_ASCII), 20), id.data());
        }
    }

    @Test
    void aReadOnlyDiskTakesNoWrite() throws Exception {
        try (Disk disk = Disk.on(image, "ro=on")) {
            long features = disk.device.shape().features();
            assertNotEquals(0, features & BlkWire.F_RO);
            assertEquals(
                    0,
                    features & (BlkWire.F_DISCARD | BlkWire.F_WRITE_ZEROES | BlkWire.F_CONFIG_WCE));
            assertStatus(1, disk.write(0, sector(9)));
            byte[] zero = Disk.header(BlkWire.T_WRITE_ZEROES, 0, Disk.range(0, 1, 0));
            assertStatus(2, disk.request(zero, 1));
            assertStatus(0, disk.read(0, 512));
        }
        assertArrayEquals(sector(1), onDisk(0, 1));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void writesZeroes(int unmap) throws Exception {
        try (Disk disk = Disk.on(image)) {
            byte[] zero = Disk.header(BlkWire.T_WRITE_ZEROES, 0, Disk.range(3, 20, unmap));
            assertStatus(0, disk.request(zero, 1));
            byte[] nothing = Disk.header(BlkWire.T_WRITE_ZEROES, 0, Disk.range(50, 0, unmap));
            assertStatus(0, disk.request(nothing, 1));
        }
        assertArrayEquals(new byte[20 * 512], onDisk(3, 20));
        assertArrayEquals(sector(3), onDisk(2, 1));
        assertArrayEquals(sector(24), onDisk(23, 1));
        assertArrayEquals(sector(51), onDisk(50, 1));
    }

    @Test
    void givesDiscardedBlocksBackToTheHost() throws Exception {
        try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
            file.write(new byte[1 << 22]);
            file.getFD().sync();
        }
        long before = allocated();
        try (Disk disk = Disk.on(image)) {
            byte[] ranges = Disk.concat(Disk.range(8, 2048, 0), Disk.range(4096, 4096, 0));
            assertStatus(0, disk.request(Disk.header(BlkWire.T_DISCARD, 0, ranges), 1));
            assertStatus(0, disk.request(Disk.header(BlkWire.T_FLUSH, 0), 1));
        }
        assertTrue(allocated() <= before - (2 << 20), before + " -> " + allocated());
        assertEquals(1 << 22, Files.size(image));
    }

    private long allocated() throws Exception {
        Process stat =
                new ProcessBuilder("stat", "-c", "%b", image.toString())
                        .redirectErrorStream(true)
                        .start();
        String blocks = new String(stat.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
        return Long.parseLong(blocks.trim()) * 512;
    }

    @Test
    void refusesRangesThatAreWrongAndDoesNoneOfThem() throws Exception {
        byte[] before = Files.readAllBytes(image);
        byte[] good = Disk.range(0, 8, 0);
        try (Disk disk = Disk.on(image)) {
            int discard = BlkWire.T_DISCARD;
            assertStatus(2, ranges(disk, discard, good, Disk.range(8, 8, 1)));
            assertStatus(2, ranges(disk, discard, good, Disk.range(8, 8, 2)));
            assertStatus(1, ranges(disk, discard, good, Disk.range(Disk.SECTORS, 1, 0)));
            assertStatus(1, ranges(disk, discard, good, Disk.range(-1, 1, 0)));
            assertStatus(1, ranges(disk, discard, good, Disk.range(1L << 55, 1, 0)));
            assertStatus(1, ranges(disk, discard, good, Disk.range(0, -1, 0)));
            assertStatus(1, ranges(disk, discard, new byte[15]));
            assertStatus(1, ranges(disk, discard));
            assertStatus(1, ranges(disk, discard, new byte[33 * 16]));
            int zeroes = BlkWire.T_WRITE_ZEROES;
            assertStatus(1, ranges(disk, zeroes, good, good));
            assertStatus(2, ranges(disk, zeroes, Disk.range(0, 8, 3)));
            assertStatus(1, ranges(disk, zeroes, Disk.range(Disk.SECTORS - 7, 8, 0)));
        }
        try (Disk disk = Disk.on(image, "discard=off")) {
            assertStatus(2, ranges(disk, BlkWire.T_DISCARD, good));
        }
        assertArrayEquals(before, Files.readAllBytes(image));
    }

    private static Answer ranges(Disk disk, int type, byte[]... ranges) {
        return disk.request(Disk.header(type, 0, Disk.concat(ranges)), 1);
    }

    @Test
    void aHostErrorFailsExactlyThatRequest() throws Exception {
        try (Disk disk = Disk.on(image)) {
            try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
                file.setLength(64 * 512);
            }
            List<Offer> offers = new ArrayList<>();
            for (int first : new int[] {0, 63, 64, 127, 1}) {
                offers.add(disk.offer(0, Layout.PLAIN, Disk.header(BlkWire.T_IN, first), 512 + 1));
            }
            disk.rings.get(0).publish();
            disk.device.work(0);
            List<Integer> statuses = new ArrayList<>();
            for (Offer offer : offers) {
                Used used = disk.rings.get(0).collect();
                assertEquals(offer.head(), used.head());
                statuses.add(disk.answer(offer, used).status());
            }
            assertEquals(List.of(0, 0, 1, 1, 0), statuses);
        }
    }

    @Test
    void aWriteThatTheHostRefusesFails() throws Exception {
        try (Disk disk = Disk.in(image)) {
            disk.keepReadOnlyDescriptor(image);
            disk.plug();
            assertStatus(1, disk.write(0, sector(9)));
            assertStatus(1, ranges(disk, BlkWire.T_DISCARD, Disk.range(0, 8, 0)));
            assertStatus(1, ranges(disk, BlkWire.T_WRITE_ZEROES, Disk.range(0, 8, 0)));
            assertStatus(0, disk.read(0, 512));
        }
        assertArrayEquals(sector(1), onDisk(0, 1));
    }

    @Test
    void aFlushThatTheHostRefusesFails() throws Exception {
        try (Disk disk = Disk.on(image)) {
            disk.slot
                    .kept(
                            "image",
                            Fd.class,
                            () -> {
                                throw new DeviceException("is kept already");
                            })
                    .close();
            assertStatus(1, disk.request(Disk.header(BlkWire.T_FLUSH, 0), 1));
        }
    }

    @Test
    void everyQueueOfSeveralWorks() throws Exception {
        try (Disk disk = Disk.on(image, "queues=4")) {
            assertNotEquals(0, disk.device.shape().features() & BlkWire.F_MQ);
            for (int queue = 0; queue < 4; queue++) {
                byte[] write = Disk.header(BlkWire.T_OUT, queue, sector(100 + queue));
                assertStatus(0, disk.request(queue, Layout.PLAIN, write, 1));
            }
            assertArrayEquals(
                    Disk.concat(sector(100), sector(101), sector(102), sector(103)),
                    disk.read(0, 2048).data());
            List<SplitQueue> some = new ArrayList<>(Collections.nCopies(4, null));
            some.set(0, disk.queues().get(0));
            disk.device.activate(Disk.ALL_FEATURES, some);
            disk.device.work(3);
            assertStatus(0, disk.read(0, 512));
        }
    }

    @Test
    void aQuiescedDiskTakesNothingAndGoesOnWhenResumed() throws Exception {
        try (Disk disk = Disk.on(image)) {
            disk.device.quiesce();
            assertTrue(disk.device.idle());
            assertStatus(-1, disk.read(0, 512));
            disk.device.resume();
            disk.device.work(0);
            assertEquals(513, disk.rings.get(0).collect().length());
        }
    }

    @Test
    void quiescingEndsTheWorkUnderWayAfterTheRequestItIsAt() throws Exception {
        try (Disk disk = Disk.on(image)) {
            for (int i = 0; i < 4; i++) {
                disk.offer(0, Layout.PLAIN, Disk.header(BlkWire.T_FLUSH, 0), 1);
            }
            disk.rings.get(0).publish();
            // The interrupt for the first comes before the second's flush.
            disk.onInterrupt = disk.device::quiesce;
            disk.rings.get(0).enableInterrupts();
            disk.device.work(0);
            assertEquals(2, disk.rings.get(0).usedIndex());
            assertTrue(disk.device.idle());
            disk.onInterrupt = () -> {};
            disk.device.resume();
            disk.device.work(0);
            assertEquals(4, disk.rings.get(0).usedIndex());
        }
    }

    @Test
    void doesNothingBetweenResetAndActivation() throws Exception {
        try (Disk disk = Disk.on(image)) {
            disk.device.quiesce();
            disk.device.reset();
            assertStatus(-1, disk.read(0, 512));
            DriverRing ring = disk.rings.get(0);
            disk.ports.get(0).disable();
            ring.reset();
            Disk.enable(disk.ports.get(0), ring);
            disk.activate(Disk.ALL_FEATURES);
            assertStatus(0, disk.read(0, 512));
        }
    }

    @Test
    void interruptsOnceForABatchAndRingsNoBellWhileItWorks() throws Exception {
        try (Disk disk = Disk.on(image)) {
            DriverRing ring = disk.rings.get(0);
            ring.enableInterrupts();
            for (int i = 0; i < 10; i++) {
                disk.offer(0, Layout.PLAIN, Disk.header(BlkWire.T_IN, i), 513);
            }
            assertTrue(ring.publish());
            disk.device.work(0);
            assertEquals(1, disk.interrupts);
            assertEquals(10, ring.usedIndex());
            disk.offer(0, Layout.PLAIN, Disk.header(BlkWire.T_IN, 0), 513);
            assertTrue(ring.publish(), "a bell is wanted again");
        }
    }

    @Test
    void writesThroughWhereTheDriverCannotFlushOrAskedForIt() throws Exception {
        try (Disk disk = Disk.on(image)) {
            assertFalse(disk.device.writesThrough());
            disk.device.writeConfig(BlkWire.CONFIG_WRITEBACK, 1, 0);
            assertEquals(0, disk.device.readConfig(BlkWire.CONFIG_WRITEBACK, 1));
            assertTrue(disk.device.writesThrough());
            assertStatus(0, disk.write(0, sector(9)));
            assertStatus(0, ranges(disk, BlkWire.T_WRITE_ZEROES, Disk.range(1, 1, 0)));
            disk.device.reset();
            assertEquals(1, disk.device.readConfig(BlkWire.CONFIG_WRITEBACK, 1));
            disk.activate(disk.device.shape().features() & ~BlkWire.F_FLUSH);
            assertEquals(0, disk.device.readConfig(BlkWire.CONFIG_WRITEBACK, 1));
            disk.device.writeConfig(BlkWire.CONFIG_WRITEBACK, 1, 1);
            assertTrue(disk.device.writesThrough());
        }
    }

    @Test
    void configurationIsReadOnlyButForTheCacheMode() throws Exception {
        try (Disk disk = Disk.on(image)) {
            disk.device.writeConfig(BlkWire.CONFIG_CAPACITY, 8, 1);
            disk.device.writeConfig(BlkWire.CONFIG_WRITEBACK, 4, 0);
            assertEquals(Disk.SECTORS, disk.device.readConfig(0, 8));
            assertEquals(1, disk.device.readConfig(BlkWire.CONFIG_WRITEBACK, 1));
        }
    }

    @Test
    void theNextVersionGoesOnWithImageLockAndCacheMode() throws Exception {
        try (Disk disk = Disk.on(image)) {
            disk.device.writeConfig(BlkWire.CONFIG_WRITEBACK, 1, 0);
            VirtioBlk old = disk.device;
            old.quiesce();
            disk.create();
            var support = (SaveSupport.Saveable) old.saveSupport();
            var next = (SaveSupport.Saveable) disk.device.saveSupport();
            SavedState saved = support.saver().save();
            GoldenState.requireSame(BlkStateTest.class, BlkStateTest.FILE, saved);
            next.restorer().restore(saved);
            old.close();
            disk.device.start();
            disk.activate(Disk.ALL_FEATURES);
            assertEquals(List.of("image"), disk.slot.keptNames());
            assertTrue(disk.device.writesThrough());
            assertStatus(0, disk.write(4, sector(44)));
            assertArrayEquals(sector(44), onDisk(4, 1));
            try (Disk other = Disk.in(image)) {
                assertThrows(DeviceException.class, other::create);
            }
        }
        try (Disk again = Disk.on(image)) {
            assertStatus(0, again.read(0, 512));
        }
    }
}
