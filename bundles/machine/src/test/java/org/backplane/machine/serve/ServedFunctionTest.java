package org.backplane.machine.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.backplane.linux.EventFd;
import org.backplane.machine.MachineException;
import org.backplane.machine.slot.SlotSpec;
import org.backplane.pci.BarHandler;
import org.backplane.pci.PciFunction;
import org.backplane.pci.PciShape;
import org.backplane.vfio.VfioDevice;
import org.backplane.vfio.user.ServedWires;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a client sees of a function, without a socket in between. */
@Timeout(60)
class ServedFunctionTest {
    private static final int BAR_0 = 0x10;
    private static final int BAR_2 = 0x18;
    private static final int COMMAND = 4;
    private static final int DECODING = 3;
    private static final int BUS_MASTER = 4;
    private static final int PORTS = 2;
    private static final PciShape SHAPE =
            new PciShape(
                    0x1af4,
                    0x1044,
                    1,
                    0x018000,
                    0x1af4,
                    4,
                    1,
                    List.of(
                            new PciShape.Bar(0, PciShape.BarKind.MEMORY_64, true, 0x4000),
                            new PciShape.Bar(PORTS, PciShape.BarKind.IO, false, 0x20)),
                    List.of(),
                    Optional.of(new PciShape.Msix(4, 0, 0x2000, 0, 0x3000)));

    private static final ServedSlot NO_SLOT =
            new ServedSlot() {
                @Override
                public void reset() {}

                @Override
                public void renew() {}
            };

    private final List<String> accesses = new ArrayList<>();
    private final Told told = new Told();
    private ServedRig rig;
    private PciFunction function;
    private ServedFunction served;

    /** The client's side of interrupts. */
    private static final class Told implements ServedWires {
        private final Set<Integer> set = new TreeSet<>();
        private final List<Integer> signalled = new ArrayList<>();
        private boolean level;

        @Override
        public synchronized boolean signal(int irq, int vector) {
            assertEquals(VfioDevice.MSIX, irq);
            signalled.add(vector);
            return set.contains(vector);
        }

        @Override
        public boolean isSet(int irq, int vector) {
            return irq == VfioDevice.MSIX && set.contains(vector);
        }

        @Override
        public void level(boolean asserted) {
            level = asserted;
        }

        @Override
        public void readMemory(long address, byte[] to) {
            throw new AssertionError("memory is mapped");
        }

        @Override
        public void writeMemory(long address, byte[] from) {
            throw new AssertionError("memory is mapped");
        }
    }

    private final class Registers implements BarHandler {
        @Override
        public long read(int bar, long offset, int width) {
            accesses.add("read %d 0x%x %d".formatted(bar, offset, width));
            return 0x1122_3344_5566_7788L;
        }

        @Override
        public void write(int bar, long offset, int width, long value) {
            accesses.add("write %d 0x%x %d 0x%x".formatted(bar, offset, width, value));
        }
    }

    @BeforeEach
    void aFunctionOnTheBoard() throws Exception {
        rig = new ServedRig(SHAPE, new Registers());
        function = rig.function;
        served = rig.served;
        served.wired(told);
    }

    @AfterEach
    void end() throws Exception {
        rig.close();
    }

    private long config(int offset, int width) {
        return served.read(VfioDevice.CONFIG, offset, width);
    }

    private void config(int offset, int width, long value) {
        served.write(VfioDevice.CONFIG, offset, width, value);
    }

    private void give(Integer... vectors) {
        told.set.clear();
        told.set.addAll(List.of(vectors));
        served.interruptsSet(VfioDevice.MSIX);
    }

    @Test
    void aPlaceWhereNoSocketCanBeIsToldWithItsOptionAndRemedy() {
        var spec = new SlotSpec("card0", "card", Map.of(), "serve card");
        MachineException refused =
                assertThrows(
                        MachineException.class,
                        () -> ServedSocket.open(Path.of("/proc/x.sock"), spec, rig.board, NO_SLOT));
        assertEquals(
                "--socket /proc/x.sock: listen at '/proc/x.sock': No such file or directory (errno 2); give a path in a folder where files can be made.",
                refused.getMessage());
    }

    @Test
    void regionsAreAsLargeAsTheBars() {
        assertEquals(0x4000, served.region(0).size());
        assertEquals(0, served.region(1).size());
        assertEquals(0x20, served.region(PORTS).size());
        assertEquals(0, served.region(VfioDevice.ROM).size());
        assertEquals(0x100, served.region(VfioDevice.CONFIG).size());
        assertEquals(4, served.irq(VfioDevice.MSIX).count());
        assertEquals(1, served.irq(VfioDevice.INTX).count());
        assertEquals(0, served.irq(VfioDevice.MSI).count());
    }

    @Test
    void barsAreWhereTheClientSaysAndAnswerAllTheSame() {
        assertEquals(0xc, config(BAR_0, 4));
        config(BAR_0, 4, 0xffff_ffffL);
        config(BAR_0 + 4, 4, 0xffff_ffffL);
        config(BAR_2, 4, 0xffff_ffffL);
        assertEquals(0xffff_c00cL, config(BAR_0, 4));
        assertEquals(0xffff_ffffL, config(BAR_0 + 4, 4));
        assertEquals(0xffff_ffe1L, config(BAR_2, 4));
        config(BAR_0, 4, 0x8000_0000L);
        config(BAR_0 + 4, 4, 7);
        assertEquals(0x8000_000cL, config(BAR_0, 4));
        assertEquals(7, config(BAR_0 + 4, 1));
        assertEquals(0x1122_3344_5566_7788L, served.read(0, 8, 8));
        assertEquals(List.of("read 0 0x8 8"), accesses);
    }

    @Test
    void decodingIsTheClientsToSeeAndOnAllTheTime() {
        assertEquals(0, config(COMMAND, 2));
        served.read(0, 0, 4);
        config(COMMAND, 2, DECODING | BUS_MASTER);
        assertEquals(DECODING | BUS_MASTER, config(COMMAND, 2));
        config(COMMAND, 1, BUS_MASTER);
        assertEquals(BUS_MASTER, config(COMMAND, 2));
        served.read(0, 4, 4);
        assertEquals(List.of("read 0 0x0 4", "read 0 0x4 4"), accesses);
    }

    @Test
    void portsAreReachedByFourBytesAtMost() {
        assertEquals(0x5566_7788_5566_7788L, served.read(PORTS, 8, 8));
        served.write(PORTS, 16, 8, 0x1111_1111_2222_2222L);
        assertEquals(
                List.of(
                        "read 2 0x8 4",
                        "read 2 0xc 4",
                        "write 2 0x10 4 0x22222222",
                        "write 2 0x14 4 0x11111111"),
                accesses);
    }

    @Test
    void aVectorWithoutAnEventfdStaysPendingUntilItHasOne() {
        config(COMMAND, 2, BUS_MASTER);
        give(0);
        function.wires().signal(0);
        function.wires().signal(2);
        assertEquals(List.of(0), told.signalled);
        assertEquals(1 << 2, served.read(0, 0x3000, 8));
        give(0, 2);
        assertEquals(List.of(0, 2), told.signalled);
        assertEquals(0, served.read(0, 0x3000, 8));
        assertEquals(List.of(), accesses);
    }

    @Test
    void tableAndCapabilityAreNotTheClients() {
        config(COMMAND, 2, BUS_MASTER);
        give(1);
        served.write(0, 0x2010, 4, 0xfee0_0000L);
        served.write(0, 0x2018, 8, 1L << 32 | 77);
        int capability = (int) config(0x34, 1);
        assertEquals(0x11, config(capability, 1));
        config(capability + 2, 2, 0);
        config(capability, 4, 0);
        function.wires().signal(1);
        assertEquals(List.of(1), told.signalled);
        assertEquals(List.of(), accesses);
    }

    @Test
    void thePinIsHeardWhileNoVectorIs() {
        function.wires().interrupt(true);
        assertTrue(told.level);
        give(0);
        assertTrue(!told.level);
        give();
        assertTrue(told.level);
        function.wires().interrupt(false);
        assertTrue(!told.level);
    }

    @Test
    void aResetLeavesInterruptsAndDecodingAsTheyWere() throws Exception {
        config(COMMAND, 2, DECODING | BUS_MASTER);
        give(3);
        served.reset();
        assertEquals(0, config(COMMAND, 2));
        served.read(0, 0, 4);
        assertEquals(List.of("read 0 0x0 4"), accesses);
        config(COMMAND, 2, BUS_MASTER);
        function.wires().signal(3);
        assertEquals(List.of(3), told.signalled);
    }

    @Test
    void aClientThatLeftIsNotSignalled() throws Exception {
        config(COMMAND, 2, BUS_MASTER);
        give(0);
        served.left();
        config(COMMAND, 2, BUS_MASTER);
        function.wires().signal(0);
        assertEquals(List.of(), told.signalled);
    }

    @Test
    void aDoorbellDoesNotComeToTheDevice() throws Exception {
        long base = function.bars().get(0).base();
        try (EventFd event = EventFd.open();
                var lease = rig.board.vm().doorbell(base + 0x100, 0, event)) {
            served.write(0, 0x100, 2, 5);
            assertEquals(1, event.drain());
        }
        served.write(0, 0x100, 2, 5);
        assertEquals(List.of("write 0 0x100 2 0x5"), accesses);
    }

    @Test
    void anAccessWaitsWhileTheProcessorIsPausedAndEndsWithTheMachine() throws Exception {
        rig.processors.pause();
        var read = new Thread(() -> accesses.add("came back: " + served.read(0, 0, 4)));
        read.start();
        rig.board.vm().close();
        read.join();
        assertEquals(List.of("came back: " + 0xffff_ffffL), accesses);
    }
}
