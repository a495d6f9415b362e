package org.backplane.testkit.vfio;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.backplane.linux.EventFd;
import org.backplane.linux.Mapping;
import org.backplane.memory.OffHeap;
import org.backplane.testkit.TestMemory;
import org.backplane.vfio.RegionInfo;
import org.backplane.vfio.RegionInfo.Area;
import org.backplane.vfio.VfioDevice;
import org.backplane.vfio.VfioException;
import org.backplane.vfio.user.VfioUserDevice;
import org.backplane.vfio.user.VfioUserServer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** As a client sees described devices. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class DescribedDeviceTest {
    private static final int CONFIG = VfioDevice.CONFIG;

    @TempDir Path folder;

    private TestMemory memory;
    private DescribedDevice device;
    private VfioUserServer server;
    private VfioUserDevice client;

    private void serve(DeviceDescription description) throws IOException {
        memory = new TestMemory();
        device = DescribedDevice.open(description);
        Path path = folder.resolve("device");
        server = VfioUserServer.open(path, device);
        client = VfioUserDevice.connect(path, memory.guestMemory());
    }

    @AfterEach
    void close() {
        if (client != null) {
            client.close();
            server.close();
            device.close();
            memory.close();
        }
    }

    /** Offsets by id, as a driver finds them. */
    private Map<Integer, Integer> capabilities() throws VfioException {
        Map<Integer, Integer> found = new LinkedHashMap<>();
        int at = (int) client.read(CONFIG, 0x34, 1);
        while (at != 0) {
            found.put((int) client.read(CONFIG, at, 1), at);
            at = (int) client.read(CONFIG, at + 1, 1);
        }
        return found;
    }

    @Test
    void theR8168IsTheCardOfTheScenario() throws IOException {
        serve(DescribedDevices.r8168());
        assertEquals(0x816810ecL, client.read(CONFIG, 0, 4));
        assertEquals(0x02000002L, client.read(CONFIG, 8, 4));
        assertEquals(4096, client.region(CONFIG).size());
        assertEquals(Map.of(0x05, 0x50, 0x10, 0x70, 0x11, 0xb0), capabilities());
        assertEquals(256, client.region(0).size());
        assertEquals(4096, client.region(2).size());
        assertEquals(16384, client.region(4).size());
        assertEquals(0x01, client.read(CONFIG, 0x10, 4));
        assertEquals(0x04, client.read(CONFIG, 0x18, 4));
        assertEquals(0x0c, client.read(CONFIG, 0x20, 4));
        assertEquals(3, client.read(CONFIG, 0xb2, 2));
        assertEquals(4, client.read(CONFIG, 0xb4, 4));
        assertEquals(0x1004, client.read(CONFIG, 0xb8, 4));
        assertEquals(4, client.irq(VfioDevice.MSIX).count());
        assertEquals(1, client.irq(VfioDevice.MSI).count());
        assertEquals(1, client.irq(VfioDevice.INTX).count());
        assertTrue(client.region(4).msixMappable());
        assertEquals(List.of(new Area(0, 16384)), client.region(4).mappable());
    }

    @Test
    void theR8168sDriverFindsChipPhyAndAddress() throws IOException {
        serve(DescribedDevices.r8168());
        assertEquals(0x3c2, client.read(2, 0x40, 4) >> 20 & 0xfcf);
        client.write(2, 0x40, 4, 0x0300_0700);
        assertEquals(0x3f20_0700, client.read(2, 0x40, 4));
        client.write(2, 0x37, 1, 0x1c);
        assertEquals(0x0c, client.read(2, 0x37, 1));
        assertEquals(0x81005452L, client.read(0, 0, 4));
        assertEquals(0x0168, client.read(2, 4, 2));
        client.write(2, 0x60, 4, 2 << 16);
        assertEquals(0x8002_001cL, client.read(2, 0x60, 4));
        client.write(2, 0x60, 4, 3 << 16);
        assertEquals(0x8003_c912L, client.read(2, 0x60, 4));
        client.write(2, 0x60, 4, 0x8000_0000L | 0x9140);
        assertEquals(0x9140, client.read(2, 0x60, 4));
        client.write(2, 0x60, 4, 0);
        assertEquals(0x8000_1140L, client.read(2, 0x60, 4));
        client.write(2, 0x80, 4, 0x8001_1234L);
        assertEquals(0x0001_1234L, client.read(2, 0x80, 4));
        client.write(2, 0x80, 4, 0x0001_0000L);
        assertEquals(0x8001_1234L, client.read(2, 0x80, 4));
        client.write(2, 0x10, 4, 0x1000_0009);
        assertEquals(0x1000_0000L, client.read(2, 0x10, 4));
    }

    @Test
    void ioAndMemoryAreTheSameRegisters() throws IOException {
        serve(DescribedDevices.r8168());
        client.write(0, 0x14, 4, 0x1234_5678);
        assertEquals(0x1234_5678, client.read(2, 0x14, 4));
        assertThrows(VfioException.class, () -> client.read(0, 256, 4));
    }

    @Test
    void barsAreSizedAndKeepTheirKind() throws IOException {
        serve(DescribedDevices.r8168());
        for (int at = 0x10; at < 0x28; at += 4) {
            client.write(CONFIG, at, 4, 0xffff_ffffL);
        }
        assertEquals(0xffff_ff01L, client.read(CONFIG, 0x10, 4));
        assertEquals(0, client.read(CONFIG, 0x14, 4));
        assertEquals(0xffff_f004L, client.read(CONFIG, 0x18, 4));
        assertEquals(0xffff_ffffL, client.read(CONFIG, 0x1c, 4));
        assertEquals(0xffff_c00cL, client.read(CONFIG, 0x20, 4));
        client.write(CONFIG, 0x06, 2, 0xffff);
        assertEquals(0x10, client.read(CONFIG, 0x06, 2));
        client.write(CONFIG, 0x30, 4, 0xffff_ffffL);
        assertEquals(0, client.read(CONFIG, 0x30, 4));
    }

    @ParameterizedTest
    @ValueSource(longs = {DescribedDevices.COPY_START, DescribedDevices.COPY_BY_MESSAGES})
    void copiesInTheClientsMemory(long start) throws IOException {
        serve(DescribedDevices.r8168());
        byte[] content = new byte[300_000];
        for (int i = 0; i < content.length; i++) {
            content[i] = (byte) (i * 31 >> 3);
        }
        // Over the boundary of two banks.
        long source = TestMemory.BOUNDARY - 100_000;
        long destination = TestMemory.BOUNDARY + 1_000_000;
        memory.write(source, content);
        client.write(2, DescribedDevices.COPY_SOURCE, 8, source);
        client.write(2, DescribedDevices.COPY_DESTINATION, 8, destination);
        client.write(2, DescribedDevices.COPY_LENGTH, 8, content.length);
        client.write(2, start, 4, 1);
        assertEquals(1, client.read(2, DescribedDevices.COPY_STATUS, 4));
        assertArrayEquals(content, memory.read(destination, content.length));
        client.write(2, DescribedDevices.COPY_SOURCE, 8, 0);
        client.write(2, start, 4, 1);
        assertEquals(2, client.read(2, DescribedDevices.COPY_STATUS, 4));
    }

    @Test
    void signalsAnyOf2048Vectors() throws IOException {
        serve(DescribedDevices.manyVectors());
        assertEquals(2048, client.irq(VfioDevice.MSIX).count());
        assertEquals(0x7ff, client.read(CONFIG, 0x82, 2));
        List<EventFd> events = new ArrayList<>();
        try {
            client.trigger(
                    VfioDevice.MSIX, 0, Collections.nCopies(2048, Optional.<EventFd>empty()));
            for (int i = 0; i < 2048; i++) {
                events.add(EventFd.open());
            }
            client.trigger(VfioDevice.MSIX, 0, events.stream().map(Optional::of).toList());
            for (int vector : new int[] {0, 16, 1023, 2047}) {
                client.write(0, DescribedDevices.DOORBELL, 4, vector);
                assertEquals(1, events.get(vector).drain());
            }
            client.write(0, DescribedDevices.DOORBELL, 4, 2048);
            client.write(0, DescribedDevices.DOORBELL, 4, -1);
            for (EventFd event : events) {
                assertEquals(0, event.drain());
            }
        } finally {
            events.forEach(EventFd::close);
        }
    }

    @Test
    void sparseAreasAreTheOnlyOnesToMap() throws IOException {
        serve(DescribedDevices.sparse());
        RegionInfo region = client.region(0);
        assertEquals(
                List.of(new Area(0x2000, 0x2000), new Area(0x8000, 0x8000)), region.mappable());
        for (Area area : region.mappable()) {
            try (Mapping mapping =
                    Mapping.shared(
                            client.mapping(0),
                            area.offset(),
                            area.length(),
                            Mapping.Protection.READ_WRITE)) {
                OffHeap.putInt(mapping.address() + 8, 77);
                assertEquals(77, client.read(0, area.offset() + 8, 4));
            }
        }
    }

    @Test
    void aResetGivesRegistersTheirFirstValues() throws IOException {
        serve(DescribedDevices.r8168());
        client.write(CONFIG, 0x04, 2, 0x7);
        client.write(2, 0x40, 4, 0x700);
        client.write(2, 0x60, 4, 0x8000_1000L);
        client.write(2, 0x200, 4, 5);
        client.reset();
        assertEquals(1, device.resets());
        assertEquals(0, client.read(CONFIG, 0x04, 2));
        assertEquals(0x3c20_0000L, client.read(2, 0x40, 4));
        client.write(2, 0x60, 4, 0);
        assertEquals(0x8000_1140L, client.read(2, 0x60, 4));
        assertEquals(5, client.read(2, 0x200, 4));
    }

    @Test
    void conventionalDevicesHaveSmallBarsAndNoReset() throws IOException {
        serve(DescribedDevices.small());
        assertFalse(client.resettable());
        assertThrows(VfioException.class, client::reset);
        assertEquals(256, client.region(CONFIG).size());
        assertEquals(16, client.region(5).size());
        assertEquals(8, client.irq(VfioDevice.MSI).count());
        assertEquals(0x106, client.read(CONFIG, 0x42, 2));
        try (EventFd event = EventFd.open();
                EventFd line = EventFd.open()) {
            client.trigger(VfioDevice.MSI, 7, List.of(Optional.of(event)));
            client.write(0, 0x84, 4, 7);
            assertEquals(1, event.drain());
            client.disable(VfioDevice.MSI);
            client.trigger(VfioDevice.INTX, 0, List.of(Optional.of(line)));
            client.write(0, 0x80, 4, 1);
            assertEquals(1, line.drain());
        }
    }

    @Test
    void theClientsMemoryIsGivenBackWithTheClient() throws IOException {
        serve(DescribedDevices.r8168());
        assertEquals(2, device.memoryRuns());
        client.close();
        server.close();
        assertEquals(0, device.memoryRuns());
    }
}
