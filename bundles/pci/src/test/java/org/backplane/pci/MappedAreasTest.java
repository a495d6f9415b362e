package org.backplane.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.backplane.bus.ClaimException;
import org.backplane.bus.Space;
import org.backplane.device.context.Lease;
import org.backplane.linux.Fd;
import org.backplane.linux.LinuxException;
import org.backplane.linux.Mapping;
import org.backplane.linux.Memfd;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Host memory in BARs: where the guest finds it, and where it comes to the device instead. */
class MappedAreasTest {
    private static final long PAGE = Mapping.pageSize();

    private final Rig rig = new Rig();
    private Fd card;

    @BeforeEach
    void openCard() throws LinuxException {
        card = Memfd.create("card", 64 * PAGE);
    }

    @AfterEach
    void closeCard() {
        card.close();
    }

    private static PciWires wires(PciFunction function) {
        PciWires wires = function.deviceWires();
        function.connect(wires);
        return wires;
    }

    /** Base of a BAR, in pages of the host that are mapped from there: {@code 0-3 0, 5-8 5}. */
    private String pages(PciFunction function, int bar) {
        long base = Rig.bar(function, bar).base();
        return rig.memory.mapped.values().stream()
                .filter(found -> found.range().base() >= base)
                .filter(found -> found.range().end() <= base + Rig.bar(function, bar).bar().size())
                .map(
                        found ->
                                "%d-%d=%d"
                                        .formatted(
                                                (found.range().base() - base) / PAGE,
                                                (found.range().end() - base) / PAGE,
                                                found.offset() / PAGE))
                .reduce((one, other) -> one + " " + other)
                .orElse("");
    }

    private String event(String sign, long base, long length, long offset) {
        return "%s%x+%x=%s+%x".formatted(sign, base, length, card.name(), offset);
    }

    @Test
    void isThereOnceTheBarDecodesAndFollowsIt() throws ClaimException {
        PciFunction function = rig.plug("nic", Rig.shape(Rig.memory64(0, 16 * PAGE)));
        function.place();
        wires(function).map(0, 0, card, 32 * PAGE, 16 * PAGE);
        assertEquals(List.of(), rig.memory.events);

        rig.command(function, Type0Header.COMMAND_MEMORY);
        long first = Rig.bar(function, 0).base();
        long second = first + 64 * PAGE;
        rig.writeBar(function, 0, second);
        rig.command(function, 0);

        assertEquals(
                List.of(
                        event("+", first, 16 * PAGE, 32 * PAGE),
                        event("-", first, 16 * PAGE, 32 * PAGE),
                        event("+", second, 16 * PAGE, 32 * PAGE),
                        event("-", second, 16 * PAGE, 32 * PAGE)),
                rig.memory.events);
    }

    @Test
    void sizingWithDecodingOnLeavesItWhereItWas() throws ClaimException {
        PciFunction function = rig.running("nic", Rig.shape(Rig.memory(0, 4 * PAGE)));
        wires(function).map(0, 0, card, 0, 4 * PAGE);
        String before = rig.memory.toString();
        long base = Rig.bar(function, 0).base();

        rig.write(function, Type0Header.BASE_ADDRESS, 4, 0xffff_ffffL);
        assertTrue(pages(function, 0).isEmpty() || Rig.bar(function, 0).base() != base);
        rig.write(function, Type0Header.BASE_ADDRESS, 4, base);

        assertEquals(before, rig.memory.toString());
    }

    @Test
    void pagesOfTableAndPendingBitsStayTrapped() throws ClaimException {
        var msix = new PciShape.Msix(65, 0, 3 * PAGE - 16, 0, 7 * PAGE + 8);
        PciFunction function =
                rig.running("nvme", Rig.shape(Optional.of(msix), Rig.memory(0, 16 * PAGE)));
        wires(function).map(0, 0, card, 0, 16 * PAGE);

        assertEquals("0-2=0 4-7=4 8-16=8", pages(function, 0));
        long base = Rig.bar(function, 0).base();
        assertEquals(0, rig.load(Space.MMIO, base + 3 * PAGE - 16, 4), "the table's first dword");
        assertEquals(3 * PAGE + 1032, rig.load(Space.MMIO, base + 3 * PAGE + 1032, 4));
    }

    @Test
    void whatIsNoWholePageStaysTrapped() throws ClaimException {
        PciFunction function = rig.running("odd", Rig.shape(Rig.memory(0, 8 * PAGE)));
        wires(function).map(0, PAGE + 8, card, PAGE + 8, 3 * PAGE);
        assertEquals("2-4=2", pages(function, 0));
    }

    @Test
    void anAreaThatIsNotCongruentToItsFileIsTrapped() throws ClaimException {
        PciFunction function = rig.running("odd", Rig.shape(Rig.memory(0, 8 * PAGE)));
        wires(function).map(0, 0, card, 512, 4 * PAGE);
        assertEquals("", pages(function, 0));
    }

    @Test
    void aBarBelowAPageIsTrappedWhereverItIs() throws ClaimException {
        PciFunction function = rig.running("small", Rig.shape(Rig.memory(0, 256)));
        wires(function).map(0, 0, card, 0, 256);
        rig.writeBar(function, 0, Rig.LOW.base() + 0x1100);
        assertEquals(List.of(), rig.memory.events);
        assertEquals(8, rig.load(Space.MMIO, Rig.LOW.base() + 0x1108, 4));
    }

    @Test
    void aTrapSplitsAMappedAreaUntilItIsClosed() throws ClaimException {
        PciFunction function = rig.running("nic", Rig.shape(Rig.memory(0, 8 * PAGE)));
        PciWires wires = wires(function);
        wires.map(0, 0, card, 0, 8 * PAGE);
        Lease first = wires.trap(0, 2 * PAGE + 4, 4);
        Lease second = wires.trap(0, 2 * PAGE + 4, 4);
        assertEquals("0-2=0 3-8=3", pages(function, 0));
        first.close();
        first.close();
        assertEquals("0-2=0 3-8=3", pages(function, 0));
        second.close();
        assertEquals("0-8=0", pages(function, 0));
    }

    @Test
    void aSwapLeavesWhatTheNextDeclaresInPlace() throws ClaimException {
        PciFunction function = rig.running("nic", Rig.shape(Rig.memory(0, 8 * PAGE)));
        PciWires old = wires(function);
        old.map(0, 0, card, 0, 2 * PAGE);
        Lease gone = old.map(0, 4 * PAGE, card, 4 * PAGE, PAGE);
        PciWires next = function.deviceWires();
        next.map(0, 0, card, 0, 2 * PAGE);
        next.map(0, 6 * PAGE, card, 6 * PAGE, PAGE);
        rig.memory.events.clear();

        function.disconnect(old);
        assertEquals(List.of(), rig.memory.events);
        function.connect(next);
        gone.close();

        long base = Rig.bar(function, 0).base();
        assertEquals(
                List.of(
                        event("-", base + 4 * PAGE, PAGE, 4 * PAGE),
                        event("+", base + 6 * PAGE, PAGE, 6 * PAGE)),
                rig.memory.events);
        assertEquals("0-2=0 6-7=6", pages(function, 0));
    }

    @Test
    void anotherDescriptorIsAnotherMapping() throws ClaimException, LinuxException {
        PciFunction function = rig.running("nic", Rig.shape(Rig.memory(0, PAGE)));
        PciWires old = wires(function);
        old.map(0, 0, card, 0, PAGE);
        try (Fd other = Memfd.create("other", PAGE)) {
            PciWires next = function.deviceWires();
            next.map(0, 0, other, 0, PAGE);
            function.disconnect(old);
            function.connect(next);
            assertTrue(rig.memory.toString().contains(other.name()), rig.memory::toString);
        }
    }

    @Test
    void staysOverAVacancyAndFollowsTheBarMeanwhile() throws ClaimException {
        PciFunction function = rig.running("nic", Rig.shape(Rig.memory(0, PAGE)));
        PciWires old = wires(function);
        Lease lease = old.map(0, 0, card, 0, PAGE);
        function.disconnect(old);
        lease.close();
        assertEquals("0-1=0", pages(function, 0));

        rig.writeBar(function, 0, Rig.LOW.base() + 64 * PAGE);
        assertEquals(Rig.LOW.base() + 64 * PAGE, function.mapped().get(0).guestAddress());

        function.unmap();
        assertEquals(List.of(), function.mapped());
    }

    @Test
    void goesWithItsLeaseAndWithItsFunction() throws ClaimException {
        PciFunction function = rig.running("nic", Rig.shape(Rig.memory(0, 2 * PAGE)));
        PciWires wires = wires(function);
        Lease lease = wires.map(0, 0, card, 0, PAGE);
        wires.map(0, PAGE, card, PAGE, PAGE);
        lease.close();
        assertEquals("1-2=1", pages(function, 0));
        function.close();
        assertTrue(rig.memory.mapped.isEmpty());
        wires.map(0, 0, card, 0, PAGE);
        assertTrue(rig.memory.mapped.isEmpty());
    }

    @Test
    void aResetTakesItOutUntilTheGuestDecodesAgain() throws ClaimException {
        PciFunction function = rig.running("nic", Rig.shape(Rig.memory(0, PAGE)));
        wires(function).map(0, 0, card, 0, PAGE);
        function.reset();
        assertTrue(rig.memory.mapped.isEmpty());
        rig.command(function, Type0Header.COMMAND_MEMORY);
        assertEquals("0-1=0", pages(function, 0));
    }

    @Test
    void aRestoredFunctionHasItWhereTheGuestLeftIt() throws Exception {
        PciFunction function = rig.running("nic", Rig.shape(Rig.memory(0, PAGE)));
        rig.writeBar(function, 0, Rig.LOW.base() + 64 * PAGE);
        Rig other = new Rig();
        PciFunction restored = other.plug("nic", function.shape());
        restored.restore(function.save());
        PciWires wires = restored.deviceWires();
        wires.map(0, 0, card, 0, PAGE);
        assertTrue(other.memory.mapped.isEmpty());
        restored.connect(wires);
        assertEquals(
                List.of(new PciFunction.MappedRange(0, 0, Rig.LOW.base() + 64 * PAGE, PAGE)),
                restored.mapped());
    }

    /** Another thread tells where BARs are, and has not come to this one. */
    @Test
    @Timeout(60)
    void isGoneWhenClosingReturnsThoughAnotherThreadTellsOfMoves() throws Exception {
        PciFunction function = rig.running("nic", Rig.shape(Rig.memory(0, PAGE)));
        wires(function).map(0, 0, card, 0, PAGE);
        CountDownLatch told = new CountDownLatch(1);
        CountDownLatch closed = new CountDownLatch(1);
        PciFunction slow =
                rig.bridge.plug("slow", -1, Rig.shape(Rig.memory(0, PAGE)), new Slow(told, closed));
        slow.place();
        Thread guest = new Thread(() -> rig.command(slow, Type0Header.COMMAND_MEMORY));
        guest.start();
        told.await();
        function.close();
        boolean gone = rig.memory.mapped.isEmpty();
        closed.countDown();
        guest.join();
        assertTrue(gone);
    }

    /** Does not come back from being told until it may. */
    private record Slow(CountDownLatch told, CountDownLatch may) implements BarHandler {
        @Override
        public long read(int bar, long offset, int width) {
            return 0;
        }

        @Override
        public void write(int bar, long offset, int width, long value) {
            throw new AssertionError("nobody writes here");
        }

        @Override
        public void moved(int bar, long base) {
            told.countDown();
            try {
                may.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    @Test
    void theHostsRefusalLeavesTheBarTrapped() throws ClaimException {
        rig.memory.refusal = "the host cannot map that";
        PciFunction function = rig.running("nic", Rig.shape(Rig.memory(0, PAGE)));
        PciWires wires = wires(function);
        wires.map(0, 0, card, 0, PAGE);
        assertEquals(8, rig.load(Space.MMIO, Rig.bar(function, 0).base() + 8, 4));

        rig.memory.refusal = null;
        rig.writeBar(function, 0, Rig.LOW.base() + 64 * PAGE);
        assertEquals("0-1=0", pages(function, 0));
    }

    @Test
    void refusesAreasThatAreNoneOrOverlap() throws ClaimException {
        PciFunction function =
                rig.running("nic", Rig.shape(Rig.memory(0, 4 * PAGE), Rig.io(1, 64)));
        PciWires wires = wires(function);
        wires.map(0, PAGE, card, PAGE, PAGE);
        assertThrows(IllegalArgumentException.class, () -> wires.map(0, 0, card, 0, PAGE + 1));
        for (long[] bad :
                new long[][] {
                    {1, 0, 64},
                    {2, 0, PAGE},
                    {0, -PAGE, PAGE},
                    {0, 4 * PAGE, PAGE},
                    {0, 0, 0},
                    {0, 3 * PAGE, 2 * PAGE},
                    {0, 2 * PAGE, Long.MAX_VALUE}
                }) {
            assertThrows(
                    IllegalArgumentException.class,
                    () -> wires.map((int) bad[0], bad[1], card, bad[1], bad[2]));
        }
        assertEquals("1-2=1", pages(function, 0));
    }
}
