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
import org.backplane.pci.RootPortWindows;

/** Windows of sizes that were asked for: where they lie, and which cannot be had. */
class WindowSizesTest {
    private static final long MEGABYTE = 1 << 20;
    private static final long GIGABYTE = 1 << 30;
    private static final long TERABYTE = 1L << 40;

    private static void requireApart(List<AddressRange> all) {
        all.sort(Comparator.comparingLong(AddressRange::base));
        for (int i = 1; i < all.size(); i++) {
            assertTrue(all.get(i - 1).end() <= all.get(i).base(), all.toString());
        }
    }

    @Property
    void x86WindowsHaveTheirSizesAndOverlapNothing(
            @ForAll @LongRange(min = 512, max = 64 << 18) long pages,
            @ForAll @LongRange(min = 64, max = 3008) long mmio32,
            @ForAll @LongRange(min = 1, max = 60_000) long mmio64,
            @ForAll @IntRange(min = 36, max = 52) int bits) {
        X86Map map;
        try {
            WindowSizes sizes = new WindowSizes(mmio32 * MEGABYTE, mmio64 * GIGABYTE);
            map = X86Map.of(pages << 12, bits, sizes);
        } catch (MachineException e) {
            long space = 1L << Math.min(bits, 46);
            assertTrue(e.getMessage().contains("--mmio64"), e.getMessage());
            assertTrue((pages << 12) + (mmio64 + 4) * GIGABYTE > space, e.getMessage());
            return;
        }
        assertEquals(mmio32 * MEGABYTE, map.mmio32().size());
        assertEquals(mmio64 * GIGABYTE, map.window64().size());
        List<AddressRange> all = new ArrayList<>();
        map.banks().forEach(bank -> all.add(new AddressRange(bank.guestAddress(), bank.length())));
        all.add(map.ecam());
        all.add(map.rootMmio32());
        all.add(map.rootMmio64());
        all.add(X86Map.PLATFORM);
        for (int port = 0; port < X86Map.PORTS; port++) {
            RootPortWindows windows = map.port(port);
            all.add(windows.memory());
            all.add(windows.prefetchable());
            assertEquals(0, windows.memory().base() % MEGABYTE);
            assertTrue(map.mmio32().contains(windows.memory()));
            assertTrue(map.window64().contains(windows.prefetchable()));
        }
        requireApart(all);
        assertEquals(0, map.ecam().base() % map.ecam().size());
        assertEquals(map.banks().stream().mapToLong(bank -> bank.length()).sum(), pages << 12);
    }

    @Property
    void riscvWindowsHaveTheirSizesAndOverlapNothing(
            @ForAll @LongRange(min = 1, max = 900) long gigabytes,
            @ForAll @LongRange(min = 1, max = 3072) long mmio32,
            @ForAll @LongRange(min = 1, max = 16_000_000) long mmio64)
            throws MachineException {
        RiscvMap map =
                RiscvMap.of(
                        gigabytes * GIGABYTE,
                        new WindowSizes(mmio32 * MEGABYTE, mmio64 * GIGABYTE));
        assertEquals(mmio32 * MEGABYTE, map.mmio32().size());
        assertEquals(mmio64 * GIGABYTE, map.mmio64().size());
        assertEquals(gigabytes * GIGABYTE, map.ram().size());
        requireApart(
                new ArrayList<>(List.of(RiscvMap.PLATFORM, map.mmio32(), map.ram(), map.mmio64())));
        assertTrue(map.mmio32().end() <= 1L << 32);
        assertEquals(0, map.mmio64().base() % Long.highestOneBit(map.mmio64().size()));
    }

    @Example
    void memoryStaysWhereItWasUnlessItsPlaceIsNeeded() throws MachineException {
        assertEquals(0x8000_0000L, RiscvMap.of(GIGABYTE, WindowSizes.OWN).ram().base());
        assertEquals(
                0x8000_0000L, RiscvMap.of(GIGABYTE, new WindowSizes(GIGABYTE, 0)).ram().base());
        assertEquals(
                1L << 32, RiscvMap.of(GIGABYTE, new WindowSizes(2 * GIGABYTE, 0)).ram().base());
    }

    @Example
    void x86MapWithoutSizesIsWhatItAlwaysWas() throws MachineException {
        X86Map map = X86Map.of(GIGABYTE, 46, WindowSizes.OWN);
        assertEquals(new AddressRange(0xd000_0000L, 704 * MEGABYTE), map.mmio32());
        assertEquals(new AddressRange(0xc000_0000L, 256 * MEGABYTE), map.ecam());
        assertEquals(32 * MEGABYTE, map.port(0).memory().size());
        assertEquals(64 * GIGABYTE, map.port(0).prefetchable().size());
    }

    @Example
    void portsGrowWithTheWindows() throws MachineException {
        X86Map map = X86Map.of(GIGABYTE, 46, new WindowSizes(3008 * MEGABYTE, 8 * TERABYTE));
        assertEquals(128 * MEGABYTE, map.port(7).memory().size());
        assertEquals(512 * GIGABYTE, map.port(7).prefetchable().size());
    }

    @Example
    void refusesSizesThatTheBoardCannotHave() {
        assertEquals(
                "--mmio32: this board's window has from 64M to 3008M; give a size between, in whole M.",
                refusal(() -> X86Map.of(GIGABYTE, 46, new WindowSizes(3 * GIGABYTE, 0))));
        assertEquals(
                "The processors address 39 bits, where the memory leaves 495G to the PCI window of 64 bits; give at most that with --mmio64, or less with --memory.",
                refusal(() -> X86Map.of(16 * GIGABYTE, 39, new WindowSizes(0, 500 * GIGABYTE))));
        assertEquals(
                "--mmio32: this board's window has from 1M to 3G; give a size between, in whole M.",
                refusal(() -> RiscvMap.of(GIGABYTE, new WindowSizes(4096, 0))));
        assertEquals(
                "--mmio64: this board's window has from 1M to 16384T; give a size between, in whole M.",
                refusal(() -> RiscvMap.of(GIGABYTE, new WindowSizes(0, 1L << 55))));
        assertEquals(
                "1T of memory run into the PCI window of 64 bits at 0x10000000000; give less with --memory.",
                refusal(() -> RiscvMap.of(TERABYTE, WindowSizes.OWN)));
    }

    @FunctionalInterface
    private interface Making {
        Object make() throws MachineException;
    }

    private static String refusal(Making making) {
        return assertThrows(MachineException.class, making::make).getMessage();
    }
}
