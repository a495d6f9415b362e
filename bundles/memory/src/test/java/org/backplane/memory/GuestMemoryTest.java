package org.backplane.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.backplane.linux.Fd;
import org.backplane.linux.Mapping;
import org.backplane.linux.Memfd;
import org.backplane.linux.OpenFlag;
import org.backplane.memory.GuestMemory.RamBank;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class GuestMemoryTest {
    private static final long PAGE = Mapping.pageSize();
    private static final long LOW = 0x8000_0000L;
    private static final long HIGH = 0x1_0000_0000L;
    private static final long BAR = 0x4000_0000L;

    private GuestMemory memory;
    private Memfd device;

    @BeforeEach
    void make() throws IOException {
        memory =
                new GuestMemory(
                        "test", List.of(new RamBank(HIGH, 4 * PAGE), new RamBank(LOW, 2 * PAGE)));
        device = Memfd.create("bar", 4 * PAGE);
    }

    @AfterEach
    void close() {
        memory.close();
        device.close();
    }

    private static boolean unmapped(MemoryLease lease) throws InterruptedException {
        return lease.awaitUnmapped(Duration.ZERO);
    }

    @Test
    void banksTakeTheDescriptorsOffsetsInTheirOrder() throws IOException {
        MemoryView view = memory.view("test");
        OffHeap.putLong(view.translate(LOW + 8, 8, Access.WRITE), 0x1234);
        MemoryRange low = memory.layout().ranges().get(0);
        assertEquals(LOW, low.guestAddress());
        assertEquals(4 * PAGE, low.offset());
        try (Mapping other =
                Mapping.shared(low.descriptor(), low.offset(), PAGE, Mapping.Protection.READ)) {
            assertEquals(0x1234, OffHeap.getLong(other.address() + 8));
        }
    }

    @Test
    void zeroClearsEveryBankAndKeepsItsAddresses() throws IOException {
        MemoryView view = memory.view("test");
        long low = view.translate(LOW, 8, Access.WRITE);
        long high = view.translate(HIGH + 3 * PAGE, 8, Access.WRITE);
        OffHeap.putLong(low, -1);
        OffHeap.putLong(high, -1);
        memory.zero();
        assertEquals(0, OffHeap.getLong(low));
        assertEquals(0, OffHeap.getLong(high));
        assertEquals(low, view.translate(LOW, 8, Access.WRITE));
    }

    @Test
    void pagesThatSomebodyHoldsAreClearedWhereTheyAre() throws IOException {
        long low = memory.view("test").translate(LOW, 8, Access.WRITE);
        OffHeap.putLong(low, -1);
        MemoryRange range = memory.layout().ranges().get(0);
        MemoryChanges.PageHold one = memory.holdPages();
        MemoryChanges.PageHold other = memory.holdPages();
        one.close();
        one.close();
        memory.zero();
        // Before the page is looked at: that would take a new one.
        assertEquals(range.offset(), range.descriptor().nextData(range.offset()), "still there");
        assertEquals(0, OffHeap.getLong(low));

        other.close();
        memory.zero();
        assertNotEquals(range.offset(), range.descriptor().nextData(range.offset()), "given back");
    }

    @Test
    void aReadOnlyRangeRefusesWriters() throws IOException {
        MemoryView view = memory.view("test");
        memory.map(BAR, device, PAGE, PAGE, false);
        assertNotEquals(0, view.translate(BAR, PAGE, Access.READ));
        assertEquals(0, view.translate(BAR, PAGE, Access.WRITE));
        assertEquals(PAGE - 1, view.contiguous(BAR + 1, Access.READ));
        assertEquals(0, view.contiguous(BAR + 1, Access.WRITE));
    }

    @Test
    void refusesToMapWhatIsOddOrTakenAndNamesIt() throws IOException {
        IOException taken =
                assertThrows(
                        IOException.class, () -> memory.map(LOW + PAGE, device, 0, PAGE, true));
        assertTrue(taken.getMessage().contains("overlap RAM 0x80000000-0x"), taken.getMessage());
        assertThrows(IOException.class, () -> memory.map(BAR + 8, device, 0, PAGE, true));
        assertThrows(IOException.class, () -> memory.map(BAR, device, 8, PAGE, true));
        assertThrows(IOException.class, () -> memory.map(BAR, device, 0, 0, true));
        assertThrows(IOException.class, () -> memory.map(BAR, device, 0, -PAGE, true));
        assertThrows(
                IOException.class,
                () -> memory.map(Long.MAX_VALUE - PAGE + 1, device, 0, 2 * PAGE, true));
        assertEquals(2, memory.layout().ranges().size());
    }

    @Test
    void refusesBanksThatOverlapOrAreOdd() {
        assertThrows(
                IllegalArgumentException.class,
                () -> new GuestMemory("x", List.of(new RamBank(0, PAGE), new RamBank(0, PAGE))));
        assertThrows(
                IllegalArgumentException.class,
                () -> new GuestMemory("x", List.of(new RamBank(0, PAGE - 1))));
        assertThrows(IllegalArgumentException.class, () -> new GuestMemory("x", List.of()));
    }

    @Test
    void aRevokedViewRefusesEverything() {
        MemoryView view = memory.view("test");
        MemoryView other = memory.view("other");
        view.revoke();
        assertEquals(0, view.translate(LOW, 8, Access.READ));
        assertEquals(0, view.contiguous(LOW, Access.READ));
        assertNotEquals(0, other.translate(LOW, 8, Access.READ));
    }

    @Test
    void aClosedLeaseIsUnmappedAtOnceWhenNobodyPins() throws Exception {
        MemoryView view = memory.view("test");
        view.unpin(view.pin());
        MemoryLease lease = memory.map(BAR, device, 0, PAGE, true);
        assertNotEquals(0, view.translate(BAR, 8, Access.READ));
        lease.close();
        lease.close();
        assertEquals(0, view.translate(BAR, 8, Access.READ));
        assertTrue(unmapped(lease));
    }

    @Test
    void anEarlierPinHoldsTheMappingAndALaterOneDoesNot() throws Exception {
        MemoryView view = memory.view("test");
        MemoryView other = memory.view("other");
        MemoryLease lease = memory.map(BAR, device, 0, PAGE, true);
        long ticket = view.pin();
        long nested = view.pin();
        long host = view.translate(BAR, 8, Access.WRITE);
        lease.close();
        long later = other.pin();
        assertEquals(List.of("test", "other"), memory.pinned());
        view.unpin(nested);
        assertFalse(unmapped(lease));
        OffHeap.putLong(host, 1);
        view.unpin(ticket);
        assertTrue(unmapped(lease));
        other.unpin(later);
    }

    /** A pin covers what is mapped after it was taken, too: its epoch is older still. */
    @Test
    void aPinHoldsMappingsMadeAndRemovedAfterIt() throws Exception {
        MemoryView view = memory.view("test");
        long ticket = view.pin();
        MemoryLease lease = memory.map(BAR, device, 0, PAGE, true);
        long host = view.translate(BAR, 8, Access.WRITE);
        lease.close();
        assertFalse(unmapped(lease));
        OffHeap.putLong(host, 1);
        // Pinning in the new epoch moves the old count aside; it must be found again.
        long second = view.pin();
        assertNotEquals(ticket, second);
        view.unpin(ticket);
        assertTrue(unmapped(lease));
        view.unpin(second);
        assertThrows(IllegalStateException.class, () -> view.unpin(ticket));
        assertThrows(IllegalStateException.class, () -> view.unpin(second));
    }

    @Test
    void revokingDoesNotLetGoOfWhatIsPinned() throws Exception {
        MemoryView view = memory.view("test");
        MemoryLease lease = memory.map(BAR, device, 0, PAGE, true);
        long ticket = view.pin();
        view.revoke();
        lease.close();
        assertFalse(unmapped(lease));
        view.unpin(ticket);
        assertTrue(unmapped(lease));
    }

    @Test
    void waitingForTheMappingEndsWithTheLastPin() throws Exception {
        MemoryView view = memory.view("test");
        MemoryLease lease = memory.map(BAR, device, 0, PAGE, true);
        long ticket = view.pin();
        lease.close();
        Thread holder = new Thread(() -> view.unpin(ticket));
        holder.start();
        assertTrue(lease.awaitUnmapped(Duration.ofSeconds(60)));
        holder.join();
    }

    @Test
    void listenersHearAdditionsLatestFirstBeforeTheLayoutAndRemovalsTheOtherWayRound()
            throws IOException {
        List<String> heard = new ArrayList<>();
        memory.addListener(recorder("engine", heard));
        memory.addListener(recorder("vfio", heard));
        heard.clear();
        MemoryLease lease = memory.map(BAR, device, 0, PAGE, true);
        lease.close();
        assertEquals(
                List.of(
                        "vfio added, visible false",
                        "engine added, visible false",
                        "engine removed, visible false",
                        "vfio removed, visible false"),
                heard);
    }

    private MemoryListener recorder(String name, List<String> heard) {
        return new MemoryListener() {
            @Override
            public void added(MemoryRange range) {
                heard.add(name + " added, visible " + memory.layout().ranges().contains(range));
                assertEquals(0, OffHeap.getByte(range.hostAddress()));
            }

            @Override
            public void removed(MemoryRange range) {
                heard.add(name + " removed, visible " + memory.layout().ranges().contains(range));
                assertEquals(0, OffHeap.getByte(range.hostAddress()));
            }
        };
    }

    @Test
    void aNewListenerIsToldOfWhatIsThereAndARemovedOneOfNothing() throws IOException {
        List<String> heard = new ArrayList<>();
        MemoryListener listener = recorder("late", heard);
        memory.addListener(listener);
        assertEquals(2, heard.size());
        memory.removeListener(listener);
        memory.map(BAR, device, 0, PAGE, true);
        assertEquals(2, heard.size());
    }

    @Test
    void rangesComeAndGoWhileAListenerIsToldOfTheRam() throws Exception {
        MemoryLease before = memory.map(BAR, device, 0, PAGE, true);
        var joining = new Joining(memory);
        Thread registering = new Thread(() -> memory.addListener(joining));
        registering.start();
        try {
            joining.entered.await();
            assertFalse(joining.locked, "what maps or unmaps would wait");
            before.close();
            memory.map(BAR + PAGE, device, 0, PAGE, true);
        } finally {
            joining.goOn.countDown();
            registering.join();
        }
        assertEquals(
                List.of("added RAM 80000000", "added RAM 100000000", "added DEVICE 40001000"),
                joining.heard);
        assertTrue(unmapped(before));
        assertEquals(List.of(), memory.pinned());
        memory.map(BAR, device, 0, PAGE, true).close();
        assertEquals(
                List.of("added DEVICE 40000000", "removed DEVICE 40000000"),
                joining.heard.subList(3, 5));
    }

    /** Or a listener would unmap, or leave mapped, what another mapping has come to lie at. */
    @Test
    void ramThatGoesWhileAListenerIsToldOfItStaysMappedUntilTheListenerHasLetGo() throws Exception {
        try (GuestMemory elsewhere = GuestMemory.ofElsewhere()) {
            MemoryLease before = elsewhere.mapRam(LOW, device, 0, PAGE, true);
            var joining = new Joining(elsewhere);
            Thread registering = new Thread(() -> elsewhere.addListener(joining));
            registering.start();
            MemoryLease after;
            try {
                joining.entered.await();
                assertFalse(joining.locked, "what maps or unmaps would wait");
                before.close();
                assertFalse(unmapped(before));
                after = elsewhere.mapRam(LOW, device, 0, PAGE, true);
            } finally {
                joining.goOn.countDown();
                registering.join();
            }
            assertEquals(
                    List.of("added RAM 80000000", "removed RAM 80000000", "added RAM 80000000"),
                    joining.heard);
            assertEquals(List.of(before.range(), before.range(), after.range()), joining.ranges);
            assertNotEquals(before.range(), after.range());
            assertTrue(unmapped(before));
        }
    }

    @Test
    void aListenerThatFailsInTheRamHearsOfNothingMoreAndHoldsNothing() throws Exception {
        List<String> heard = new ArrayList<>();
        MemoryListener failing =
                new MemoryListener() {
                    @Override
                    public void added(MemoryRange range) {
                        heard.add("added");
                        throw new IllegalStateException("no room");
                    }

                    @Override
                    public void removed(MemoryRange range) {
                        heard.add("removed");
                    }
                };
        assertThrows(IllegalStateException.class, () -> memory.addListener(failing));
        MemoryLease lease = memory.map(BAR, device, 0, PAGE, true);
        lease.close();
        assertTrue(unmapped(lease));
        assertEquals(List.of("added"), heard);
    }

    /** Stays in the first range that it is told of until the test lets it go on. */
    private static final class Joining implements MemoryListener {
        private final CountDownLatch entered = new CountDownLatch(1);
        private final CountDownLatch goOn = new CountDownLatch(1);
        private final List<String> heard = new ArrayList<>();
        private final List<MemoryRange> ranges = new ArrayList<>();
        private final GuestMemory memory;
        private volatile boolean locked;

        Joining(GuestMemory memory) {
            this.memory = memory;
        }

        @Override
        public void added(MemoryRange range) {
            note("added", range);
            locked = Thread.holdsLock(memory);
            entered.countDown();
            try {
                goOn.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public void removed(MemoryRange range) {
            note("removed", range);
        }

        private void note(String what, MemoryRange range) {
            OffHeap.getByte(range.hostAddress());
            heard.add("%s %s %x".formatted(what, range.kind(), range.guestAddress()));
            ranges.add(range);
        }
    }

    @Test
    void aListenerThatFailsKeepsNoRemovalFromTheOthers() throws Exception {
        List<String> heard = new ArrayList<>();
        memory.addListener(
                new MemoryListener() {
                    @Override
                    public void added(MemoryRange range) {
                        // It is the removal that fails.
                    }

                    @Override
                    public void removed(MemoryRange range) {
                        if (range.kind() == MemoryRange.Kind.DEVICE) {
                            throw new IllegalStateException("stuck");
                        }
                    }
                });
        memory.addListener(recorder("vfio", heard));
        MemoryLease lease = memory.map(BAR, device, 0, PAGE, true);
        heard.clear();
        assertEquals("stuck", assertThrows(IllegalStateException.class, lease::close).getMessage());
        assertEquals(1, heard.size());
        assertTrue(unmapped(lease));
    }

    @Test
    void aListenerThatFailsUndoesTheMapping() throws IOException {
        List<String> heard = new ArrayList<>();
        MemoryListener failing =
                new MemoryListener() {
                    @Override
                    public void added(MemoryRange range) {
                        if (range.kind() == MemoryRange.Kind.DEVICE) {
                            throw new IllegalStateException("no slot left");
                        }
                    }

                    @Override
                    public void removed(MemoryRange range) {
                        heard.add("failing removed");
                    }
                };
        memory.addListener(failing);
        memory.addListener(recorder("vfio", heard));
        heard.clear();
        assertThrows(IllegalStateException.class, () -> memory.map(BAR, device, 0, PAGE, true));
        assertEquals(List.of("vfio added, visible false", "vfio removed, visible false"), heard);
        assertEquals(2, memory.layout().ranges().size());
    }

    /** Unmapped too early, a load would end this JVM. */
    @Test
    void addressesStayGoodUnderPinsWhileRangesComeAndGo() throws Exception {
        MemoryView view = memory.view("test");
        Thread[] readers = new Thread[3];
        boolean[] stop = new boolean[1];
        for (int i = 0; i < readers.length; i++) {
            readers[i] =
                    new Thread(
                            () -> {
                                boolean more = true;
                                while (more) {
                                    long ticket = view.pin();
                                    for (int n = 0; n < 10; n++) {
                                        long host = view.translate(BAR, PAGE, Access.READ);
                                        if (host != 0) {
                                            OffHeap.getLong(host + PAGE - 8);
                                        }
                                    }
                                    view.unpin(ticket);
                                    synchronized (stop) {
                                        more = !stop[0];
                                    }
                                }
                            });
            readers[i].start();
        }
        MemoryLease last = null;
        for (int round = 0; round < 2000; round++) {
            last = memory.map(BAR, device, 0, PAGE, true);
            last.close();
        }
        synchronized (stop) {
            stop[0] = true;
        }
        for (Thread reader : readers) {
            reader.join();
        }
        assertTrue(unmapped(last));
        assertEquals(List.of(), memory.pinned());
    }

    @Test
    void ramOfAnotherProcessIsRamAsLongAsItsLease() throws IOException {
        List<MemoryRange> told = new ArrayList<>();
        try (GuestMemory elsewhere = GuestMemory.ofElsewhere()) {
            elsewhere.addListener(
                    new MemoryListener() {
                        @Override
                        public void added(MemoryRange range) {
                            told.add(range);
                        }

                        @Override
                        public void removed(MemoryRange range) {
                            told.remove(range);
                        }
                    });
            assertEquals(List.of(), elsewhere.layout().ranges());
            try (MemoryLease lease = elsewhere.mapRam(PAGE, device, PAGE, PAGE, false)) {
                assertEquals(List.of(lease.range()), told);
                assertEquals(MemoryRange.Kind.RAM, lease.range().kind());
                assertNotEquals(0, elsewhere.layout().translate(PAGE, PAGE, Access.READ));
                assertEquals(0, elsewhere.layout().translate(PAGE, PAGE, Access.WRITE));
                // Clears what is its own: nothing.
                elsewhere.zero();
            }
            assertEquals(List.of(), told);
        }
    }

    /** So that no load is left out. */
    private volatile int loaded;

    @Test
    void accessToRamThatWasCutOffIsToldWhereItIsAskedFor(@TempDir Path folder) throws IOException {
        Path path = folder.resolve("ram");
        try (Fd file = Fd.open(path, OpenFlag.CREATE, OpenFlag.READ, OpenFlag.WRITE);
                GuestMemory elsewhere = GuestMemory.ofElsewhere()) {
            file.truncate(PAGE);
            elsewhere.mapRam(0, file, 0, PAGE, true);
            long host = elsewhere.layout().translate(0, PAGE, Access.WRITE);
            // Until it is compiled, which is when such a fault is told late.
            for (int i = 0; i < 20_000; i++) {
                assertNull(fault(elsewhere, host));
            }
            file.truncate(0);
            assertNotNull(fault(elsewhere, host));
            file.truncate(PAGE);
            assertNull(fault(elsewhere, host));
        }
    }

    private InternalError fault(GuestMemory memory, long host) {
        try {
            loaded = OffHeap.getShortAcquire(host);
            memory.raiseFault();
            return null;
        } catch (InternalError e) {
            return e;
        }
    }
}
