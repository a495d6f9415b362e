package org.backplane.machine.board;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import org.backplane.bus.AddressRange;
import org.backplane.machine.MachineException;
import org.backplane.machine.boot.MemoryMap;
import org.backplane.memory.GuestMemory.RamBank;
import org.backplane.pci.RootPortWindows;

class X86MapTest {
    private static final long GIGABYTE = 1 << 30;

    @Property
    void nothingOverlapsInsideOfTheAddressSpace(
            @ForAll @LongRange(min = 512, max = 64 << 18) long pages,
            @ForAll @IntRange(min = 36, max = 52) int bits)
            throws MachineException {
        X86Map map;
        try {
            map = X86Map.of(pages << 12, bits, WindowSizes.OWN);
        } catch (MachineException e) {
            assertTrue(e.getMessage().contains(bits + " bits"), e.getMessage());
            assertTrue(bits < 38 && pages << 12 > 8 * GIGABYTE);
            return;
        }
        List<AddressRange> all = new ArrayList<>();
        map.banks().forEach(bank -> all.add(new AddressRange(bank.guestAddress(), bank.length())));
        all.add(map.ecam());
        all.add(map.mmio32());
        all.add(X86Map.PLATFORM);
        all.add(map.window64());
        all.sort(Comparator.comparingLong(AddressRange::base));
        for (int i = 1; i < all.size(); i++) {
            assertTrue(all.get(i - 1).end() <= all.get(i).base(), all.toString());
        }
        assertEquals(1L << Math.min(bits, 46), all.get(all.size() - 1).end());
        assertEquals(pages << 12, map.banks().stream().mapToLong(RamBank::length).sum());
    }

    @Property
    void portsShareTheEndsOfTheWindows(
            @ForAll @LongRange(min = 512, max = 4 << 18) long pages,
            @ForAll @IntRange(min = 36, max = 52) int bits)
            throws MachineException {
        X86Map map = X86Map.of(pages << 12, bits, WindowSizes.OWN);
        int bus = 0;
        long io = X86Map.PCI_IO.end() - 8 * 0x1000;
        long memory = map.mmio32().end() - (8 * 32 << 20);
        long prefetchable = (1L << Math.min(bits, 46)) - 8 * map.portWindow64();
        assertEquals(1, Long.bitCount(map.portWindow64()));
        assertTrue(prefetchable > map.window64().base(), "something is left for bus 0");
        for (int port = 0; port < X86Map.PORTS; port++) {
            RootPortWindows windows = map.port(port);
            assertEquals(bus + 1, windows.secondary());
            bus = windows.subordinate();
            assertEquals(new AddressRange(io, 0x1000), windows.io());
            assertEquals(new AddressRange(memory, 32 << 20), windows.memory());
            assertEquals(
                    new AddressRange(prefetchable, map.portWindow64()), windows.prefetchable());
            io = windows.io().end();
            memory = windows.memory().end();
            prefetchable = windows.prefetchable().end();
        }
        assertTrue(bus < X86Map.BUSES, "kernels are told of the ports' buses");
    }

    @Property
    void memoryMapIsAscendingAndHasAllRam(@ForAll @LongRange(min = 512, max = 64 << 18) long pages)
            throws MachineException {
        MemoryMap map = X86Map.of(pages << 12, 46, WindowSizes.OWN).memoryMap();
        long end = 0;
        long usable = 0;
        for (MemoryMap.Entry entry : map.entries()) {
            assertTrue(entry.range().base() >= end, map.toString());
            end = entry.range().end();
            usable += entry.type() == MemoryMap.USABLE ? entry.range().size() : 0;
        }
        assertEquals((pages << 12) - X86Map.FIRMWARE.size(), usable);
    }

    @Example
    void smallMachineIsOneBank() throws MachineException {
        assertEquals(
                List.of(new RamBank(0, 512 << 20)),
                X86Map.of(512 << 20, 46, WindowSizes.OWN).banks());
    }

    @Example
    void memoryGoesOnAboveTheGap() throws MachineException {
        assertEquals(
                List.of(new RamBank(0, 3 * GIGABYTE), new RamBank(4 * GIGABYTE, 61 * GIGABYTE)),
                X86Map.of(64 * GIGABYTE, 46, WindowSizes.OWN).banks());
    }

    @Example
    void portsHave64GibibytesEachWhereTheAddressesReach() throws MachineException {
        assertEquals(64 * GIGABYTE, X86Map.of(64 * GIGABYTE, 40, WindowSizes.OWN).portWindow64());
        assertEquals(32 * GIGABYTE, X86Map.of(GIGABYTE, 39, WindowSizes.OWN).portWindow64());
    }

    @Example
    void everyPinOfEveryDeviceEndsInASharedInputOfTheIoApic() {
        for (int device = 0; device < 32; device++) {
            for (int pin = 1; pin <= X86Map.PCI_PINS; pin++) {
                int source = X86Map.pinSource(device, pin);
                assertTrue(source >= 16 && source <= X86Map.SOURCES, "source " + source);
            }
        }
    }

    @Example
    void refusesTooLittleAndTooMuchMemory() {
        String little =
                assertThrows(MachineException.class, () -> X86Map.of(1 << 20, 46, WindowSizes.OWN))
                        .getMessage();
        assertTrue(little.contains("at least 2 MiB"), little);
        String much =
                assertThrows(
                                MachineException.class,
                                () -> X86Map.of(64 * GIGABYTE, 36, WindowSizes.OWN))
                        .getMessage();
        assertTrue(much.contains("at most 31 GiB"), much);
    }
}
