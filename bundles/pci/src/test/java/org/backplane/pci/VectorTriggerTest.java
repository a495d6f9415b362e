package org.backplane.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.backplane.bus.ClaimException;
import org.backplane.bus.Space;
import org.backplane.device.context.Lease;
import org.backplane.linux.EventFd;
import org.backplane.linux.LinuxException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Vectors raised by eventfds: what their triggers are told as the guest uses the function. */
class VectorTriggerTest {
    private static final int TABLE = 0;
    private static final int PBA = 0x800;
    private static final int ENABLE = 0x8000;
    private static final int FUNCTION_MASK = 0x4000;

    private final Rig rig = new Rig();
    private final EventFd event = EventFd.open();
    private final PciFunction function;
    private final PciWires wires;
    private final long base;
    private final List<String> told = new ArrayList<>();
    private Runnable signalled;

    VectorTriggerTest() throws ClaimException, LinuxException {
        function =
                rig.running(
                        "nvme0",
                        Rig.shape(
                                Optional.of(new PciShape.Msix(4, 0, TABLE, 0, PBA)),
                                Rig.memory64(0, 0x1000)));
        base = Rig.bar(function, 0).base();
        wires = function.deviceWires(this::open);
    }

    @AfterEach
    void close() {
        event.close();
    }

    private VectorTriggers.Trigger open(EventFd given, Runnable raises) {
        assertEquals(event, given);
        signalled = raises;
        return new VectorTriggers.Trigger() {
            @Override
            public void deliver(long address, int data) {
                told.add("deliver %x=%x".formatted(address, data));
            }

            @Override
            public void report() {
                told.add("report");
            }

            @Override
            public void hold() {
                told.add("hold");
            }

            @Override
            public void close() {
                told.add("close");
            }
        };
    }

    private void control(int bits) {
        rig.write(function, 0x42, 2, bits);
    }

    private void program(int vector, long address, int data, boolean masked) {
        rig.bus.write(Space.MMIO, base + 16L * vector, 8, address);
        rig.bus.write(Space.MMIO, base + 16L * vector + 8, 8, data | (masked ? 1L << 32 : 0));
    }

    private String last() {
        return told.isEmpty() ? "nothing" : told.get(told.size() - 1);
    }

    @Test
    void deliversWhileTheVectorsMessagesMayLeaveAndReportsOtherwise() {
        function.connect(wires);
        wires.trigger(2, event);
        assertEquals("report", last());
        program(2, 0x1000, 7, false);
        assertEquals("report", last());
        control(ENABLE);
        assertEquals("deliver 1000=7", last());
        control(ENABLE | FUNCTION_MASK);
        assertEquals("report", last());
        control(ENABLE);
        assertEquals("deliver 1000=7", last());
        program(2, 0x1000, 8, true);
        assertEquals("report", last());
        program(2, 0x1000, 8, false);
        assertEquals("deliver 1000=8", last());
        function.reset();
        assertEquals("report", last());
        assertEquals(List.of(), rig.messages);
    }

    @Test
    void whatIsReportedWhileMaskedIsPendingAndLeavesOnce() {
        function.connect(wires);
        wires.trigger(2, event);
        control(ENABLE);
        program(2, 0x1000, 7, true);
        signalled.run();
        signalled.run();
        assertEquals(4, rig.load(Space.MMIO, base + PBA, 8));
        assertEquals(List.of(), rig.messages);
        program(2, 0x1000, 7, false);
        assertEquals(List.of("1000=7"), rig.messages);
    }

    @Test
    void nothingIsCarriedForADeviceThatIsNotBehindTheFunction() {
        Lease lease = wires.trigger(1, event);
        program(1, 0x1000, 7, false);
        control(ENABLE);
        assertEquals(List.of(), told);
        function.connect(wires);
        assertEquals("deliver 1000=7", last());
        function.disconnect(wires);
        assertEquals("hold", last());
        program(1, 0x1000, 8, false);
        assertEquals("hold", last());
        lease.close();
        lease.close();
        assertEquals(1, told.stream().filter("close"::equals).count());
    }

    @Test
    void closingTheLeaseMakesRoomForAnother() {
        function.connect(wires);
        Lease lease = wires.trigger(1, event);
        assertThrows(IllegalStateException.class, () -> wires.trigger(1, event));
        assertThrows(IllegalArgumentException.class, () -> wires.trigger(4, event));
        lease.close();
        assertEquals(List.of("report", "hold", "close"), told);
        wires.trigger(1, event);
        assertEquals("report", last());
    }

    @Test
    void pinRisesByOneEventfdAndTheOtherTellsOfItsEnd() throws Exception {
        function.connect(wires);
        try (EventFd resample = EventFd.open()) {
            Lease lease = wires.attach(event, resample);
            assertEquals("report", last());
            assertThrows(IllegalStateException.class, () -> wires.attach(event, resample));
            rig.finish("1A");
            assertEquals(0, resample.drain());
            signalled.run();
            assertEquals(List.of("1A high"), rig.pins);
            rig.finish("1A");
            assertEquals(List.of("1A high", "1A low"), rig.pins);
            assertEquals(1, resample.drain());
            rig.finish("1A");
            assertEquals(0, resample.drain());
            signalled.run();
            lease.close();
            assertEquals(List.of("1A high", "1A low", "1A high", "1A low"), rig.pins);
            rig.finish("1A");
            assertEquals(0, resample.drain());
            assertEquals("close", last());
        }
    }

    @Test
    void refusesWhereNothingCarriesEventfds() {
        assertThrows(IllegalStateException.class, () -> function.wires().trigger(0, event));
    }
}
