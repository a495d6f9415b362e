package org.backplane.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.backplane.bus.AddressRange;
import org.backplane.bus.ClaimException;
import org.backplane.bus.Placement;
import org.backplane.bus.RegionLease;
import org.backplane.bus.Space;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Base address registers: placed by firmware, then by the guest. */
class BarTest {
    private static final long LOW = Rig.LOW.base();
    private static final long HIGH = Rig.HIGH.base();

    private final Rig rig = new Rig();

    @Test
    void firmwarePlacesEachKindInItsWindowAndWritesTheRegister() throws ClaimException {
        PciFunction function =
                rig.plug(
                        "net0",
                        Rig.shape(
                                Rig.io(0, 0x100),
                                Rig.memory(1, 0x1000),
                                Rig.memory64(2, 0x4000),
                                Rig.memory64(4, 1L << 33)));
        function.place();
        assertEquals(0x1001, rig.read(function, Type0Header.baseAddress(0), 4));
        assertEquals(LOW, rig.read(function, Type0Header.baseAddress(1), 4));
        assertEquals(0xc, rig.read(function, Type0Header.baseAddress(2), 4));
        assertEquals(0x12, rig.read(function, Type0Header.baseAddress(3), 4));
        assertEquals(0xc, rig.read(function, Type0Header.baseAddress(4), 4));
        assertEquals(0x10, rig.read(function, Type0Header.baseAddress(5), 4));
        assertEquals(0, rig.read(function, Type0Header.COMMAND, 2));
    }

    @Test
    void placesTheLargestFirstSoThatNoGapIsLeft() throws ClaimException {
        PciFunction function =
                rig.plug(
                        "a",
                        Rig.shape(
                                Rig.memory(0, 0x100),
                                Rig.memory(1, 0x4000),
                                Rig.memory(2, 0x1000)));
        function.place();
        assertEquals(
                List.of(new AddressRange(LOW + 0x5100, Rig.LOW.size() - 0x5100)),
                rig.mmio32.holes());
    }

    @Test
    void a64BitBarFallsBackToTheLowWindow() throws ClaimException {
        rig.bus.claim(rig.mmio64, "other", 1L << 36, new Placement.Exact(HIGH), Rig.SILENT);
        PciFunction function = rig.running("a", Rig.shape(Rig.memory64(0, 0x1000)));
        assertEquals(LOW, Rig.bar(function, 0).base());
        assertEquals(8, rig.load(Space.MMIO, LOW + 8, 4));
    }

    @Test
    void refusesToPlaceWithTheReasonAndGivesEverythingBack() throws ClaimException {
        PciFunction function =
                rig.plug(
                        "vga0",
                        Rig.shape(Rig.io(0, 16), Rig.memory(1, 1 << 29), Rig.memory(2, 1 << 30)));
        rig.bus.claim(rig.mmio32, "net0", 0x1000, new Placement.Exact(LOW + 0x1000), Rig.SILENT);
        ClaimException refusal = assertThrows(ClaimException.class, function::place);
        assertEquals(
                "vga0 bar2 cannot have 0x40000000 bytes aligned to 0x40000000 in window"
                        + " 'pci-mmio32' (0x40000000-0x7fffffff): largest hole 0x3fffe000 bytes,"
                        + " 0x3ffff000 free in all.",
                refusal.getMessage());
        assertEquals(1, rig.bus.regions().size());
        for (int i = 0; i < 3; i++) {
            assertEquals(0, Rig.bar(function, i).register());
            assertEquals(-1, Rig.bar(function, i).base());
        }
    }

    @Test
    void refusesPortsWhereTheBridgeHasNone() throws ClaimException {
        Rig own = new Rig();
        HostBridge bridge =
                new HostBridge(
                        own.bus,
                        new HostBridge.Windows(null, own.mmio32, null),
                        (address, data) -> {},
                        (device, pin, high) -> {});
        PciFunction function =
                bridge.plug("a", -1, Rig.shape(Rig.memory64(0, 16), Rig.io(2, 8)), new Rig.Card());
        ClaimException refusal = assertThrows(ClaimException.class, function::place);
        assertEquals(
                "a bar2 cannot have 0x8 bytes of I/O space: the bridge has no window for that.",
                refusal.getMessage());
        assertTrue(own.allFree());
    }

    @Test
    void decodesOnlyWhileCommandSaysSo() throws ClaimException {
        PciFunction function = rig.plug("a", Rig.shape(Rig.io(0, 16), Rig.memory(1, 0x1000)));
        function.place();
        assertEquals(0xff, rig.load(Space.IO, 0x1004, 1));
        assertEquals(0xff, rig.load(Space.MMIO, LOW + 4, 1));
        rig.command(function, Type0Header.COMMAND_IO);
        assertEquals(0x04, rig.load(Space.IO, 0x1004, 1));
        assertEquals(0xff, rig.load(Space.MMIO, LOW + 4, 1));
        rig.command(function, Type0Header.COMMAND_MEMORY);
        assertEquals(0xff, rig.load(Space.IO, 0x1004, 1));
        assertEquals(0x0100_0004L, rig.load(Space.MMIO, LOW + 4, 4));
        assertEquals(List.of("0 at 1000", "0 nowhere", "1 at 40000000"), Rig.card(function).moves);
        rig.command(function, 0);
        assertEquals(LOW, Rig.bar(function, 1).base());
        assertFalse(Rig.bar(function, 1).decoding());
        assertEquals(2, rig.bus.regions().size());
    }

    @Test
    void movesWhereTheGuestWrites() throws ClaimException {
        PciFunction function = rig.running("a", Rig.shape(Rig.memory(0, 0x1000)));
        rig.writeBar(function, 0, LOW + 0x10_0000);
        assertEquals(0xffff_ffffL, rig.load(Space.MMIO, LOW, 4));
        assertEquals(0x20, rig.load(Space.MMIO, LOW + 0x10_0020, 4));
        assertEquals(
                List.of("0 at 40000000", "0 nowhere", "0 at 40100000"), Rig.card(function).moves);
        function.close();
        assertTrue(rig.allFree());
    }

    @Test
    void movesAByteAtATime() throws ClaimException {
        PciFunction function = rig.running("a", Rig.shape(Rig.memory(0, 0x1000)));
        rig.write(function, Type0Header.baseAddress(0) + 2, 1, 0x12);
        assertEquals(LOW + 0x12_0000, Rig.bar(function, 0).base());
        rig.write(function, Type0Header.baseAddress(0), 2, 0x5fff);
        assertEquals(LOW + 0x12_5000, Rig.bar(function, 0).base());
    }

    @Test
    void movesA64BitBarBetweenTheWindows() throws ClaimException {
        PciFunction function = rig.running("a", Rig.shape(Rig.memory64(3, 1 << 20)));
        assertEquals(HIGH, Rig.bar(function, 3).base());
        rig.writeBar(function, 3, LOW + 0x100_0000);
        assertEquals(LOW + 0x100_0000, Rig.bar(function, 3).base());
        rig.writeBar(function, 3, HIGH + 0x1_0000_0000L);
        assertEquals(HIGH + 0x1_0000_0000L, Rig.bar(function, 3).base());
        assertEquals(0x0300_0010L, rig.load(Space.MMIO, HIGH + 0x1_0000_0010L, 4));
        assertEquals(List.of(Rig.LOW), rig.mmio32.holes());
    }

    @Test
    void tellsItsSizeByOnesOfAnyWidth() throws ClaimException {
        PciFunction function =
                rig.plug(
                        "a",
                        Rig.shape(
                                Rig.memory(0, 1 << 20), Rig.io(1, 32), Rig.memory64(2, 1L << 33)));
        function.place();
        int bar = Type0Header.BASE_ADDRESS;
        rig.write(function, bar, 4, 0xffff_ffffL);
        assertEquals(0xfff0_0000L, rig.read(function, bar, 4));
        for (int i = 0; i < 4; i++) {
            rig.write(function, bar + 4 + i, 1, 0xff);
        }
        assertEquals(0xffff_ffe1L, rig.read(function, bar + 4, 4));
        // Not the usual pattern: the address bits exist, whatever is written to them.
        rig.write(function, bar + 4, 4, 0xffff_fffeL);
        assertEquals(0xffff_ffe1L, rig.read(function, bar + 4, 4));
        rig.write(function, bar + 8, 2, 0xffff);
        rig.write(function, bar + 10, 2, 0xffff);
        rig.write(function, bar + 12, 4, 0xffff_ffffL);
        assertEquals(0x0000_000cL, rig.read(function, bar + 8, 4));
        assertEquals(0xffff_fffeL, rig.read(function, bar + 12, 4));
    }

    @Test
    void sizingIsHarmlessWithDecodeOnAndOff() throws ClaimException {
        for (int command : new int[] {0x0, 0x3}) {
            PciFunction function =
                    rig.plug(
                            "a",
                            Rig.shape(
                                    Rig.io(0, 16), Rig.memory(1, 0x1000), Rig.memory64(2, 0x1000)));
            function.place();
            rig.command(function, command);
            List<PciFunction.BarState> before = function.bars();
            for (int index = 0; index < 4; index++) {
                int at = Type0Header.baseAddress(index);
                long old = rig.read(function, at, 4);
                rig.write(function, at, 4, 0xffff_ffffL);
                // Firmware placing another one now must not get the addresses given back later.
                PciFunction other = rig.plug("b", function.shape());
                other.place();
                rig.write(function, at, 4, old);
                assertEquals(before, function.bars());
                other.close();
            }
            function.close();
            assertTrue(rig.allFree());
        }
    }

    @Test
    void whatIsOutsideOfTheWindowsDecodesNothing() throws ClaimException {
        PciFunction function = rig.running("a", Rig.shape(Rig.memory(0, 0x1000)));
        for (long address : new long[] {0, 0x3fff_f000L, 0x8000_0000L, 0xffff_f000L}) {
            rig.writeBar(function, 0, address);
            assertEquals(-1, Rig.bar(function, 0).base());
            assertEquals(0xffff_ffffL, rig.load(Space.MMIO, address, 4));
            assertEquals(0xffff_ffffL, rig.load(Space.MMIO, LOW, 4));
            assertEquals(address, rig.read(function, Type0Header.baseAddress(0), 4));
        }
        rig.writeBar(function, 0, LOW + 0x1000);
        assertEquals(0x10, rig.load(Space.MMIO, LOW + 0x1010, 4));
    }

    @Test
    void addressesWithBit63NameNothing() throws ClaimException {
        PciFunction function = rig.running("a", Rig.shape(Rig.memory64(0, 1L << 32)));
        rig.writeBar(function, 0, 0x8000_0000_0000_0000L | HIGH);
        assertEquals(-1, Rig.bar(function, 0).base());
        rig.writeBar(function, 0, 0x7fff_ffff_0000_0000L);
        assertEquals(-1, Rig.bar(function, 0).base());
        rig.writeBar(function, 0, HIGH + (1L << 32));
        assertEquals(HIGH + (1L << 32), Rig.bar(function, 0).base());
    }

    @Test
    void aBarWhoseTargetIsTakenIsUnplacedUntilItIsFree() throws ClaimException {
        PciFunction first = rig.running("a", Rig.shape(Rig.memory(0, 0x1000)));
        PciFunction second = rig.running("b", Rig.shape(Rig.memory(0, 0x1000)));
        rig.writeBar(second, 0, LOW);
        assertEquals(-1, Rig.bar(second, 0).base());
        assertEquals(LOW, Rig.bar(second, 0).register());
        assertEquals(0, second.guestErrors(), "Linux does that when it moves BARs");
        assertEquals(1, rig.bus.regions().stream().filter(RegionLease::decoding).count());
        rig.writeBar(first, 0, LOW + 0x8000);
        assertEquals(LOW, Rig.bar(second, 0).base());
        assertTrue(Rig.bar(second, 0).decoding());
        rig.bus.write(Space.MMIO, LOW + 4, 4, 7);
        assertEquals(List.of("0+4/4=7"), Rig.card(second).writes);
    }

    @Test
    void aBarThatIsSwitchedOffYieldsToOneThatIsSwitchedOn() throws ClaimException {
        PciFunction off = rig.running("a", Rig.shape(Rig.memory(0, 0x1000)));
        PciFunction on = rig.running("b", Rig.shape(Rig.memory(0, 0x1000)));
        rig.command(off, 0);
        rig.command(on, 0);
        assertEquals(LOW, Rig.bar(off, 0).base());
        rig.writeBar(on, 0, LOW);
        assertEquals(-1, Rig.bar(on, 0).base(), "who was there first, while both are off");
        rig.command(on, 2);
        assertTrue(Rig.bar(on, 0).decoding());
        assertEquals(-1, Rig.bar(off, 0).base());
        rig.command(off, 2);
        assertFalse(Rig.bar(off, 0).decoding(), "two decoders never overlap");
        rig.writeBar(on, 0, LOW + 0x8000);
        assertTrue(Rig.bar(off, 0).decoding());
    }

    @Test
    @Timeout(60)
    void aBarThatIsSwitchedOffKeepsItsPlaceFromOneThatCannotHaveItAnyway() throws ClaimException {
        PciFunction off = rig.running("a", Rig.shape(Rig.memory(0, 0x1000)));
        PciFunction decoder = rig.running("b", Rig.shape(Rig.memory(0, 0x1000)));
        PciFunction large = rig.running("c", Rig.shape(Rig.memory(0, 0x2000)));
        rig.command(off, 0);
        assertEquals(LOW + 0x1000, Rig.bar(decoder, 0).base());
        rig.writeBar(large, 0, LOW);
        assertEquals(-1, Rig.bar(large, 0).base());
        assertEquals(LOW, Rig.bar(off, 0).base());
        rig.writeBar(decoder, 0, LOW + 0x8000);
        assertTrue(Rig.bar(large, 0).decoding());
        assertEquals(-1, Rig.bar(off, 0).base());
    }

    @Test
    void twoBarsCanChangePlaces() throws ClaimException {
        PciFunction first = rig.running("a", Rig.shape(Rig.memory(0, 0x1000)));
        PciFunction second = rig.running("b", Rig.shape(Rig.memory(0, 0x1000)));
        rig.writeBar(first, 0, LOW + 0x1000);
        rig.writeBar(second, 0, LOW);
        assertEquals(LOW + 0x1000, Rig.bar(first, 0).base());
        assertEquals(LOW, Rig.bar(second, 0).base());
        assertEquals(List.of("0 at 40000000", "0 nowhere", "0 at 40001000"), Rig.card(first).moves);
    }

    @Test
    void handlersHearOfWhatIsLostBeforeWhatIsGained() throws ClaimException {
        List<String> order = new ArrayList<>();
        PciFunction waiting =
                rig.bridge.plug("a", -1, Rig.shape(Rig.memory(0, 0x1000)), logging("a", order));
        PciFunction leaving =
                rig.bridge.plug("b", -1, Rig.shape(Rig.memory(0, 0x1000)), logging("b", order));
        waiting.place();
        leaving.place();
        rig.command(waiting, 2);
        rig.command(leaving, 2);
        rig.writeBar(waiting, 0, LOW + 0x1000);
        order.clear();
        rig.writeBar(leaving, 0, LOW + 0x5000);
        assertEquals(List.of("b 0 nowhere", "a 0 at 40001000", "b 0 at 40005000"), order);
    }

    private static BarHandler logging(String name, List<String> order) {
        return new Inert() {
            @Override
            public void moved(int bar, long base) {
                order.add(
                        base < 0
                                ? name + " " + bar + " nowhere"
                                : "%s %d at %x".formatted(name, bar, base));
            }
        };
    }

    @Test
    void aHandlerThatFailsDoesNotKeepTheOthersFromHearing() throws ClaimException {
        BarHandler failing =
                new Inert() {
                    @Override
                    public void moved(int bar, long base) {
                        throw new IllegalStateException("expected in this test");
                    }
                };
        PciFunction bad = rig.bridge.plug("bad", -1, Rig.shape(Rig.memory(0, 16)), failing);
        bad.place();
        rig.command(bad, 2);
        PciFunction good = rig.running("good", Rig.shape(Rig.memory(0, 16)));
        assertEquals(List.of("0 at 40000010"), Rig.card(good).moves);
    }

    @Test
    void theFirstInOrderGetsWhatSeveralWaitFor() throws ClaimException {
        PciFunction holder = rig.running("a", Rig.shape(Rig.memory(0, 0x1000)));
        PciFunction second = rig.running("b", Rig.shape(Rig.memory(0, 0x1000)));
        PciFunction third = rig.running("c", Rig.shape(Rig.memory(0, 0x1000)));
        rig.writeBar(third, 0, LOW);
        rig.writeBar(second, 0, LOW);
        holder.close();
        assertEquals(LOW, Rig.bar(second, 0).base());
        assertEquals(-1, Rig.bar(third, 0).base());
        second.close();
        assertEquals(LOW, Rig.bar(third, 0).base());
    }

    @Test
    void waitsForAddressesThatAreNotOfPci() throws ClaimException {
        RegionLease other =
                rig.bus.claim(rig.mmio32, "flash", 0x1000, new Placement.Exact(LOW), Rig.SILENT);
        PciFunction function = rig.running("a", Rig.shape(Rig.memory(0, 0x1000)));
        rig.writeBar(function, 0, LOW);
        assertEquals(-1, Rig.bar(function, 0).base());
        other.close();
        assertEquals(LOW, Rig.bar(function, 0).base());
        assertEquals(0x8, rig.load(Space.MMIO, LOW + 8, 4));
    }

    @Test
    void aParkedBarYieldsToOneThatTheGuestPlaces() throws ClaimException {
        PciFunction parked = rig.running("a", Rig.shape(Rig.memory(0, 0x1000)));
        PciFunction waiting = rig.running("b", Rig.shape(Rig.memory(0, 0x1000)));
        rig.writeBar(waiting, 0, LOW);
        rig.writeBar(parked, 0, 0);
        assertEquals(LOW, Rig.bar(waiting, 0).base(), "waited as the other was parked");
        rig.writeBar(parked, 0, LOW + 0x4000);
        rig.writeBar(parked, 0, 0);
        rig.writeBar(waiting, 0, LOW + 0x4000);
        assertEquals(LOW + 0x4000, Rig.bar(waiting, 0).base(), "came after");
    }

    @Test
    void barsOfOneFunctionDoNotOverlapEither() throws ClaimException {
        PciFunction function =
                rig.running("a", Rig.shape(Rig.memory(0, 0x1000), Rig.memory(1, 0x1000)));
        rig.writeBar(function, 0, LOW + 0x1000);
        assertEquals(-1, Rig.bar(function, 0).base());
        assertEquals(LOW + 0x1000, Rig.bar(function, 1).base());
        assertEquals(0x0100_0000L, rig.load(Space.MMIO, LOW + 0x1000, 4));
    }

    @Test
    void theGuestPlacesWhatFirmwareDidNot() throws ClaimException {
        PciFunction function = rig.plug("a", Rig.shape(Rig.memory(0, 0x1000)));
        assertEquals(0, Rig.bar(function, 0).register());
        rig.command(function, 2);
        rig.writeBar(function, 0, LOW + 0x3000);
        assertEquals(LOW + 0x3000, Rig.bar(function, 0).base());
        function.reset();
        assertEquals(0, Rig.bar(function, 0).register());
        assertTrue(rig.allFree());
    }

    @Test
    void resetGoesBackToWhereFirmwarePutIt() throws ClaimException {
        PciFunction function = rig.running("a", Rig.shape(Rig.memory(0, 0x1000)));
        rig.writeBar(function, 0, LOW + 0x10_0000);
        rig.write(function, Type0Header.INTERRUPT_LINE, 1, 9);
        function.reset();
        assertEquals(LOW, Rig.bar(function, 0).base());
        assertFalse(Rig.bar(function, 0).decoding());
        assertEquals(0, rig.read(function, Type0Header.COMMAND, 2));
        assertEquals(0, rig.read(function, Type0Header.INTERRUPT_LINE, 1));
        assertEquals("0 nowhere", Rig.card(function).moves.get(3));
    }

    @Test
    void resetOfAllWorksWhereTheGuestHasExchangedThem() throws ClaimException {
        PciFunction first = rig.running("a", Rig.shape(Rig.memory(0, 0x1000)));
        PciFunction second = rig.running("b", Rig.shape(Rig.memory(0, 0x1000)));
        rig.writeBar(first, 0, LOW + 0x1000);
        rig.writeBar(second, 0, LOW);
        first.reset();
        second.reset();
        assertTrue(Rig.bar(first, 0).base() >= 0);
        assertTrue(Rig.bar(second, 0).base() >= 0);
        first.close();
        second.close();
        assertTrue(rig.allFree());
    }

    @Test
    void closingLeavesAllOnesAndGivesEverythingBack() throws ClaimException {
        PciFunction function =
                rig.running("a", Rig.shape(Rig.io(0, 16), Rig.memory(1, 16), Rig.memory64(2, 16)));
        function.close();
        function.close();
        assertTrue(rig.allFree());
        assertEquals(0xffff_ffffL, rig.read(function, 0, 4));
        assertEquals(0xffff_ffffL, function.readConfig(0, 4));
        rig.command(function, 7);
        function.writeConfig(Type0Header.baseAddress(1), 4, LOW);
        assertTrue(rig.allFree());
        assertEquals(0xffff_ffffL, rig.load(Space.MMIO, LOW, 4));
        assertThrows(IllegalStateException.class, function::place);
    }

    @Test
    void anAccessUnderWayWhileClosingReadsAllOnes() throws ClaimException {
        PciFunction[] function = new PciFunction[1];
        BarHandler handler =
                new Inert() {
                    @Override
                    public long read(int bar, long offset, int width) {
                        function[0].close();
                        return 0x1234;
                    }
                };
        function[0] = rig.bridge.plug("a", -1, Rig.shape(Rig.memory(0, 16)), handler);
        function[0].place();
        rig.command(function[0], 2);
        assertEquals(0xffff_ffffL, rig.load(Space.MMIO, LOW, 4));
    }

    @Test
    void placingTwiceIsPlacingOnce() throws ClaimException {
        PciFunction function = rig.running("a", Rig.shape(Rig.memory(0, 0x1000)));
        function.place();
        assertEquals(LOW, Rig.bar(function, 0).base());
        assertEquals(1, rig.bus.regions().size());
    }

    private static class Inert implements BarHandler {
        @Override
        public long read(int bar, long offset, int width) {
            return 0;
        }

        @Override
        public void write(int bar, long offset, int width, long value) {
            throw new AssertionError("nobody writes here");
        }
    }
}
