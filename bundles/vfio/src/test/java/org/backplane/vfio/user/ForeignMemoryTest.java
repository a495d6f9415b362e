package org.backplane.vfio.user;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.backplane.linux.Fd;
import org.backplane.linux.Memfd;
import org.backplane.linux.OpenFlag;
import org.backplane.memory.GuestMemory;
import org.backplane.memory.GuestMemory.RamBank;
import org.backplane.vfio.IrqInfo;
import org.backplane.vfio.RegionInfo;
import org.backplane.vfio.RegionInfo.Area;
import org.backplane.vfio.VfioException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Memory of others, which may not stay as it was given. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ForeignMemoryTest {
    private static final long SIZE = 1 << 16;

    @TempDir Path folder;

    private Path path;
    private Fd file;

    @BeforeEach
    void create() throws IOException {
        path = folder.resolve("device");
        file = Fd.open(folder.resolve("file"), OpenFlag.READ, OpenFlag.WRITE, OpenFlag.CREATE);
        file.truncate(SIZE);
    }

    /** Why the last offer was not taken; empty if it was. */
    private String reason;

    @AfterEach
    void close() {
        file.close();
    }

    /** A device with one BAR that it offers to map from a descriptor. */
    private record Offer(RegionInfo bar, Fd descriptor) implements ServedDevice {
        @Override
        public void wired(ServedWires wires) {}

        @Override
        public boolean resettable() {
            return false;
        }

        @Override
        public RegionInfo region(int index) {
            return index == 0 ? bar : DeviceQueries.absentRegion(index);
        }

        @Override
        public Optional<Fd> mapping(int region) {
            return Optional.ofNullable(descriptor);
        }

        @Override
        public IrqInfo irq(int index) {
            return DeviceQueries.absentIrq(index);
        }

        @Override
        public long read(int region, long offset, int width) {
            return 0x5a;
        }

        @Override
        public void write(int region, long offset, int width, long value) {}

        @Override
        public void reset() {}

        @Override
        public void map(ServedMemory memory) {}

        @Override
        public void unmap(List<ServedMemory> memory) {}
    }

    /** What a client takes for mappable of an offer; messages work in any case. */
    private List<Area> mappable(long fileOffset, List<Area> areas, Fd descriptor)
            throws IOException {
        RegionInfo bar = new RegionInfo(0, SIZE, true, true, fileOffset, areas, true);
        try (VfioUserServer server = VfioUserServer.open(path, new Offer(bar, descriptor));
                GuestMemory memory = new GuestMemory("ram", List.of(new RamBank(0, SIZE)));
                VfioUserDevice client = VfioUserDevice.connect(server.path(), memory)) {
            assertEquals(SIZE, client.region(0).size());
            assertEquals(0x5a, client.read(0, 8, 1));
            List<Area> mapped = client.region(0).mappable();
            reason = client.unmapped(0).orElse("");
            assertEquals(mapped.isEmpty(), !reason.isEmpty(), reason);
            return mapped;
        }
    }

    @Test
    void onlyWhatCannotShrinkIsMapped() throws IOException {
        List<Area> whole = List.of(new Area(0, SIZE));
        try (Memfd sealed = Memfd.create("sealed", SIZE);
                Fd device = Fd.open(Path.of("/dev/zero"), OpenFlag.READ, OpenFlag.WRITE)) {
            assertEquals(whole, mappable(0, whole, sealed));
            assertEquals(List.of(), mappable(0, whole, file));
            assertTrue(reason.contains("can shrink"), reason);
            assertEquals(List.of(), mappable(0, whole, device));
            assertTrue(reason.contains("can shrink"), reason);
            assertEquals(List.of(), mappable(0, whole, null));
            assertTrue(reason.contains("no descriptor came"), reason);
        }
    }

    @Test
    void nothingBehindTheEndOfTheMemoryIsMapped() throws IOException {
        try (Memfd sealed = Memfd.create("sealed", SIZE)) {
            List<Area> first = List.of(new Area(0, SIZE / 2));
            List<Area> last = List.of(new Area(4096, 4096), new Area(SIZE / 2, SIZE / 2));
            assertEquals(first, mappable(SIZE / 2, first, sealed));
            assertEquals(List.of(), mappable(SIZE / 2 + 4096, first, sealed));
            assertTrue(reason.contains("its descriptor ends at"), reason);
            assertEquals(last, mappable(0, last, sealed));
            assertEquals(List.of(), mappable(4096, last, sealed));
            assertEquals(List.of(), mappable(Long.MAX_VALUE - SIZE, last, sealed));
        }
    }

    @Test
    void whatTheKernelDoesNotMapIsNoError() throws IOException {
        try (Memfd sealed = Memfd.create("sealed", SIZE * 2);
                Fd reading = Fd.open(Path.of("/proc/self/fd/" + sealed.number()), OpenFlag.READ)) {
            List<Area> whole = List.of(new Area(0, SIZE));
            assertEquals(List.of(), mappable(0, whole, reading));
            assertTrue(reason.contains("Permission denied"), reason);
            assertEquals(List.of(), mappable(512, whole, sealed));
            assertTrue(reason.contains("Invalid argument"), reason);
            assertEquals(whole, mappable(4096, whole, sealed));
        }
    }

    @Test
    void memoryThatItsClientCutsOffIsTheDevicesFaultAndNothingElses() throws Exception {
        try (PlainDevice device = new PlainDevice();
                VfioUserServer server = VfioUserServer.open(path, device)) {
            // The first rounds are interpreted code, the last are compiled.
            for (int loads : new int[] {1, 100, 20_000}) {
                file.truncate(SIZE);
                try (RawPeer peer = RawPeer.greet(server.path())) {
                    assertEquals(
                            0, peer.errno(Wire.DMA_MAP, RawPeer.map(0, SIZE, 0), List.of(file)));
                    assertFalse(device.memory.get(0).keepsSize());
                    for (int i = 0; i < loads; i++) {
                        peer.errno(
                                Wire.REGION_WRITE, RawPeer.store(PlainDevice.LOAD, 8), List.of());
                    }
                    file.truncate(0);
                    assertTrue(isTold(peer), "a load of nothing is an error, or the end");
                }
                try (RawPeer next = RawPeer.greet(server.path())) {
                    assertEquals(
                            0,
                            next.errno(
                                    Wire.REGION_WRITE,
                                    RawPeer.store(PlainDevice.SEEN, 1),
                                    List.of()));
                    assertEquals(List.of(), device.memory);
                }
            }
        }
    }

    /** The virtual machine reports such an access when it comes to it: not always at once. */
    private static boolean isTold(RawPeer peer) {
        for (int i = 0; i < 10_000; i++) {
            try {
                if (peer.errno(Wire.REGION_WRITE, RawPeer.store(PlainDevice.LOAD, 8), List.of())
                        != 0) {
                    return true;
                }
            } catch (IOException e) {
                return true;
            }
        }
        return false;
    }

    @Test
    void memoryThatCannotShrinkIsKnownToTheDevice() throws IOException {
        try (PlainDevice device = new PlainDevice();
                Memfd sealed = Memfd.create("sealed", SIZE);
                VfioUserServer server = VfioUserServer.open(path, device);
                RawPeer peer = RawPeer.greet(server.path())) {
            assertEquals(0, peer.errno(Wire.DMA_MAP, RawPeer.map(0, SIZE, 0), List.of(sealed)));
            assertTrue(device.memory.get(0).keepsSize());
            assertEquals(
                    Wire.EINVAL,
                    peer.errno(Wire.DMA_MAP, RawPeer.map(SIZE, SIZE, 4096), List.of(sealed)));
        }
    }

    @Test
    void aDeviceThatIsNotMappedSaysSo() throws VfioException, IOException {
        try (PlainDevice device = new PlainDevice();
                VfioUserServer server = VfioUserServer.open(path, device);
                RawPeer peer = RawPeer.greet(server.path())) {
            assertEquals(
                    Wire.EIO,
                    peer.errno(Wire.REGION_WRITE, RawPeer.store(PlainDevice.LOAD, 8), List.of()));
        }
    }
}
