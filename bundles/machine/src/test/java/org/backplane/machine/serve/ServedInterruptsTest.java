package org.backplane.machine.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.backplane.linux.EventFd;
import org.backplane.memory.GuestMemory;
import org.backplane.pci.BarHandler;
import org.backplane.pci.Interrupts.Mode;
import org.backplane.pci.MsiLayout;
import org.backplane.pci.PciShape;
import org.backplane.pci.PciWires;
import org.backplane.pci.VectorTriggers;
import org.backplane.vfio.IrqInfo;
import org.backplane.vfio.VfioDevice;
import org.backplane.vfio.VfioException;
import org.backplane.vfio.user.VfioUserDevice;
import org.backplane.vfio.user.VfioUserServer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** MSI and INTx of a function, as a client of its socket switches, masks and hears them. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ServedInterruptsTest {
    private static final int COMMAND = 4;
    private static final int BUS_MASTER = 4;
    private static final int INTX = VfioDevice.INTX;
    private static final int MSI = VfioDevice.MSI;

    /** Of the 64-bit capability with mask bits. */
    private static final int PENDING = 20;

    private static final BarHandler SILENT =
            new BarHandler() {
                @Override
                public long read(int bar, long offset, int width) {
                    return 0;
                }

                @Override
                public void write(int bar, long offset, int width, long value) {
                    // Nobody stores here.
                }
            };

    @TempDir Path folder;

    private final GuestMemory memory = GuestMemory.ofElsewhere();
    private final EventFd[] events = new EventFd[4];
    private ServedRig rig;
    private VfioUserServer server;
    private VfioUserDevice client;

    @BeforeEach
    void openEvents() throws Exception {
        for (int i = 0; i < events.length; i++) {
            events[i] = EventFd.open();
        }
    }

    @AfterEach
    void end() throws Exception {
        client.close();
        server.close();
        rig.close();
        memory.close();
        for (EventFd event : events) {
            event.close();
        }
    }

    private void serve(PciShape.Msi msi) throws Exception {
        rig =
                new ServedRig(
                        new PciShape(
                                0x1af4,
                                0x1044,
                                1,
                                0x018000,
                                0x1af4,
                                4,
                                1,
                                List.of(
                                        new PciShape.Bar(
                                                0, PciShape.BarKind.MEMORY_64, false, 0x1000)),
                                List.of(),
                                Optional.empty(),
                                Optional.of(msi),
                                List.of(),
                                List.of()),
                        SILENT);
        server = VfioUserServer.open(folder.resolve("card"), rig.served);
        connect();
    }

    private void connect() throws Exception {
        client = VfioUserDevice.connect(folder.resolve("card"), memory);
        letItWriteToMemory();
    }

    private void letItWriteToMemory() throws VfioException {
        client.write(VfioDevice.CONFIG, COMMAND, 2, BUS_MASTER);
    }

    private PciWires wires() {
        return rig.function.wires();
    }

    /** Gives vectors from 0 on these eventfds, null for none. */
    private void give(EventFd... given) throws VfioException {
        client.trigger(MSI, 0, Arrays.stream(given).map(Optional::ofNullable).toList());
    }

    /** What each eventfd was signalled since this was asked last. */
    private List<Long> heard() {
        List<Long> counts = new ArrayList<>();
        for (EventFd event : events) {
            counts.add(event.drain());
        }
        return counts;
    }

    private static List<Long> only(int vector) {
        List<Long> counts = new ArrayList<>(List.of(0L, 0L, 0L, 0L));
        counts.set(vector, 1L);
        return counts;
    }

    private static final List<Long> NOTHING = List.of(0L, 0L, 0L, 0L);

    private int capability() throws VfioException {
        int at = (int) client.read(VfioDevice.CONFIG, 0x34, 1);
        assertEquals(MsiLayout.ID, client.read(VfioDevice.CONFIG, at, 1));
        return at;
    }

    private static void await(BooleanSupplier condition) {
        while (!condition.getAsBoolean()) {
            Thread.onSpinWait();
        }
    }

    @Test
    void msiWithAnEventfdIsSignalledAndWithoutStaysPendingUntilItHasOne() throws Exception {
        serve(new PciShape.Msi(4, true, true));
        assertEquals(new IrqInfo(MSI, 4, true, false, false, true), client.irq(MSI));
        assertEquals(Mode.INTX, wires().interrupts().mode());
        give(events[0], null, events[2], null);
        assertEquals(Mode.MSI, wires().interrupts().mode());
        for (int vector = 0; vector < 4; vector++) {
            wires().signalMsi(vector);
        }
        assertEquals(List.of(1L, 0L, 1L, 0L), heard());
        assertEquals(0b1010, client.read(VfioDevice.CONFIG, capability() + PENDING, 4));
        client.trigger(MSI, 1, List.of(Optional.of(events[1])));
        assertEquals(only(1), heard());
        assertEquals(0b1000, client.read(VfioDevice.CONFIG, capability() + PENDING, 4));
    }

    /** PCI 3.0, section 6.8.1.6: a function that is granted fewer messages joins its vectors. */
    @Test
    void aClientOfFewerMessagesGetsTheOthersByThose() throws Exception {
        serve(new PciShape.Msi(4, true, true));
        give(events[0]);
        assertEquals(1, wires().interrupts().granted());
        wires().signalMsi(3);
        assertEquals(only(0), heard());
        give(events[0], events[1]);
        assertEquals(2, wires().interrupts().granted());
        wires().signalMsi(3);
        assertEquals(only(1), heard());
        give(events);
        wires().signalMsi(3);
        assertEquals(only(3), heard());
        client.disable(MSI);
        give(events[0]);
        wires().signalMsi(2);
        assertEquals(only(0), heard());
    }

    @Test
    void msiWithoutMaskBitsIsSignalledTheSame() throws Exception {
        serve(new PciShape.Msi(2, false, false));
        give(events[0], events[1]);
        wires().signalMsi(1);
        assertEquals(only(1), heard());
        give(events[0]);
        client.trigger(MSI, 1, List.of(Optional.empty()));
        wires().signalMsi(1);
        assertEquals(only(0), heard());
    }

    @Test
    void whatTheClientWritesIntoTheCapabilityHasNoEffect() throws Exception {
        serve(new PciShape.Msi(4, true, true));
        give(events[0], events[1], events[2], events[3]);
        int at = capability();
        for (int offset = 0; offset < PENDING + 4; offset += 4) {
            client.write(VfioDevice.CONFIG, at + offset, 4, 0xffff_0000L);
        }
        client.write(VfioDevice.CONFIG, at + MsiLayout.CONTROL, 2, 0);
        wires().signalMsi(2);
        assertEquals(only(2), heard());
    }

    @Test
    void msiIsOnUntilItIsSwitchedOffAndThePinIsHeardThen() throws Exception {
        serve(new PciShape.Msi(4, true, true));
        client.trigger(INTX, 0, List.of(Optional.of(events[3])));
        give(events[0]);
        wires().interrupt(true);
        assertEquals(NOTHING, heard());
        client.disable(MSI);
        assertEquals(only(3), heard());
        wires().signalMsi(0);
        assertEquals(NOTHING, heard());
    }

    @Test
    void aResetLeavesMsiAsTheClientHasIt() throws Exception {
        serve(new PciShape.Msi(4, true, true));
        give(events[0], null, events[2]);
        client.reset();
        assertEquals(Mode.MSI, wires().interrupts().mode());
        letItWriteToMemory();
        wires().signalMsi(1);
        wires().signalMsi(2);
        assertEquals(only(2), heard());
        assertEquals(0b10, client.read(VfioDevice.CONFIG, capability() + PENDING, 4));
    }

    @Test
    void theNextClientBeginsWithoutMsi() throws Exception {
        serve(new PciShape.Msi(4, true, true));
        give(events);
        client.close();
        connect();
        assertEquals(Mode.INTX, wires().interrupts().mode());
        wires().signalMsi(0);
        give(events[0], events[1]);
        wires().signalMsi(1);
        assertEquals(only(1), heard());
    }

    @Test
    void maskingMsiIsRefusedWithASentenceAndChangesNothing() throws Exception {
        serve(new PciShape.Msi(4, true, true));
        give(events);
        for (VfioException refusal :
                List.of(
                        assertThrows(VfioException.class, () -> client.mask(MSI)),
                        assertThrows(VfioException.class, () -> client.unmask(MSI)),
                        assertThrows(
                                VfioException.class,
                                () -> client.resample(MSI, Optional.of(events[3]))))) {
            assertTrue(
                    refusal.getMessage().matches("[^.]+ refuses .*: Invalid argument.*\\."),
                    refusal.getMessage());
        }
        assertThrows(IndexOutOfBoundsException.class, () -> give(new EventFd[5]));
        wires().signalMsi(0);
        assertEquals(only(0), heard());
    }

    @Test
    void thePinMasksItselfUntilTheClientHasFinished() throws Exception {
        serve(new PciShape.Msi(1, true, true));
        assertEquals(new IrqInfo(INTX, 1, true, true, true, false), client.irq(INTX));
        client.trigger(INTX, 0, List.of(Optional.of(events[0])));
        wires().interrupt(true);
        assertEquals(only(0), heard());
        wires().interrupt(false);
        wires().interrupt(true);
        assertEquals(NOTHING, heard());
        client.unmask(INTX);
        assertEquals(only(0), heard());
        wires().interrupt(false);
        client.unmask(INTX);
        assertEquals(NOTHING, heard());
        client.mask(INTX);
        wires().interrupt(true);
        assertEquals(NOTHING, heard());
        client.unmask(INTX);
        assertEquals(only(0), heard());
    }

    /** The device's two eventfds, and the client's two: the first pair leads to the second. */
    @Test
    void thePinsEventfdsReachFromTheDeviceToTheClientAndBack() throws Exception {
        serve(new PciShape.Msi(1, true, true));
        try (EventFd raised = EventFd.open();
                EventFd finished = EventFd.open();
                EventFd unmask = EventFd.open()) {
            var carried = new Carried();
            PciWires device = rig.function.deviceWires(carried);
            device.attach(raised, finished);
            rig.function.connect(device);
            client.trigger(INTX, 0, List.of(Optional.of(events[0])));
            client.resample(INTX, Optional.of(unmask));
            for (int round = 0; round < 3; round++) {
                carried.signalled.run();
                // The client's pin is unmasked a moment after the device hears of the end.
                await(() -> events[0].drain() == 1);
                carried.signalled.run();
                assertEquals(NOTHING, heard());
                assertEquals(0, finished.drain());
                unmask.signal();
                await(() -> finished.drain() == 1);
            }
            client.mask(INTX);
            carried.signalled.run();
            assertEquals(NOTHING, heard());
            client.unmask(INTX);
            // The pin fell when the client had finished; who needs service raises it again.
            assertEquals(1, finished.drain());
            assertEquals(NOTHING, heard());
            carried.signalled.run();
            assertEquals(only(0), heard());
            client.resample(INTX, Optional.empty());
            unmask.signal();
            for (int i = 0; i < 10; i++) {
                client.read(VfioDevice.CONFIG, 0, 4);
            }
            assertEquals(0, finished.drain());
            assertEquals(NOTHING, heard());
            rig.function.disconnect(device);
        }
    }

    /** The test signals in place of the thread that waits for the eventfd. */
    private static final class Carried implements VectorTriggers, VectorTriggers.Trigger {
        private Runnable signalled;

        @Override
        public Trigger open(EventFd event, Runnable raises) {
            signalled = raises;
            return this;
        }

        @Override
        public void deliver(long address, int data) {
            throw new AssertionError("the pin sends no message");
        }

        @Override
        public void report() {
            // It does all the time.
        }

        @Override
        public void hold() {
            // As above.
        }

        @Override
        public void close() {
            // There is nothing behind.
        }
    }
}
