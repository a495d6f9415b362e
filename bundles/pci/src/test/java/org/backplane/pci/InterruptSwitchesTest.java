package org.backplane.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.backplane.bus.ClaimException;
import org.backplane.bus.Space;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** When and with what a device is told that the guest switched its interrupts. */
class InterruptSwitchesTest {
    private static final int MSI = 0x50;
    private static final int MSIX_CONTROL = 0xb2;
    private static final int ENABLE = 0x8000;
    private static final int FUNCTION_MASK = 0x4000;
    private static final int VECTORS = 4;

    private static final PciShape SHAPE =
            Rig.Parts.NONE
                    .with(new PciShape.Msi(4, true, true, OptionalInt.of(MSI)))
                    .with(new PciShape.Msix(VECTORS, 0, 0, 0, 0x800, OptionalInt.of(0xb0)))
                    .shape(Rig.memory(0, 0x1000));

    private final Rig rig = new Rig();

    /** A device that notes what it is told, under a lock of its own. */
    private static final class Follower implements BarHandler {
        private final List<String> seen = new ArrayList<>();
        private Interrupts interrupts;
        private String last = "";

        @Override
        public long read(int bar, long offset, int width) {
            return -1;
        }

        @Override
        public void write(int bar, long offset, int width, long value) {
            // It has no registers.
        }

        @Override
        public synchronized void interruptsChanged() {
            last = text(interrupts);
            seen.add(last);
        }

        synchronized String last() {
            return last;
        }

        synchronized List<String> taken() {
            List<String> taken = List.copyOf(seen);
            seen.clear();
            return taken;
        }
    }

    private static String text(Interrupts interrupts) {
        var text = new StringBuilder(interrupts.mode().toString());
        text.append(interrupts.masked() ? " masked" : "").append(' ').append(interrupts.granted());
        for (int vector = 0; vector < VECTORS; vector++) {
            text.append(interrupts.open(vector) ? "o" : interrupts.programmed(vector) ? "p" : "-");
        }
        return text.append(interrupts.busMaster() ? "" : " no master").toString();
    }

    private final Follower follower = new Follower();
    private final PciFunction function = plug();

    private PciFunction plug() {
        try {
            PciFunction plugged = rig.bridge.plug("nic", -1, SHAPE, follower);
            follower.interrupts = plugged.interrupts();
            plugged.place();
            rig.command(plugged, 0x7);
            follower.taken();
            return plugged;
        } catch (ClaimException e) {
            throw new AssertionError(e);
        }
    }

    private void expect(String... told) {
        assertEquals(List.of(told), follower.taken());
    }

    private void table(int vector, int register, long value) {
        rig.bus.write(Space.MMIO, Rig.LOW.base() + 16L * vector + register, 4, value);
    }

    @Test
    void tellsOfThePinAndOfBusMastering() {
        rig.command(function, 0x407);
        expect("OFF 0----");
        rig.command(function, 0x407);
        rig.command(function, 0x405);
        expect();
        rig.command(function, 0x003);
        expect("INTX 0---- no master");
        rig.write(function, Type0Header.COMMAND + 1, 1, 0x4);
        expect("OFF 0---- no master");
    }

    @Test
    void tellsOfMsiWithWhatIsGrantedAndMasked() {
        rig.write(function, MSI + 4, 4, 0xfee0_0000L);
        rig.write(function, MSI + 12, 2, 0x40);
        expect();
        rig.write(function, MSI + 2, 2, 1 | 1 << 4);
        expect("MSI 2oo--");
        rig.write(function, MSI + 16, 4, 0b10);
        expect("MSI 2op--");
        rig.write(function, MSI, 4, (1 | 2 << 4) << 16);
        expect("MSI 4opoo");
        rig.write(function, MSI + 2, 2, 1 | 7 << 4);
        expect("MSI 4opoo");
        rig.write(function, MSI + 2, 2, 0);
        expect("INTX 0----");
    }

    @Test
    void tellsOfMsixWithItsMasksAndMessages() {
        rig.write(function, MSIX_CONTROL, 2, ENABLE | FUNCTION_MASK);
        expect("MSIX masked 0----");
        table(2, 0, 0xfee0_0000L);
        expect("MSIX masked 0--p-");
        table(2, 8, 0x41);
        expect();
        table(2, 12, 0);
        expect("MSIX masked 0--p-");
        table(2, 12, 0);
        expect();
        rig.write(function, MSIX_CONTROL, 2, ENABLE);
        expect("MSIX 0--o-");
        assertFalse(follower.interrupts.masked(2));
        assertTrue(follower.interrupts.masked(1));
        table(2, 12, 1);
        expect("MSIX 0--p-");
        rig.write(function, MSIX_CONTROL, 2, 0);
        expect("INTX 0----");
    }

    @Test
    void readsAndForbiddenWritesTellNothing() {
        rig.write(function, MSIX_CONTROL, 2, 0x7ff);
        rig.write(function, Type0Header.STATUS, 2, 0xffff);
        rig.write(function, Type0Header.INTERRUPT_LINE, 1, 5);
        rig.bus.write(Space.MMIO, Rig.LOW.base() + 0x800, 8, -1);
        rig.bus.write(Space.MMIO, Rig.LOW.base() + 2, 2, -1);
        rig.read(function, MSI, 4);
        expect();
    }

    @Test
    void aResetTellsNothingAndLeavesEverythingOff() {
        rig.write(function, MSIX_CONTROL, 2, ENABLE);
        follower.taken();
        function.reset();
        expect();
        assertEquals("INTX 0---- no master", text(follower.interrupts));
        function.close();
        expect();
        assertEquals("OFF 0---- no master", text(follower.interrupts));
    }

    @Test
    void aVectorThatThereIsNotIsClosed() {
        rig.write(function, MSIX_CONTROL, 2, ENABLE);
        for (int vector : new int[] {-1, VECTORS, Integer.MAX_VALUE}) {
            assertFalse(follower.interrupts.open(vector));
            assertFalse(follower.interrupts.programmed(vector));
            assertTrue(follower.interrupts.masked(vector));
        }
    }

    @Test
    void busMasteringOfThePortAboveIsTold() throws ClaimException {
        PortRig ports = new PortRig();
        var behind = new Follower();
        PciFunction card = ports.first.plug("nic", SHAPE, behind);
        behind.interrupts = card.interrupts();
        ports.first.install();
        card.place();
        int number = PortRig.number(1, 0);
        ports.write(number, Type0Header.COMMAND, 2, 0x7);
        assertEquals("INTX 0----", behind.last());
        ports.write(ports.first, Type0Header.COMMAND, 2, 0x3);
        assertEquals("INTX 0---- no master", behind.last());
        ports.write(ports.first, Type0Header.COMMAND, 2, 0x7);
        assertEquals("INTX 0----", behind.last());
    }

    /** Whatever order two processors' writes had: the device knows how it ended. */
    @Test
    @Timeout(120)
    void whatTwoProcessorsToggleIsToldInTheEndAsItIs() throws Exception {
        ExecutorService processors = Executors.newFixedThreadPool(2);
        try {
            for (int round = 0; round < 300; round++) {
                List<Future<?>> guests = new ArrayList<>();
                for (int processor = 0; processor < 2; processor++) {
                    Random random = new Random(round * 2L + processor);
                    guests.add(processors.submit(() -> toggle(random)));
                }
                for (Future<?> guest : guests) {
                    guest.get();
                }
                assertEquals(text(function.interrupts()), follower.last(), "round " + round);
                follower.taken();
            }
        } finally {
            processors.shutdown();
        }
    }

    private void toggle(Random random) {
        for (int i = 0; i < 20; i++) {
            switch (random.nextInt(5)) {
                case 0 -> rig.write(function, MSIX_CONTROL, 2, random.nextInt(4) << 14);
                case 1 -> rig.write(function, MSI + 2, 2, random.nextInt(2) | 1 << 4);
                case 2 -> rig.write(function, MSI + 16, 4, random.nextInt(16));
                case 3 -> rig.command(function, 0x3 | random.nextInt(2) << 2);
                default -> table(random.nextInt(VECTORS), 12, random.nextInt(2));
            }
        }
        rig.write(function, MSIX_CONTROL, 2, random.nextInt(2) << 15);
    }
}
