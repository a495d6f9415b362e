package org.backplane.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.backplane.bus.AddressRange;
import org.backplane.bus.Bus;
import org.backplane.bus.ClaimException;
import org.backplane.bus.Space;
import org.junit.jupiter.api.Test;

/**
 * A Realtek r8168 next to a virtio-net and a virtio-blk device: its BAR 4 is 16 KiB wide, of which
 * MSI-X table and pending bits take the first 8 KiB. A monitor that gives it room for those only
 * puts BAR 2 into its second half, and the guest cannot claim either.
 */
class PassthroughScenarioTest {
    private final Bus bus = new Bus();
    private final HostBridge bridge =
            new HostBridge(
                    bus,
                    new HostBridge.Windows(
                            bus.addWindow("io", Space.IO, new AddressRange(0x7000, 0x9000)),
                            bus.addWindow(
                                    "mmio", Space.MMIO, new AddressRange(0x4100_0000, 0x3f00_0000)),
                            null),
                    (address, data) -> {},
                    (device, pin, high) -> {});

    private static final PciShape REALTEK =
            new PciShape(
                    0x10ec,
                    0x8168,
                    0x06,
                    0x020000,
                    0x10ec,
                    0x0123,
                    1,
                    List.of(
                            Rig.io(0, 256),
                            new PciShape.Bar(2, PciShape.BarKind.MEMORY_64, false, 0x1000),
                            new PciShape.Bar(4, PciShape.BarKind.MEMORY_64, true, 0x4000)),
                    List.of(),
                    Optional.of(new PciShape.Msix(4, 4, 0, 4, 0x1000)));

    private static final PciShape VIRTIO =
            new PciShape(
                    0x1af4,
                    0x1041,
                    1,
                    0x020000,
                    0x1af4,
                    0x41,
                    1,
                    List.of(Rig.io(0, 256), Rig.memory(1, 256), Rig.memory(2, 0x400)),
                    List.of(),
                    Optional.of(new PciShape.Msix(33, 2, 0, 2, 0x210)));

    @Test
    void everyBarHasItsWholeSizeToItself() throws ClaimException {
        List<AddressRange> memory = new ArrayList<>();
        List<AddressRange> ports = new ArrayList<>();
        for (PciShape shape : List.of(REALTEK, VIRTIO, VIRTIO)) {
            PciFunction function = bridge.plug("slot", -1, shape, new Rig.Card());
            function.place();
            for (PciFunction.BarState state : function.bars()) {
                long size = sizeAsTheGuestLearnsIt(function, state.bar());
                assertEquals(state.bar().size(), size);
                assertEquals(0, state.base() % size, "aligned to its size");
                (state.bar().kind() == PciShape.BarKind.IO ? ports : memory)
                        .add(new AddressRange(state.base(), size));
            }
        }
        assertEquals(6, memory.size());
        assertDisjoint(memory);
        assertEquals(3, ports.size());
        assertDisjoint(ports);
    }

    @Test
    void whatIsBehindTableAndPendingBitsIsTheDevices() throws ClaimException {
        PciFunction function = bridge.plug("net0", -1, REALTEK, new Rig.Card());
        function.place();
        function.writeConfig(Type0Header.COMMAND, 2, 7);
        long base = Rig.bar(function, 4).base();
        assertEquals(1, bus.read(Space.MMIO, base + 12, 4), "a vector that is masked");
        assertEquals(0x0400_0040L, bus.read(Space.MMIO, base + 0x40, 4));
        assertEquals(0, bus.read(Space.MMIO, base + 0x1000, 8), "nothing pending");
        assertEquals(0x0400_1008L, bus.read(Space.MMIO, base + 0x1008, 4));
        assertEquals(0x0400_3ffcL, bus.read(Space.MMIO, base + 0x3ffc, 4));
    }

    private static long sizeAsTheGuestLearnsIt(PciFunction function, PciShape.Bar bar) {
        int at = Type0Header.baseAddress(bar.index());
        long old = function.readConfig(at, 4);
        function.writeConfig(at, 4, 0xffff_ffffL);
        long mask = function.readConfig(at, 4) & (bar.kind() == PciShape.BarKind.IO ? ~3L : ~15L);
        function.writeConfig(at, 4, old);
        return -mask & 0xffff_ffffL;
    }

    private static void assertDisjoint(List<AddressRange> ranges) {
        for (int i = 0; i < ranges.size(); i++) {
            for (int k = 0; k < i; k++) {
                assertFalse(
                        ranges.get(i).overlaps(ranges.get(k)),
                        ranges.get(i) + " overlaps " + ranges.get(k));
            }
        }
    }
}
