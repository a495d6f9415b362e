package org.backplane.vfio.user;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.backplane.linux.EventFd;
import org.backplane.linux.Fd;
import org.backplane.linux.Mapping;
import org.backplane.linux.Memfd;
import org.backplane.linux.StreamListener;
import org.backplane.linux.StreamSocket;
import org.backplane.memory.Access;
import org.backplane.memory.GuestMemory;
import org.backplane.memory.GuestMemory.RamBank;
import org.backplane.memory.MemoryLease;
import org.backplane.memory.OffHeap;
import org.backplane.vfio.RegionInfo.Area;
import org.backplane.vfio.VfioDevice;
import org.backplane.vfio.VfioException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Client and server of this package, one against the other. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class VfioUserTest {
    private static final long RAM = 0x8000_0000L;
    private static final long BANK = 1 << 20;
    private static final long HIGH = 0x1_0000_0000L;

    @TempDir Path folder;

    private Path path;
    private GuestMemory memory;
    private PlainDevice device;
    private VfioUserServer server;
    private VfioUserDevice client;

    @BeforeEach
    void connect() throws IOException {
        path = folder.resolve("device");
        memory = new GuestMemory("ram", List.of(new RamBank(RAM, BANK), new RamBank(HIGH, BANK)));
        device = new PlainDevice();
        server = VfioUserServer.open(path, device);
        client = VfioUserDevice.connect(path, memory);
    }

    @AfterEach
    void close() {
        client.close();
        server.close();
        device.close();
        memory.close();
    }

    private static void await(BooleanSupplier condition) {
        while (!condition.getAsBoolean()) {
            Thread.onSpinWait();
        }
    }

    private long host(long address) {
        return memory.layout().translate(address, 8, Access.WRITE);
    }

    @Test
    void oneMachineHasTheDeviceOfAServerOnce() throws IOException {
        client.close();
        Path link = Files.createSymbolicLink(folder.resolve("link"), path);
        VfioUserDevices devices = VfioUserDevices.open(memory);
        VfioUserDevice first = devices.connect(path);
        for (Path same :
                List.of(
                        path,
                        link,
                        folder.resolve("..").resolve(folder.getFileName()).resolve("device"))) {
            assertEquals(
                    "The device at '%s' is in another slot of this machine; unplug that first, or give another socket."
                            .formatted(same),
                    assertThrows(VfioException.class, () -> devices.connect(same)).getMessage());
        }
        assertEquals(device.region(0), first.region(0));
        first.close();
        try (VfioUserDevice second = devices.connect(link)) {
            first.close();
            assertThrows(VfioException.class, () -> devices.connect(path));
            assertEquals(device.region(0), second.region(0));
        }
        server.close();
        for (int time = 0; time < 2; time++) {
            assertTrue(
                    assertThrows(VfioException.class, () -> devices.connect(path)).isAbsent(),
                    "what could not be connected to is nobody's");
        }
    }

    @Test
    void theClientSeesTheDeviceAsItIs() {
        assertEquals(path.toString(), client.name());
        assertTrue(client.resettable());
        for (int i = 0; i < 9; i++) {
            assertEquals(device.region(i), client.region(i));
        }
        for (int i = 0; i < 5; i++) {
            assertEquals(device.irq(i), client.irq(i));
        }
        assertEquals(0, client.region(9).size());
        assertEquals(0, client.region(-1).size());
        assertEquals(0, client.irq(5).count());
        assertThrows(IllegalArgumentException.class, () -> client.mapping(0));
        assertThrows(IllegalArgumentException.class, () -> client.mapping(9));
    }

    @Test
    void registersAreReadAndWrittenInTheirWidth() throws VfioException {
        client.write(0, 0x10, 8, 0x8877665544332211L);
        assertEquals(0x8877665544332211L, client.read(0, 0x10, 8));
        assertEquals(0x88776655L, client.read(0, 0x14, 4));
        assertEquals(0x8877, client.read(0, 0x16, 2));
        assertEquals(0x88, client.read(0, 0x17, 1));
        client.write(VfioDevice.CONFIG, 0x3c, 1, 0xfa);
        assertEquals(0xfa, client.read(VfioDevice.CONFIG, 0x3c, 1));
        assertEquals(
                List.of("W8@10", "R8@10", "R4@14", "R2@16", "R1@17", "W1@3c", "R1@3c"),
                device.takeAccesses());
    }

    @Test
    void anAccessAcrossItsAlignmentReachesTheDeviceInPieces() throws VfioException {
        client.write(0, 0x11, 8, 0x8877665544332211L);
        assertEquals(List.of("W1@11", "W2@12", "W4@14", "W1@18"), device.takeAccesses());
        assertEquals(0x8877665544332211L, client.read(0, 0x11, 8));
        client.read(VfioDevice.CONFIG, 0, 8);
        assertEquals(
                List.of("R1@11", "R2@12", "R4@14", "R1@18", "R4@0", "R4@4"), device.takeAccesses());
    }

    @Test
    void whatIsNotInARegionIsRefusedAndTheConnectionGoesOn() throws VfioException {
        VfioException failure = assertThrows(VfioException.class, () -> client.read(0, 4093, 4));
        assertTrue(failure.getMessage().contains("Invalid argument"), failure.getMessage());
        assertThrows(VfioException.class, () -> client.read(0, -4, 4));
        assertThrows(VfioException.class, () -> client.read(0, Long.MAX_VALUE, 4));
        assertThrows(VfioException.class, () -> client.read(1, 0, 4));
        assertThrows(VfioException.class, () -> client.read(3, 0, 4));
        assertThrows(VfioException.class, () -> client.read(9, 0, 4));
        assertThrows(VfioException.class, () -> client.write(-1, 0, 4, 0));
        assertEquals(List.of(), device.takeAccesses());
        client.write(1, 0, 4, 0);
        assertTrue(client.attend());
    }

    @Test
    void aDeviceThatThrowsIsAnErrorOfThatAccess() throws VfioException {
        assertThrows(VfioException.class, () -> client.read(0, PlainDevice.BROKEN, 8));
        assertThrows(VfioException.class, () -> client.write(0, PlainDevice.BROKEN, 8, 1));
        assertEquals(0, client.read(0, 0, 4));
    }

    @Test
    void areasAreMappedFromTheDevicesOwnMemory() throws IOException {
        assertEquals(List.of(new Area(8192, 8192)), client.region(2).mappable());
        try (Mapping mapping =
                Mapping.shared(client.mapping(2), 8192, 8192, Mapping.Protection.READ_WRITE)) {
            OffHeap.putInt(mapping.address() + 4, 0x1234_5678);
            assertEquals(0x1234_5678, client.read(2, 8196, 4));
        }
    }

    @Test
    void theServerHasTheGuestsRamByDescriptor() throws VfioException {
        assertEquals(2, device.memory.size());
        ServedMemory high = device.memory.get(1);
        assertEquals(HIGH, high.address());
        assertEquals(BANK, high.length());
        assertTrue(high.keepsSize());
        OffHeap.putLong(host(HIGH + 0x800), 0x1122_3344_5566_7788L);
        client.write(0, PlainDevice.LOAD, 8, HIGH + 0x800);
        assertEquals(0x1122_3344_5566_7788L, client.read(0, PlainDevice.SEEN, 8));
    }

    @Test
    void theServerReadsAndWritesTheGuestByMessagesInsideOfAnAccess() throws VfioException {
        OffHeap.putLong(host(RAM + 0x40), 0x0102_0304_0506_0708L);
        client.write(0, PlainDevice.FETCH, 8, RAM + 0x40);
        assertEquals(0x0102_0304_0506_0708L, client.read(0, PlainDevice.SEEN, 8));
        client.write(0, PlainDevice.STORE, 8, HIGH + 8);
        assertEquals(0x0102_0304_0506_0708L, OffHeap.getLong(host(HIGH + 8)));
    }

    @Test
    void memoryThatTheGuestDoesNotHaveIsRefusedToTheServer() throws VfioException {
        for (long address : new long[] {0, RAM - 4, RAM + BANK - 4, HIGH + BANK, -8}) {
            assertThrows(VfioException.class, () -> client.write(0, PlainDevice.FETCH, 8, address));
        }
        assertTrue(client.attend());
    }

    @Test
    void theServerReachesTheGuestWhileNobodyAccessesIt() throws Exception {
        OffHeap.putLong(host(RAM), 42);
        byte[] bytes = new byte[8];
        CompletableFuture<Void> reading =
                CompletableFuture.runAsync(
                        () -> {
                            try {
                                device.wires.readMemory(RAM, bytes);
                            } catch (VfioException e) {
                                throw new IllegalStateException(e);
                            }
                        });
        while (!reading.isDone()) {
            assertTrue(client.attend());
        }
        reading.get();
        assertEquals(42, bytes[0]);
    }

    @Test
    void memoryComesAndGoesWithTheGuests() throws Exception {
        try (Memfd behindBar = Memfd.create("bar", 4096)) {
            MemoryLease lease = memory.map(0x1000_0000, behindBar, 0, 4096, true);
            assertEquals(2, device.memory.size());
            lease.close();
        }
        client.close();
        await(() -> device.memory.isEmpty());
        assertEquals(1, device.unmappings, "what goes together goes at once");
    }

    @Test
    void vectorsSignalTheirEventfds() throws Exception {
        List<EventFd> events = new ArrayList<>();
        try {
            for (int i = 0; i < 40; i++) {
                events.add(EventFd.open());
            }
            List<Optional<EventFd>> some =
                    IntStream.range(0, 40)
                            .mapToObj(
                                    i ->
                                            i % 19 == 3
                                                    ? Optional.<EventFd>empty()
                                                    : Optional.of(events.get(i)))
                            .toList();
            client.trigger(VfioDevice.MSIX, 0, some);
            for (int i = 0; i < 40; i++) {
                client.write(0, PlainDevice.SIGNAL, 8, i);
                assertEquals(i % 19 == 3 ? 0 : 1, events.get(i).drain(), "vector " + i);
            }
            client.trigger(VfioDevice.MSIX, 3, List.of(Optional.of(events.get(3))));
            client.trigger(VfioDevice.MSIX, 4, List.of(Optional.empty()));
            client.write(0, PlainDevice.SIGNAL, 8, 3);
            client.write(0, PlainDevice.SIGNAL, 8, 4);
            assertEquals(1, events.get(3).drain());
            assertEquals(0, events.get(4).drain());
            client.disable(VfioDevice.MSIX);
            client.write(0, PlainDevice.SIGNAL, 8, 3);
            assertEquals(0, events.get(3).drain());
        } finally {
            events.forEach(EventFd::close);
        }
        assertThrows(
                IndexOutOfBoundsException.class,
                () ->
                        client.trigger(
                                VfioDevice.MSIX, 30, Collections.nCopies(11, Optional.empty())));
    }

    @Test
    void aMaskedVectorIsToldOnceUnmasked() throws Exception {
        try (EventFd event = EventFd.open()) {
            client.trigger(VfioDevice.MSIX, 0, List.of(Optional.of(event)));
            client.mask(VfioDevice.MSIX);
            client.write(0, PlainDevice.SIGNAL, 8, 0);
            client.write(0, PlainDevice.SIGNAL, 8, 0);
            assertEquals(0, event.drain());
            client.unmask(VfioDevice.MSIX);
            assertEquals(1, event.drain());
            client.mask(VfioDevice.MSIX);
            client.unmask(VfioDevice.MSIX);
            assertEquals(0, event.drain());
        }
    }

    @Test
    void aLevelIsToldOnceAndAgainAtEachUnmaskingWhileItHolds() throws Exception {
        try (EventFd event = EventFd.open()) {
            client.write(0, PlainDevice.LEVEL, 8, 1);
            client.trigger(VfioDevice.INTX, 0, List.of(Optional.of(event)));
            assertEquals(1, event.drain());
            client.write(0, PlainDevice.LEVEL, 8, 1);
            assertEquals(0, event.drain());
            client.unmask(VfioDevice.INTX);
            assertEquals(1, event.drain());
            client.write(0, PlainDevice.LEVEL, 8, 0);
            client.unmask(VfioDevice.INTX);
            assertEquals(0, event.drain());
            client.write(0, PlainDevice.LEVEL, 8, 1);
            assertEquals(1, event.drain());
        }
    }

    @Test
    void anEventfdUnmasksWithoutAMessage() throws Exception {
        try (EventFd event = EventFd.open();
                EventFd resample = EventFd.open()) {
            client.trigger(VfioDevice.INTX, 0, List.of(Optional.of(event)));
            client.resample(VfioDevice.INTX, Optional.of(resample));
            client.write(0, PlainDevice.LEVEL, 8, 1);
            assertEquals(1, event.drain());
            for (int i = 0; i < 3; i++) {
                resample.signal();
                await(() -> event.drain() == 1);
            }
            int finished = device.finished;
            assertTrue(finished >= 3, finished + " times");
            client.resample(VfioDevice.INTX, Optional.empty());
            resample.signal();
            for (int i = 0; i < 10; i++) {
                client.read(0, 0, 4);
            }
            assertEquals(0, event.drain());
            assertEquals(finished, device.finished);
        }
    }

    /** Its owner can make it block, or count down by one, EFD_SEMAPHORE: no read is safe. */
    @Test
    void anEventfdThatUnmasksIsHeardOnceAndNotRead() throws Exception {
        try (EventFd resample = EventFd.open()) {
            client.resample(VfioDevice.INTX, Optional.of(resample));
            for (int i = 1; i <= 3; i++) {
                int signalled = i;
                resample.signal();
                await(() -> device.finished >= signalled);
            }
            for (int i = 0; i < 10; i++) {
                client.read(0, 0, 4);
            }
            assertEquals(3, device.finished);
            assertEquals(3, resample.drain());
        }
    }

    @Test
    void resetsTheDevice() throws VfioException {
        client.reset();
        assertEquals(1, device.resets);
    }

    @Test
    void aServerThatEndsIsGoneUntilItIsBack() throws Exception {
        Fd before = client.readiness().orElseThrow();
        Fd window = client.mapping(2);
        device.poke(0x20, 7);
        server.close();
        VfioException failure = assertThrows(VfioException.class, () -> client.read(0, 0x20, 4));
        assertTrue(failure.getMessage().contains("is gone"), failure.getMessage());
        assertTrue(before.isOpen());
        assertFalse(client.attend());
        assertThrows(VfioException.class, client::reconnect);
        assertThrows(VfioException.class, () -> client.write(0, 0, 4, 0));
        assertEquals(0, device.memory.size());

        server = VfioUserServer.open(path, device);
        client.reconnect();
        assertNotSame(before, client.readiness().orElseThrow());
        assertNotSame(window, client.mapping(2));
        assertTrue(window.isOpen());
        assertTrue(client.attend());
        assertEquals(7, client.read(0, 0x20, 4));
        assertEquals(2, device.memory.size());
        try (EventFd event = EventFd.open()) {
            client.trigger(VfioDevice.MSIX, 0, List.of(Optional.of(event)));
            client.write(0, PlainDevice.SIGNAL, 8, 0);
            assertEquals(1, event.drain());
        }
    }

    @Test
    void aServerThatIsLeftAloneLosesTheGuestsMemory() throws Exception {
        client.disconnect();
        await(() -> device.memory.isEmpty());
        assertFalse(client.attend());
        assertThrows(VfioException.class, () -> client.read(0, 0, 4));
        assertEquals(Optional.of("its server was left alone"), client.absence());
        client.reconnect();
        assertEquals(2, device.memory.size());
        assertEquals(Optional.empty(), client.absence());
        assertEquals(0, client.read(0, 0, 4));
    }

    @Test
    void nobodyAndSomebodyWhoCannotBeUsedAreToldApart() throws Exception {
        assertEquals(Optional.empty(), client.absence());
        server.close();
        assertFalse(client.attend());
        assertEquals(Optional.of("its server hung up"), client.absence());
        assertTrue(assertThrows(VfioException.class, client::reconnect).isAbsent());
        try (StreamListener listener = StreamListener.open(path, 1)) {
            CompletableFuture<Void> rude = CompletableFuture.runAsync(() -> hangUpOn(listener));
            assertFalse(assertThrows(VfioException.class, client::reconnect).isAbsent());
            rude.get();
        }
        assertTrue(assertThrows(VfioException.class, client::reconnect).isAbsent());
    }

    private static void hangUpOn(StreamListener listener) {
        try {
            StreamSocket socket = null;
            while (socket == null) {
                socket = listener.accept();
                Thread.onSpinWait();
            }
            socket.close();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void anotherDeviceInItsPlaceIsSeenAsItIs() throws Exception {
        assertEquals(1, client.region(2).mappable().size());
        server.close();
        try (PlainDevice other = new PlainDevice(List.of())) {
            server = VfioUserServer.open(path, other);
            client.reconnect();
            assertEquals(List.of(), client.region(2).mappable());
            assertThrows(IllegalArgumentException.class, () -> client.mapping(2));
            assertTrue(client.attend());
            server.close();
            assertFalse(client.attend());
        }
        server = VfioUserServer.open(path, device);
        client.reconnect();
        assertEquals(1, client.region(2).mappable().size());
        assertEquals(0, client.read(0, 0, 4));
    }

    @Test
    void oneClientComesAfterAnother() throws Exception {
        try (EventFd event = EventFd.open()) {
            client.trigger(VfioDevice.MSIX, 0, List.of(Optional.of(event)));
            CompletableFuture<VfioUserDevice> next =
                    CompletableFuture.supplyAsync(
                            () -> {
                                try {
                                    return VfioUserDevice.connect(path, memory);
                                } catch (VfioException e) {
                                    throw new IllegalStateException(e);
                                }
                            });
            client.write(0, 0x30, 4, 5);
            client.close();
            client = next.get();
            assertEquals(5, client.read(0, 0x30, 4));
            client.write(0, PlainDevice.SIGNAL, 8, 0);
            assertEquals(0, event.drain());
        }
    }

    @Test
    void aSecondServerDoesNotTakeThePath() {
        IOException failure =
                assertThrows(IOException.class, () -> VfioUserServer.open(path, device));
        assertTrue(failure.getMessage().contains("already"), failure.getMessage());
    }

    @Test
    void closingTheClientEndsAnAccessThatWaits() throws Exception {
        Path mute = folder.resolve("mute");
        try (StreamListener listener = StreamListener.open(mute, 1)) {
            AtomicReference<RawPeer> served = new AtomicReference<>();
            CompletableFuture<Void> relay =
                    CompletableFuture.runAsync(() -> serveUntilRead(listener, served));
            client.close();
            VfioUserDevice waiting = VfioUserDevice.connect(mute, memory, Duration.ofDays(1));
            CompletableFuture<Boolean> access =
                    CompletableFuture.supplyAsync(
                            () -> {
                                try {
                                    waiting.read(0, 0, 4);
                                    return false;
                                } catch (VfioException e) {
                                    return true;
                                }
                            });
            relay.get();
            waiting.close();
            assertTrue(access.get());
            served.get().close();
        }
    }

    /** Passes on what a client says, up to its first read, which is not answered. */
    private void serveUntilRead(StreamListener listener, AtomicReference<RawPeer> served) {
        try (RawPeer honest = RawPeer.connect(path)) {
            StreamSocket socket = null;
            while (socket == null) {
                socket = listener.accept();
                Thread.onSpinWait();
            }
            RawPeer taken = new RawPeer(socket);
            served.set(taken);
            Message command = taken.receive();
            while (command.command() != Wire.REGION_READ) {
                Message reply =
                        honest.command(command.command(), command.payload(), command.descriptors());
                taken.send(
                        command.id(),
                        command.command(),
                        reply.flags(),
                        reply.errno(),
                        reply.payload(),
                        reply.descriptors());
                command.closeDescriptors();
                reply.closeDescriptors();
                command = taken.receive();
            }
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void closingTheServerEndsARequestThatItsClientDoesNotAnswer() throws Exception {
        client.close();
        server.close();
        server = VfioUserServer.open(path, device, Duration.ofDays(1), Duration.ofDays(1));
        try (RawPeer peer = RawPeer.greet(path)) {
            CompletableFuture<Boolean> reading =
                    CompletableFuture.supplyAsync(
                            () -> {
                                try {
                                    device.wires.readMemory(0, new byte[8]);
                                    return false;
                                } catch (VfioException e) {
                                    return true;
                                }
                            });
            assertEquals(Wire.DMA_READ, peer.receive().command());
            peer.send(1, Wire.REGION_WRITE, 0, 0, RawPeer.store(PlainDevice.FETCH, 0), List.of());
            assertEquals(Wire.DMA_READ, peer.receive().command());
            server.close();
            assertTrue(reading.get());
            peer.awaitEnd();
        }
        assertThrows(VfioException.class, () -> device.wires.readMemory(0, new byte[8]));
        assertFalse(device.wires.signal(VfioDevice.MSIX, 0));
    }
}
