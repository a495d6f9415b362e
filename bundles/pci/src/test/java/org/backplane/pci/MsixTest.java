package org.backplane.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.backplane.bus.ClaimException;
import org.backplane.bus.Space;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Registers, MSI-X table and pending bits in one BAR, as NVMe and xHCI controllers have them. */
@Timeout(60)
class MsixTest {
    private static final int VECTORS = 70;
    private static final int TABLE = 0x800;
    private static final int PBA = 0x1800;
    private static final int SIZE = 0x4000;
    private static final int ENABLE = 0x8000;
    private static final int FUNCTION_MASK = 0x4000;

    private final Rig rig = new Rig();
    private final PciFunction function;
    private final long base;

    MsixTest() throws ClaimException {
        function =
                rig.running(
                        "nvme0",
                        Rig.shape(
                                Optional.of(new PciShape.Msix(VECTORS, 0, TABLE, 0, PBA)),
                                Rig.memory64(0, SIZE)));
        base = Rig.bar(function, 0).base();
    }

    private void control(int bits) {
        rig.write(function, 0x42, 2, bits);
    }

    private long load(long offset, int width) {
        return rig.load(Space.MMIO, base + offset, width);
    }

    private void store(long offset, int width, long value) {
        rig.bus.write(Space.MMIO, base + offset, width, value);
    }

    private static long entry(int vector) {
        return TABLE + 16L * vector;
    }

    private void program(int vector, long address, int data, boolean masked) {
        store(entry(vector), 8, address);
        store(entry(vector) + 8, 8, data | (masked ? 1L << 32 : 0));
    }

    private long pending(int vector) {
        return load(PBA + vector / 64 * 8, 8) >>> vector & 1;
    }

    @Test
    void startsMaskedWithNothingPending() {
        for (int vector = 0; vector < VECTORS; vector++) {
            assertEquals(0, load(entry(vector), 8));
            assertEquals(1L << 32, load(entry(vector) + 8, 8));
        }
        assertEquals(0, load(PBA, 8));
        assertEquals(0, load(PBA + 8, 8));
        assertEquals(VECTORS - 1, rig.read(function, 0x42, 2));
        assertFalse(function.wires().msixEnabled());
    }

    @Test
    void sendsTheMessageOfTheEntry() {
        program(3, 0xfee0_1000_0004L, 0x4123, false);
        control(ENABLE);
        assertTrue(function.wires().msixEnabled());
        function.wires().signal(3);
        assertEquals(List.of("fee010000004=4123"), rig.messages);
        assertEquals(0, pending(3));
    }

    @Test
    void countsMessagesThatLeftAndAccessesWhereverTheBarIs() {
        program(3, 0x1000, 7, true);
        control(ENABLE);
        FunctionTraffic before = function.traffic();
        function.wires().signal(3);
        function.wires().signal(3);
        assertEquals(before.interrupts(), function.traffic().interrupts());
        // Once unmasked, the two that were held back are one message.
        program(3, 0x1000, 7, false);
        function.wires().signal(3);
        assertEquals(List.of("1000=7", "1000=7"), rig.messages);
        assertEquals(before.interrupts() + 2, function.traffic().interrupts());
        assertEquals(before.writes() + 2, function.traffic().writes());
        load(PBA, 8);
        rig.read(function, 0, 4);
        assertEquals(before.reads() + 2, function.traffic().reads());
        function.reset();
        assertEquals(before.interrupts() + 2, function.traffic().interrupts());
    }

    @Test
    void doesNothingWhileOff() {
        program(3, 0x1000, 7, false);
        function.wires().signal(3);
        control(ENABLE);
        assertEquals(List.of(), rig.messages);
        assertEquals(0, load(PBA, 8));
    }

    @Test
    void keepsARequestPendingWhileTheVectorIsMasked() {
        control(ENABLE);
        program(65, 0x1000, 7, true);
        function.wires().signal(65);
        function.wires().signal(65);
        assertEquals(1, pending(65));
        assertEquals(0x2, load(PBA + 8, 4));
        assertEquals(List.of(), rig.messages);
        store(entry(65) + 12, 4, 0);
        assertEquals(List.of("1000=7"), rig.messages);
        assertEquals(0, pending(65));
        store(entry(65) + 12, 4, 1);
        store(entry(65) + 12, 4, 0);
        assertEquals(1, rig.messages.size());
    }

    @Test
    void keepsRequestsPendingWhileTheFunctionIsMasked() {
        control(ENABLE | FUNCTION_MASK);
        program(0, 0x1000, 10, false);
        program(1, 0x1000, 11, true);
        program(2, 0x1000, 12, false);
        function.wires().signal(0);
        function.wires().signal(1);
        function.wires().signal(2);
        assertEquals(0b111, load(PBA, 4));
        control(ENABLE);
        assertEquals(List.of("1000=a", "1000=c"), rig.messages);
        assertEquals(0b010, load(PBA, 4));
    }

    @Test
    void sendsOnlyAsBusMaster() {
        control(ENABLE);
        program(0, 0x1000, 1, false);
        rig.command(function, Type0Header.COMMAND_MEMORY);
        function.wires().signal(0);
        assertEquals(List.of(), rig.messages);
        assertEquals(1, pending(0));
        rig.command(function, Type0Header.COMMAND_MEMORY | Type0Header.COMMAND_BUS_MASTER);
        assertEquals(List.of("1000=1"), rig.messages);
    }

    @Test
    void switchingOffForgetsWhatIsPending() {
        control(ENABLE | FUNCTION_MASK);
        program(0, 0x1000, 1, false);
        function.wires().signal(0);
        control(0);
        control(ENABLE);
        assertEquals(List.of(), rig.messages);
    }

    @Test
    void thePendingBitsAreReadOnly() {
        control(ENABLE | FUNCTION_MASK);
        function.wires().signal(1);
        store(PBA, 8, -1);
        store(PBA + 4, 4, -1);
        assertEquals(0b10, load(PBA, 8));
        store(PBA, 8, 0);
        assertEquals(0b10, load(PBA, 8));
        assertEquals(List.of(), Rig.card(function).writes);
    }

    @Test
    void theTableTakesDwordsAndQwordsOnly() {
        store(entry(1), 4, 0x1111_1111);
        store(entry(1) + 4, 4, 0x2222_2222);
        store(entry(1) + 8, 4, 0x3333_3333);
        assertEquals(0x2222_2222_1111_1110L, load(entry(1), 8));
        assertEquals(0x1_3333_3333L, load(entry(1) + 8, 8));
        assertEquals(0x2222_2222L, load(entry(1) + 4, 4));
        for (long[] access : new long[][] {{0, 1}, {0, 2}, {2, 4}, {4, 8}}) {
            store(entry(1) + access[0], (int) access[1], -1);
            assertEquals(
                    access[1] == 8 ? -1L : (1L << 8 * access[1]) - 1,
                    load(entry(1) + access[0], (int) access[1]));
        }
        assertEquals(0x2222_2222_1111_1110L, load(entry(1), 8));
        assertEquals(List.of(), Rig.card(function).writes);
    }

    @Test
    void reservedBitsReadZero() {
        store(entry(0), 8, -1);
        store(entry(0) + 8, 8, -1);
        assertEquals(0xffff_ffff_ffff_fffcL, load(entry(0), 8));
        assertEquals(0x0000_0001_ffff_ffffL, load(entry(0) + 8, 8));
    }

    @Test
    void theRestOfTheBarIsTheDevices() {
        assertEquals(0, load(0, 4));
        assertEquals(TABLE - 8, load(TABLE - 8, 8));
        long behind = entry(VECTORS);
        assertEquals(behind, load(behind, 8));
        assertEquals(PBA - 4, load(PBA - 4, 4));
        assertEquals(PBA + 16, load(PBA + 16, 4));
        store(behind, 2, 0x1234);
        store(PBA + 16, 8, 0x99);
        assertEquals(
                List.of("0+%x/2=1234".formatted(behind), "0+1810/8=99"), Rig.card(function).writes);
    }

    @Test
    void anAccessThatStraddlesTheTablesEdgeReachesNobody() {
        assertEquals(0xffff_ffffL, load(TABLE - 2, 4));
        assertEquals(-1L, load(entry(VECTORS) - 4, 8));
        assertEquals(0xffff_ffffL, load(PBA + 14, 4));
        store(TABLE - 4, 8, -1);
        assertEquals(4, function.guestErrors());
        assertEquals(0, load(entry(0), 8));
        assertEquals(List.of(), Rig.card(function).writes);
    }

    @Test
    void tableAndPendingBitsMayLieInDifferentBars() throws ClaimException {
        PciFunction other =
                rig.running(
                        "x",
                        Rig.shape(
                                Optional.of(new PciShape.Msix(2, 1, 0, 3, 0xff8)),
                                Rig.memory(1, 0x1000),
                                Rig.memory(3, 0x1000)));
        long table = Rig.bar(other, 1).base();
        long pba = Rig.bar(other, 3).base();
        assertEquals(0x1L, rig.load(Space.MMIO, table + 12, 4));
        assertEquals(0x0100_0020L, rig.load(Space.MMIO, table + 32, 4));
        assertEquals(0x0300_0000L, rig.load(Space.MMIO, pba, 4));
        rig.write(other, 0x42, 2, ENABLE);
        other.wires().signal(1);
        assertEquals(0b10, rig.load(Space.MMIO, pba + 0xff8, 8));
        assertEquals(0x0100_0ff8L, rig.load(Space.MMIO, table + 0xff8, 8));
    }

    @Test
    void resetMasksEverythingAndSwitchesOff() {
        control(ENABLE);
        program(0, 0x1000, 1, true);
        function.wires().signal(0);
        function.reset();
        rig.command(function, 7);
        assertEquals(0, load(entry(0), 8));
        assertEquals(1L << 32, load(entry(0) + 8, 8));
        assertEquals(0, load(PBA, 8));
        assertFalse(function.wires().msixEnabled());
        assertEquals(VECTORS - 1, rig.read(function, 0x42, 2));
    }

    @Test
    void refusesAVectorThatIsNotThere() throws ClaimException {
        PciWires wires = function.wires();
        assertThrows(IllegalArgumentException.class, () -> wires.signal(VECTORS));
        assertThrows(IllegalArgumentException.class, () -> wires.signal(-1));
        PciWires without = rig.plug("y", Rig.shape()).wires();
        assertThrows(IllegalArgumentException.class, () -> without.signal(0));
        assertFalse(without.msixEnabled());
    }

    @Test
    void sendsNothingOnceClosed() {
        control(ENABLE);
        program(0, 0x1000, 1, false);
        function.close();
        function.wires().signal(0);
        assertEquals(List.of(), rig.messages);
        assertFalse(function.wires().msixEnabled());
    }

    @Test
    void noMessageArrivesAfterTheGuestHasMaskedItsVector() throws Exception {
        CountDownLatch sending = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        List<String> order = Collections.synchronizedList(new ArrayList<>());
        Rig own = new Rig();
        HostBridge bridge =
                new HostBridge(
                        own.bus,
                        new HostBridge.Windows(own.io, own.mmio32, own.mmio64),
                        (address, data) -> {
                            sending.countDown();
                            awaitOrFail(go);
                            order.add("arrived");
                        },
                        (device, pin, high) -> {});
        PciFunction slow = bridge.plug("slow", -1, function.shape(), new Rig.Card());
        slow.place();
        slow.writeConfig(Type0Header.COMMAND, 2, 7);
        slow.writeConfig(0x42, 2, ENABLE);
        long at = Rig.bar(slow, 0).base() + entry(0) + 12;
        own.bus.write(Space.MMIO, at, 4, 0);
        Thread device = new Thread(() -> slow.wires().signal(0));
        device.start();
        sending.await();
        Thread guest =
                new Thread(
                        () -> {
                            own.bus.write(Space.MMIO, at, 4, 1);
                            order.add("masked");
                        });
        guest.start();
        while (own.bus.read(Space.MMIO, at, 4) == 0) {
            Thread.onSpinWait();
        }
        // The vector is masked, and the guest's write would be over if it did not wait: a guest
        // that does not gets the time to say so.
        for (int i = 0; i < 1_000; i++) {
            Thread.yield();
        }
        go.countDown();
        device.join();
        guest.join();
        assertEquals(List.of("arrived", "masked"), order);
    }

    private static void awaitOrFail(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
