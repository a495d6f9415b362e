package org.backplane.device.virtio.blk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import org.backplane.device.virtio.blk.Disk.Answer;
import org.backplane.device.virtio.blk.Disk.Layout;

/** Random requests in random framing against an array that stands for the disk. */
class BlkModelTest {
    record Request(int type, long sector, int bytes, int queue, long seed, Layout layout) {}

    @Provide
    Arbitrary<List<Request>> requests() {
        Arbitrary<Integer> types =
                Arbitraries.of(
                        BlkWire.T_IN,
                        BlkWire.T_OUT,
                        BlkWire.T_FLUSH,
                        BlkWire.T_WRITE_ZEROES,
                        BlkWire.T_GET_ID,
                        7);
        Arbitrary<Long> sectors =
                Arbitraries.frequencyOf(
                        Tuple.of(9, Arbitraries.longs().between(0, Disk.SECTORS + 2)),
                        Tuple.of(1, Arbitraries.longs()));
        Arbitrary<Integer> bytes =
                Arbitraries.frequencyOf(
                        Tuple.of(6, Arbitraries.integers().between(0, 12).map(n -> n * 512)),
                        Tuple.of(1, Arbitraries.integers().between(0, 3000)));
        Arbitrary<Layout> layouts =
                Combinators.combine(
                                Arbitraries.of(true, false),
                                Arbitraries.integers()
                                        .between(1, 3000)
                                        .array(int[].class)
                                        .ofMaxSize(6))
                        .as(BlkModelTest::layout);
        return Combinators.combine(
                        types,
                        sectors,
                        bytes,
                        Arbitraries.integers().between(0, 1),
                        Arbitraries.longs(),
                        layouts)
                .as(Request::new)
                .list()
                .ofMinSize(1)
                .ofMaxSize(25);
    }

    /** Chains stay shorter than the queue: one piece of every layout is large enough. */
    private static Layout layout(boolean indirect, int[] pieces) {
        if (pieces.length > 0) {
            pieces[pieces.length - 1] = Math.max(pieces[pieces.length - 1], 300);
        }
        return new Layout(indirect, pieces);
    }

    @Property(tries = 150)
    void everyRequestDoesToTheImageWhatItDoesToTheModel(@ForAll("requests") List<Request> requests)
            throws Exception {
        Path folder = Files.createTempDirectory("blk");
        Path image = Disk.image(folder);
        byte[] model = Files.readAllBytes(image);
        try (Disk disk = Disk.on(image, "queues=2", "serial=model")) {
            for (Request request : requests) {
                check(disk, model, request);
            }
            assertTrue(disk.broken.isEmpty(), disk.broken::toString);
            assertArrayEquals(model, Files.readAllBytes(image));
        } finally {
            Files.delete(image);
            Files.delete(folder);
        }
    }

    private static void check(Disk disk, byte[] model, Request request) {
        byte[] data = new byte[request.bytes];
        new Random(request.seed).nextBytes(data);
        long capacity = model.length / 512;
        boolean whole = request.bytes % 512 == 0;
        long sectors = request.bytes / 512;
        boolean there = request.sector >= 0 && request.sector <= capacity - sectors;
        int at = there ? (int) request.sector * 512 : 0;
        switch (request.type) {
            case BlkWire.T_IN -> {
                Answer read = send(disk, request, new byte[0], request.bytes);
                assertEquals(whole && there ? 0 : 1, read.status());
                byte[] expected =
                        whole && there
                                ? Arrays.copyOfRange(model, at, at + request.bytes)
                                : Disk.filled(request.bytes);
                assertArrayEquals(expected, read.data());
            }
            case BlkWire.T_OUT -> {
                assertEquals(whole && there ? 0 : 1, send(disk, request, data, 0).status());
                if (whole && there) {
                    System.arraycopy(data, 0, model, at, data.length);
                }
            }
            case BlkWire.T_WRITE_ZEROES -> {
                byte[] range = Disk.range(request.sector, (int) sectors, (int) (request.seed & 1));
                assertEquals(there ? 0 : 1, send(disk, request, range, 0).status());
                if (there) {
                    Arrays.fill(model, at, at + (int) sectors * 512, (byte) 0);
                }
            }
            case BlkWire.T_FLUSH ->
                    assertEquals(0, send(disk, request, data, request.bytes).status());
            case BlkWire.T_GET_ID -> {
                Answer id = send(disk, request, new byte[0], request.bytes);
                assertEquals(0, id.status());
                byte[] expected = Disk.filled(request.bytes);
                byte[] serial = Arrays.copyOf(new byte[] {'m', 'o', 'd', 'e', 'l'}, 20);
                System.arraycopy(serial, 0, expected, 0, Math.min(20, request.bytes));
                assertArrayEquals(expected, id.data());
            }
            default -> assertEquals(2, send(disk, request, data, request.bytes).status());
        }
    }

    private static Answer send(Disk disk, Request request, byte[] data, int room) {
        return disk.request(
                request.queue,
                request.layout,
                Disk.header(request.type, request.sector, data),
                room + 1);
    }
}
