package org.backplane.machine.board;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.backplane.bus.AddressRange;
import org.backplane.bus.Bus;
import org.backplane.bus.Space;
import org.backplane.device.DeviceException;
import org.backplane.device.context.FirmwareNode;
import org.backplane.device.state.SavedState;
import org.backplane.hypervisor.Hypervisor;
import org.backplane.hypervisor.Vcpu;
import org.backplane.hypervisor.Vm;
import org.backplane.hypervisor.VmSpec;
import org.backplane.hypervisor.X86Entry;
import org.backplane.machine.MachineException;
import org.backplane.machine.board.PlatformDevice.Region;
import org.backplane.memory.Access;
import org.backplane.memory.OffHeap;
import org.backplane.pci.RootPort;
import org.backplane.testkit.GoldenState;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The board with an engine that only notes what it is told. */
class X86BoardTest {
    private static final long GIGABYTE = 1 << 30;
    private static final PlatformDevice POWER =
            new PlatformDevice(
                    "power0",
                    new FirmwareNode("power", List.of("acpi-pm"), Map.of(), List.of()),
                    List.of(io(0x600, 4), io(0x604, 2), io(0x608, 4), io(0x60c, 1)),
                    List.of(9));
    private static final PlatformDevice SERIAL =
            new PlatformDevice(
                    "uart0",
                    new FirmwareNode("serial", List.of("ns16550a"), Map.of(), List.of(), "PNP0501"),
                    List.of(io(0x3f8, 8)),
                    List.of(4));

    @TempDir private Path folder;
    private final Bus bus = new Bus();
    private final List<Object> told = new ArrayList<>();
    private VmSpec spec;
    private Board board;

    private static Region io(long port, long size) {
        return new Region(Space.IO, new AddressRange(port, size));
    }

    private Board board(long memory, int bits) throws MachineException {
        board =
                Boards.of(
                        "test",
                        memory,
                        WindowSizes.OWN,
                        2,
                        bus,
                        engine(bits),
                        new BusExits(bus, 2, event -> {}, octet -> {}));
        return board;
    }

    @AfterEach
    void close() {
        if (board != null) {
            board.close();
        }
    }

    private Hypervisor engine(int bits) {
        List<Vcpu> processors = List.of(played(Vcpu.class, Map.of()), played(Vcpu.class, Map.of()));
        Vm vm = played(Vm.class, Map.of("vcpus", processors));
        return played(
                Hypervisor.class,
                Map.of("architecture", "x86_64", "physicalAddressBits", bits, "create", vm));
    }

    /** Answers as it is told to, and notes its arguments. */
    private <T> T played(Class<T> type, Map<String, Object> answers) {
        return type.cast(
                Proxy.newProxyInstance(
                        getClass().getClassLoader(),
                        new Class<?>[] {type},
                        (proxy, method, arguments) -> {
                            if (arguments != null && arguments[0] instanceof VmSpec wanted) {
                                spec = wanted;
                            } else if (!answers.containsKey(method.getName())) {
                                told.add(arguments == null ? method.getName() : arguments[0]);
                            }
                            return answers.get(method.getName());
                        }));
    }

    private long host(long address, long length) {
        long host = board.memory().layout().translate(address, length, Access.READ);
        assertTrue(host != 0, "no RAM at 0x" + Long.toHexString(address));
        return host;
    }

    private byte[] bytes(long address, int length) {
        byte[] bytes = new byte[length];
        OffHeap.copy(host(address, length), bytes, 0, length);
        return bytes;
    }

    private Images flat() throws IOException {
        Path image = Files.write(folder.resolve("image"), new byte[] {0x55, 0x66});
        return new Images(image, Optional.empty(), "", "flat");
    }

    @Test
    void flatImageIsLoadedAndTheFirstProcessorEntersIt() throws Exception {
        board(16 << 20, 46).load(flat(), List.of(POWER));
        assertArrayEquals(new byte[] {0x55, 0x66}, bytes(0x1_0000, 2));
        assertInstanceOf(X86Entry.RealMode.class, told.get(told.size() - 1));
    }

    @Test
    void rootPointerLiesWhereKernelsLookForIt() throws Exception {
        board(16 << 20, 46).load(flat(), List.of(SERIAL, POWER));
        assertEquals("RSD PTR ", new String(bytes(0xe_0000, 8)));
    }

    @Test
    void withoutTheFixedHardwareThereIsNoAcpi() throws Exception {
        board(16 << 20, 46).load(flat(), List.of(SERIAL));
        assertArrayEquals(new byte[8], bytes(0xe_0000, 8));
    }

    @Test
    void tablesOfEveryProcessorCountHaveRoom() throws Exception {
        X86Map map = X86Map.of(16 << 20, 46, WindowSizes.OWN);
        List<RootPort> ports = board(16 << 20, 46).bridge().rootPorts();
        assertEquals(8, ports.size());
        assertTrue(X86Firmware.tables(map, 255, ports, List.of(SERIAL, POWER)).isPresent());
    }

    @Test
    void memoryOf64GibibytesIsInTwoBanksAndTakesNothing() throws Exception {
        board(64 * GIGABYTE, 46).load(flat(), List.of(POWER));
        OffHeap.putLong(host(64 * GIGABYTE + GIGABYTE - 8, 8), 42);
        OffHeap.putLong(host(0xc000_0000L - 8, 8), 43);
        assertEquals(0, board.memory().layout().translate(0xc000_0000L, 8, Access.READ));
        board.reset();
        assertEquals(0, OffHeap.getLong(host(65 * GIGABYTE - 8, 8)));
        assertEquals(0, OffHeap.getLong(host(0xc000_0000L - 8, 8)));
        assertTrue(told.contains("reset"));
    }

    @Test
    void windowsFollowTheWidthOfAddresses() throws Exception {
        board(16 << 20, 40);
        assertEquals(
                List.of("pci-mmio64 0x4000000000-0xffffffffff"),
                bus.windows().stream()
                        .filter(window -> window.name().equals("pci-mmio64"))
                        .map(window -> window.name() + " " + window.range())
                        .toList());
    }

    @Test
    void configurationSpaceIsBehindBothMechanisms() throws Exception {
        board(16 << 20, 46);
        long id = bus.read(Space.MMIO, 0xc000_0000L, 4);
        bus.write(Space.IO, 0xcf8, 4, 0x8000_0000L);
        assertEquals(id, bus.read(Space.IO, 0xcfc, 4));
        for (int port = 0; port < 8; port++) {
            long bridge = 0xc000_0000L + (0x10L + port << 15);
            assertEquals(0x0604, bus.read(Space.MMIO, bridge + 0x0a, 2), "a bridge");
            assertEquals(1 + 2 * port, bus.read(Space.MMIO, bridge + 0x19, 1), "its bus");
            assertEquals(2 + 2 * port, bus.read(Space.MMIO, bridge + 0x1a, 1));
        }
    }

    @Test
    void stateComesBackOnAnotherBoard() throws Exception {
        var saved = board(16 << 20, 46).save();
        bus.write(Space.MMIO, 0xc000_0000L + (0x10L << 15) + 0x19, 1, 77);
        var changed = board.save();
        assertTrue(!saved.equals(changed), "the guest's bus number is saved");
        board.restore(saved);
        assertEquals(saved, board.save());
        board.restore(changed);
        assertEquals(77, bus.read(Space.MMIO, 0xc000_0000L + (0x10L << 15) + 0x19, 1));
    }

    @Test
    void firstSchemaIsStillReadAndWritten() throws Exception {
        board(16 << 20, 46).restore(GoldenState.read(getClass(), "x86-board-v1.properties"));
        GoldenState.requireSame(getClass(), "x86-board-v1.properties", board.save());
    }

    @Test
    void refusesTheStateOfAHostWithOtherAddresses() throws Exception {
        SavedState saved = board(16 << 20, 46).save();
        board.close();
        Board other =
                Boards.of(
                        "other",
                        16 << 20,
                        WindowSizes.OWN,
                        2,
                        new Bus(),
                        engine(40),
                        new BusExits(bus, 2, event -> {}, octet -> {}));
        try (other) {
            String said =
                    assertThrows(DeviceException.class, () -> other.restore(saved)).getMessage();
            assertTrue(said.contains("46 bits") && said.contains("address 40"), said);
            assertThrows(
                    DeviceException.class,
                    () ->
                            other.restore(
                                    SavedState.of("x86-board", 1)
                                            .number("addressBits", 40)
                                            .build()));
        }
    }

    @Test
    void interruptsOfAPcHaveOwnersByNumber() throws Exception {
        InterruptLines lines = board(16 << 20, 46).lines();
        lines.allocate("uart0", 4);
        assertThrows(MachineException.class, () -> lines.allocate("uart1", 4));
        assertThrows(MachineException.class, () -> lines.allocate("timer", 0));
        assertThrows(MachineException.class, () -> lines.allocate("card", 16));
        assertEquals(5, lines.allocate("any"));
    }

    @Test
    void refusesAKernelOfAnotherArchitecture() throws Exception {
        Images other = new Images(flat().kernel(), Optional.empty(), "", "riscv");
        board(16 << 20, 46);
        String said =
                assertThrows(MachineException.class, () -> board.load(other, List.of()))
                        .getMessage();
        assertTrue(said.contains("--format"), said);
    }

    @Test
    void refusesAnEngineWithoutABoard() {
        Hypervisor other = played(Hypervisor.class, Map.of("architecture", "m68k", "name", "old"));
        String said =
                assertThrows(
                                MachineException.class,
                                () ->
                                        Boards.of(
                                                "test",
                                                1 << 20,
                                                WindowSizes.OWN,
                                                1,
                                                bus,
                                                other,
                                                null))
                        .getMessage();
        assertTrue(said.contains("m68k"), said);
    }

    @Test
    void boardAsksForThePlacesOfInterruptControllers() throws Exception {
        board(16 << 20, 46);
        assertEquals(2, spec.vcpus());
        assertTrue(
                bus.regions().stream()
                        .filter(board::answeredByEngine)
                        .anyMatch(region -> region.range().base() == 0xfec0_0000L));
    }
}
