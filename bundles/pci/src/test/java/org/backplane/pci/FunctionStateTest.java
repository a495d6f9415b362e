package org.backplane.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.backplane.bus.ClaimException;
import org.backplane.bus.Placement;
import org.backplane.bus.Space;
import org.backplane.device.DeviceException;
import org.backplane.device.state.SavedState;
import org.backplane.testkit.DamagedState;
import org.backplane.testkit.GoldenState;
import org.junit.jupiter.api.Test;

class FunctionStateTest {
    private static final String GOLDEN = "pci-function-v1.properties";

    private static final PciShape SHAPE =
            Rig.shape(
                    Optional.of(new PciShape.Msix(3, 1, 0, 1, 0x800)),
                    Rig.io(0, 32),
                    Rig.memory(1, 0x1000),
                    Rig.memory64(2, 0x4000));

    private static final long MOVED = Rig.LOW.base() + 0x12_3000;

    private final Rig rig = new Rig();

    /** A function in the middle of its life: the state of the golden file. */
    private PciFunction busy(Rig rig) throws ClaimException {
        PciFunction function = rig.running("net0", SHAPE);
        rig.writeBar(function, 1, MOVED);
        rig.write(function, Type0Header.INTERRUPT_LINE, 1, 11);
        rig.write(function, Type0Header.CACHE_LINE_SIZE, 1, 16);
        rig.write(function, 0x42, 2, 0x8000);
        for (int vector = 0; vector < 3; vector++) {
            rig.bus.write(Space.MMIO, MOVED + 16 * vector, 8, 0x2800_0000L + (vector << 12));
            rig.bus.write(Space.MMIO, MOVED + 16 * vector + 8, 8, 40 + vector);
        }
        rig.bus.write(Space.MMIO, MOVED + 16 + 12, 4, 1);
        function.wires().signal(1);
        function.wires().interrupt(true);
        return function;
    }

    @Test
    void savesWhatTheGoldenFileHolds() throws Exception {
        GoldenState.requireSame(FunctionStateTest.class, GOLDEN, busy(rig).save());
    }

    @Test
    void readsTheGoldenFile() throws Exception {
        PciFunction function = rig.plug("net0", SHAPE);
        function.place();
        function.restore(GoldenState.read(FunctionStateTest.class, GOLDEN));
        assertEquals(MOVED, Rig.bar(function, 1).base());
        assertEquals(0x20, rig.load(Space.MMIO, Rig.HIGH.base() + 0x20, 4) & 0xffff);
        assertEquals(11, rig.read(function, Type0Header.INTERRUPT_LINE, 1));
        assertEquals(0b10, rig.load(Space.MMIO, MOVED + 0x800, 8));
        assertEquals(0x1_0000_0029L, rig.load(Space.MMIO, MOVED + 24, 8));
        assertTrue(function.wires().msixEnabled());
        function.wires().signal(2);
        rig.bus.write(Space.MMIO, MOVED + 28, 4, 0);
        assertEquals(List.of("28002000=2a", "28001000=29"), rig.messages);
        function.reset();
        assertEquals(Rig.LOW.base(), Rig.bar(function, 1).base());
        function.close();
        assertTrue(rig.allFree());
    }

    @Test
    void theStateOfAFunctionSurvivesTheRoundTrip() throws Exception {
        SavedState saved = busy(rig).save();
        Rig other = new Rig();
        PciFunction function = other.plug("net0", SHAPE);
        function.restore(saved);
        assertEquals(saved, function.save());
        other.write(function, 0x42, 2, 0);
        assertEquals(List.of("1A high"), other.pins);
        function.close();
        assertTrue(other.allFree());
    }

    @Test
    void aBarWhosePlaceIsTakenWaitsForIt() throws Exception {
        SavedState saved = busy(rig).save();
        Rig other = new Rig();
        PciFunction obstacle = other.running("a", Rig.shape(Rig.memory(0, 0x1000)));
        other.writeBar(obstacle, 0, MOVED);
        PciFunction function = other.plug("net0", SHAPE);
        function.restore(saved);
        assertEquals(-1, Rig.bar(function, 1).base());
        other.writeBar(obstacle, 0, MOVED + 0x1000);
        assertEquals(MOVED, Rig.bar(function, 1).base());
    }

    @Test
    void ignoresUnknownNamesAndDefaultsMissingHomes() throws Exception {
        SavedState saved = busy(rig).save();
        SavedState later =
                SavedState.of("pci-function", 1)
                        .bytes("config", saved.bytes("config"))
                        .bytes("msix-table", saved.bytes("msix-table"))
                        .bytes("msix-pending", saved.bytes("msix-pending"))
                        .number("colour", 7)
                        .build();
        PciFunction function = new Rig().plug("net0", SHAPE);
        function.restore(later);
        assertEquals(MOVED, Rig.bar(function, 1).base());
        function.reset();
        assertEquals(0, Rig.bar(function, 1).register());
    }

    @Test
    void refusesWhatIsNotAStateOfThisFunction() throws Exception {
        SavedState saved = busy(rig).save();
        byte[] config = saved.bytes("config");
        byte[] table = saved.bytes("msix-table");
        byte[] pending = saved.bytes("msix-pending");
        assertRefused(SavedState.of("virtio-pci", 1).build(), "is of 'virtio-pci'");
        assertRefused(SavedState.of("pci-function", 2).build(), "version 2");
        assertRefused(SavedState.of("pci-function", 1).build(), "'config' is missing");
        assertRefused(
                state(new byte[255], table, pending),
                "The state of 'pci-function', version 1, is damaged or of another device: 'config' has 255 bytes, and only 256 to 256 are possible.");
        assertRefused(state(changed(config, 2), table, pending), "the register at 0x2 holds");
        assertRefused(state(changed(config, 0x10), table, pending), "the register at 0x10 holds");
        assertRefused(state(changed(config, 0x40), table, pending), "the register at 0x40 holds");
        assertRefused(state(config, null, pending), "'msix-table' is missing");
        assertRefused(state(config, new byte[64], pending), "'msix-table' has 64 bytes");
        assertRefused(state(config, table, new byte[16]), "'msix-pending' has 16 bytes");
        assertRefused(state(config, changed(table, 29), pending), "reserved bits of vector 1");
        assertRefused(state(config, table, changed(pending, 1)), "pending bits without a vector");
        assertRefused(home(saved, 1, 0x4000_0800L), "'home1' is 0x40000800, which no window");
        assertRefused(home(saved, 0, 0x8_0000L), "'home0' is 0x80000, which no window");
        assertRefused(
                home(saved, 2, Long.MIN_VALUE), "'home2' is 0x8000000000000000, which no window");
    }

    private void assertRefused(SavedState state, String reason) throws ClaimException {
        Rig other = new Rig();
        PciFunction function = other.running("net0", SHAPE);
        SavedState before = function.save();
        DeviceException refusal =
                assertThrows(DeviceException.class, () -> function.restore(state));
        assertTrue(refusal.getMessage().contains(reason), refusal::getMessage);
        assertEquals(before, function.save());
    }

    private static SavedState state(byte[] config, byte[] table, byte[] pending) {
        SavedState.Builder state = SavedState.of("pci-function", 1).bytes("config", config);
        if (table != null) {
            state.bytes("msix-table", table);
        }
        return state.bytes("msix-pending", pending).build();
    }

    private static SavedState home(SavedState saved, int bar, long base) {
        return SavedState.of("pci-function", 1)
                .bytes("config", saved.bytes("config"))
                .bytes("msix-table", saved.bytes("msix-table"))
                .bytes("msix-pending", saved.bytes("msix-pending"))
                .number("home" + bar, base)
                .build();
    }

    private static byte[] changed(byte[] bytes, int at) {
        byte[] changed = bytes.clone();
        changed[at] ^= 0b10;
        return changed;
    }

    @Test
    void aStateWithABarOutsideOfTheWindowsIsTakenAsItIs() throws Exception {
        PciFunction parked = busy(rig);
        rig.writeBar(parked, 1, 0xffff_f000L);
        Rig other = new Rig();
        PciFunction function = other.plug("net0", SHAPE);
        function.restore(parked.save());
        assertEquals(-1, Rig.bar(function, 1).base());
        other.bus.claim(other.mmio32, "flash", 0x1000, new Placement.Exact(MOVED), Rig.SILENT);
        other.writeBar(function, 1, Rig.LOW.base());
        assertEquals(Rig.LOW.base(), Rig.bar(function, 1).base());
    }

    /**
     * Every change alone: refused with nothing changed, or taken as it is; except for interrupts
     * that are pending without a mask, which go out.
     */
    @Test
    void refusesDamageOrTakesItAsItIs() throws Exception {
        SavedState golden = GoldenState.read(FunctionStateTest.class, GOLDEN);
        PciFunction function = new Rig().plug("net0", SHAPE);
        function.place();
        function.restore(golden);
        for (DamagedState damaged : DamagedState.of(golden)) {
            SavedState before = function.save();
            try {
                function.restore(damaged.state());
            } catch (DeviceException refused) {
                assertTrue(refused.getMessage().contains("pci-function"), refused::getMessage);
                assertEquals(before, function.save(), damaged::what);
                continue;
            }
            if (!damaged.missing()) {
                assertEquals(
                        DamagedState.without(damaged.state(), "msix-pending"),
                        DamagedState.without(function.save(), "msix-pending"),
                        damaged::what);
            }
        }
    }
}
